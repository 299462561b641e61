"""What goes wrong unforeseen: something true for whoever asked, everything else for the log."""

from __future__ import annotations

import contextlib
import logging
import secrets

from telegram import Update
from telegram.error import Forbidden, TelegramError

from bot.context import Services, turn_of
from unmask.errors import UnmaskError

_log = logging.getLogger("bot.errors")


async def failed(services: Services, update: object, error: Exception | None) -> None:
    """Log an error under a number, and tell the number to whoever is concerned."""
    if isinstance(error, Forbidden):
        _log.info("the bot may not write there", extra={"why": error.message})
        return
    incident = secrets.token_hex(4)
    number = update.update_id if isinstance(update, Update) else None
    _log.error(
        "an update failed", exc_info=error, extra={"incident": incident, "update_id": number}
    )
    if not isinstance(update, Update):
        return
    with contextlib.suppress(TelegramError, UnmaskError):
        turn = await turn_of(services, update)
        if turn is None:
            return
        said = turn.words.say(
            "Something went wrong on our side (incident {incident}). Please try again.",
            incident=incident,
        )
        if turn.query is not None:
            await turn.notice(said, alert=True)
        else:
            await turn.reply(said)
