"""Long polling. Each request acknowledges the updates before it, which are stored by then."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from telegram import Bot
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.transport.dispatch import Dispatch
from bot.transport.rate_limiter import seconds_of
from bot.transport.retry import reason_of
from unmask.errors import UnmaskError

_log = logging.getLogger(__name__)
#: The kinds of update that the bot handles.
UPDATES = ["message", "callback_query"]
#: Seconds that Telegram holds a request open while there are no updates.
_POLL_SECONDS = 30
_FIRST_PAUSE, _MAX_PAUSE = 0.5, 30.0


async def poll(bot: Bot, dispatch: Dispatch) -> None:
    """Poll for ever, through failures of Telegram and of the queue; raises ``InvalidToken``."""
    offset, pause = 0, _FIRST_PAUSE
    while True:
        try:
            updates = await _get_updates(bot, offset)
            await dispatch.accept(updates)
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
            _log.warning("no updates", extra={"why": reason_of(error)})
        await asyncio.sleep(pause)
        pause = min(2 * pause, _MAX_PAUSE)


async def _get_updates(bot: Bot, offset: int) -> list[dict[str, Any]]:
    """The next updates, as Telegram's JSON.

    ``Bot.get_updates`` would parse all of them at once: a single one in an unknown form would block
    the others for ever, and python-telegram-bot would log it with all that people wrote.
    """
    parameters = {"offset": offset, "timeout": _POLL_SECONDS, "allowed_updates": UPDATES}
    updates: list[dict[str, Any]] = await bot._post(
        "getUpdates", parameters, read_timeout=_POLL_SECONDS + 10
    )
    return updates
