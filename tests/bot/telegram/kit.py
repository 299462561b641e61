"""Helpers for the tests of the fake Telegram."""

from __future__ import annotations

from typing import Any

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Update,
)
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
)

from tests import pictures

JPEG = pictures.encoded(pictures.photo(600, 400), "JPEG")
BUTTON = InlineKeyboardMarkup([[InlineKeyboardButton("Mask", callback_data="mask:1")]])


def refused(why: str) -> Any:
    """Expects a refusal with these words; python-telegram-bot capitalises the first."""
    return pytest.raises((BadRequest, Forbidden, Conflict), match=f"(?i){why}")


async def drained(bot: Bot) -> tuple[Update, ...]:
    """The pending updates, which are then confirmed."""
    updates = await bot.get_updates()
    await bot.get_updates(offset=updates[-1].update_id + 1)
    return updates
