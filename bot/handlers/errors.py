"""Unexpected errors: the user gets an incident number, the log gets the rest."""

from __future__ import annotations

import contextlib
import logging
import secrets

from telegram import Update
from telegram.error import Forbidden, TelegramError

from bot.context import Services, context_of
from bot.transport.retry import reason_of
from unmask.errors import UnmaskError

_log = logging.getLogger("bot.errors")


async def report_error(services: Services, update: object, error: Exception | None) -> None:
    """Log an error with an incident number, and tell that number to the user of the update."""
    if isinstance(error, Forbidden):
        _log.info("the bot may not write to a chat", extra={"why": reason_of(error)})
        return
    incident = secrets.token_hex(4)
    number = update.update_id if isinstance(update, Update) else None
    _log.error(
        "an update failed", exc_info=error, extra={"incident": incident, "update_id": number}
    )
    if not isinstance(update, Update):
        return
    with contextlib.suppress(TelegramError, UnmaskError):
        context = await context_of(services, update)
        if context is None:
            return
        text = context.texts.gettext(
            "Something went wrong on our side (incident {incident}). Please try again.",
            incident=incident,
        )
        if context.query is not None:
            await context.answer_query(text, alert=True)
        else:
            await context.reply_text(text)
