"""What a handler gets: one update that somebody sent, and what all handlers share."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from telegram import (
    Bot,
    CallbackQuery,
    InlineKeyboardMarkup,
    Message,
    ReplyParameters,
    Update,
)
from telegram.error import BadRequest, TelegramError

from bot.i18n import Words, language_of, words
from bot.pipeline import Pipeline
from bot.state.access import Access
from bot.state.callback_data import Tickets
from bot.state.counters import Counters
from bot.state.feedback import Feedback
from bot.state.history import Past
from bot.state.limits import Limits
from bot.state.pending_albums import Unasked
from bot.state.reply_queue import OrderBook
from bot.state.users import People
from bot.transport.inbox import Inbox
from bot.transport.retry import deliver
from unmask.errors import UnmaskError
from unmask.queue import CheckQueue
from unmask.settings import Settings

T = TypeVar("T")
#: Seconds for which a call is tried again.
_PATIENCE = 30.0
#: The message has these words already (a button was pressed twice), or was deleted.
_AS_WELL = ("not modified", "to edit not found")


@dataclass(frozen=True)
class Services:
    """What the handlers share: made once, by :func:`bot.services.make_services`, whose caller
    closes what it gave in."""

    settings: Settings
    bot: Bot
    checks: CheckQueue
    inbox: Inbox
    book: OrderBook
    people: People
    access: Access
    limits: Limits
    tickets: Tickets
    past: Past
    counters: Counters
    feedback: Feedback
    pipeline: Pipeline
    unasked: Unasked[Turn]


@dataclass(frozen=True)
class Turn:
    """One update: who sent it, where, in which language, and how to answer it. ``message`` is what
    was sent or, for a pressed button, the message that has the button."""

    services: Services
    update_id: int
    user: int
    chat: int
    group: bool
    words: Words
    message: Message
    query: CallbackQuery | None = None

    async def reply(self, text: str, keyboard: InlineKeyboardMarkup | None = None) -> None:
        """Answer in words."""
        await self.try_again(
            lambda: self.services.bot.send_message(
                self.chat,
                text,
                reply_markup=keyboard,
                reply_parameters=self.quoting,
                message_thread_id=self.thread,
            )
        )

    async def edit(self, text: str, keyboard: InlineKeyboardMarkup | None = None) -> None:
        """Put other words, and other buttons or none, into the message that has the button."""
        try:
            await self.try_again(lambda: self.message.edit_text(text, reply_markup=keyboard))
        except BadRequest as refusal:
            if not any(part in refusal.message.lower() for part in _AS_WELL):
                raise

    async def try_again(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call to Telegram, for a while again if the connection breaks."""
        return await deliver(call, time.time() + _PATIENCE)

    @property
    def quoting(self) -> ReplyParameters:
        """Makes what is sent a reply to the message."""
        return ReplyParameters(self.message.message_id, allow_sending_without_reply=True)

    async def notice(self, text: str = "", *, alert: bool = False) -> None:
        """Answer a pressed button; an ``alert`` is to be closed by hand.

        Telegram takes no answer to what was pressed while the bot was away. What was asked for is
        done all the same.
        """
        if self.query is not None:
            with contextlib.suppress(TelegramError):
                await self.query.answer(text or None, show_alert=alert)

    @property
    def thread(self) -> int | None:
        """The topic of a forum that this is about."""
        return self.message.message_thread_id if self.message.is_topic_message else None

    @property
    def argument(self) -> str:
        """What follows a command."""
        return (self.message.text or "").partition(" ")[2].strip()


async def turn_of(services: Services, update: Update) -> Turn | None:
    """The turn of an update; None for what nobody sent, or a message that is no more."""
    user, query = update.effective_user, update.callback_query
    message = query.message if query else update.message
    if user is None or not isinstance(message, Message):
        return None
    try:
        language = await services.people.language(user.id, user.language_code)
    except UnmaskError:  # an apology must not fail for that
        language = language_of([user.language_code])
    return Turn(
        services=services,
        update_id=update.update_id,
        user=user.id,
        chat=message.chat.id,
        group=message.chat.type != message.chat.PRIVATE,
        words=words(language),
        message=message,
        query=query,
    )
