"""What the tests of the fake Telegram share."""

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
    """A refusal in these words; python-telegram-bot begins them with a capital."""
    return pytest.raises((BadRequest, Forbidden, Conflict), match=f"(?i){why}")


async def drained(bot: Bot) -> tuple[Update, ...]:
    """What waits, confirmed."""
    updates = await bot.get_updates()
    await bot.get_updates(offset=updates[-1].update_id + 1)
    return updates
