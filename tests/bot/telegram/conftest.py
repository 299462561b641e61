"""One Telegram for each test, and python-telegram-bot's own client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from telegram import (
    Bot,
)

from tests.bot.telegram import TOKEN, Person, Telegram, running_telegram


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    async with running_telegram(Telegram()) as running:
        yield running


@pytest.fixture
async def bot(telegram: Telegram) -> AsyncIterator[Bot]:
    made = Bot(TOKEN, base_url=telegram.base_url, base_file_url=telegram.base_file_url)
    async with made:
        yield made


@pytest.fixture
async def ada(telegram: Telegram) -> Person:
    person = Person(telegram, "Ada", "es")
    await person.says("/start")
    return person
