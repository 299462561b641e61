"""Asks Telegram for updates. They are acknowledged, by asking for the next, once written down."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from telegram import Bot
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.transport.dispatch import Dispatch
from bot.transport.rate_limiter import seconds_of
from unmask.errors import UnmaskError

_log = logging.getLogger(__name__)
#: What the bot wants to know of.
UPDATES = ["message", "callback_query"]
#: Seconds that Telegram holds a question open while there is nothing to tell.
_HOLD = 30
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0


async def poll(bot: Bot, dispatch: Dispatch) -> None:
    """Ask for ever, through failures of Telegram and of the queue; raises ``InvalidToken``."""
    offset, pause = 0, _FIRST_PAUSE
    while True:
        try:
            updates = await _ask(bot, offset)
            await dispatch.take(updates)
            offset = updates[-1]["update_id"] + 1 if updates else offset
            pause = _FIRST_PAUSE
            continue
        except InvalidToken:
            raise
        except RetryAfter as refusal:
            pause = seconds_of(refusal)
        except Conflict:
            _log.error("another program asks for this bot's updates, or it has a webhook")
            pause = max(pause, 5.0)
        except (NetworkError, TelegramError, UnmaskError) as error:
            _log.warning("no updates", extra={"why": f"{type(error).__name__}: {error}"})
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


async def _ask(bot: Bot, offset: int) -> list[dict[str, Any]]:
    """The next updates, as Telegram's JSON.

    Not by ``Bot.get_updates``, which reads all of them at once: a single one of a form that it
    does not know would hold up those beside it for ever, and be logged with all that they say.
    """
    asked = {"offset": offset, "timeout": _HOLD, "allowed_updates": UPDATES}
    updates: list[dict[str, Any]] = await bot._post("getUpdates", asked, read_timeout=_HOLD + 10)
    return updates
