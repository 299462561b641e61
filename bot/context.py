"""What a handler gets: the context of one update, and the services that all handlers share."""

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

from bot.i18n import texts_in
from bot.media import Inbound
from bot.pipeline import Pipeline
from bot.state.access import Access
from bot.state.callback_data import CallbackDataStore
from bot.state.counters import Counters
from bot.state.feedback import Feedback
from bot.state.history import History
from bot.state.limits import Limits
from bot.state.links import Links
from bot.state.pending_albums import PendingAlbums
from bot.state.reply_queue import ReplyStore
from bot.state.users import Users
from bot.team import TeamChats
from bot.transport.inbox import Inbox
from bot.transport.retry import retry_telegram
from unmask.errors import UnmaskError
from unmask.i18n import Texts, language_of
from unmask.queue.check_queue import CheckQueue
from unmask.settings import Settings

T = TypeVar("T")
#: Seconds for which a call to Telegram is retried.
_RETRY_SECONDS = 30.0
#: Refusals of an edit that do no harm: the message has this text already, because a button was
#: pressed twice, or it was deleted.
_HARMLESS = ("not modified", "to edit not found")


@dataclass(frozen=True)
class Services:
    """What the handlers share. :func:`bot.services.make_services` makes it; its caller closes the
    connections."""

    settings: Settings
    bot: Bot
    checks: CheckQueue
    inbox: Inbox
    replies: ReplyStore
    users: Users
    access: Access
    limits: Limits
    callbacks: CallbackDataStore
    history: History
    counters: Counters
    feedback: Feedback
    pipeline: Pipeline
    pending_albums: PendingAlbums[tuple[UpdateContext, Inbound]]
    links: Links
    team: TeamChats


@dataclass(frozen=True)
class UpdateContext:
    """One update: the user, the chat, the language, and how to answer.

    ``message`` is the message that was sent or, for a pressed button, the one with the button.
    """

    services: Services
    update_id: int
    user: int
    chat: int
    group: bool
    texts: Texts
    message: Message
    query: CallbackQuery | None = None

    async def reply_text(self, text: str, keyboard: InlineKeyboardMarkup | None = None) -> None:
        """Reply to the message with a text."""
        await self.retry(
            lambda: self.services.bot.send_message(
                self.chat,
                text,
                reply_markup=keyboard,
                reply_parameters=self.reply_parameters,
                message_thread_id=self.thread,
            )
        )

    async def edit_text(self, text: str, keyboard: InlineKeyboardMarkup | None = None) -> None:
        """Replace the text and the buttons of the message with the pressed button."""
        try:
            await self.retry(lambda: self.message.edit_text(text, reply_markup=keyboard))
        except BadRequest as refusal:
            if not any(part in refusal.message.lower() for part in _HARMLESS):
                raise

    async def retry(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of a call to Telegram, retried for a while if the connection breaks."""
        return await retry_telegram(call, time.time() + _RETRY_SECONDS)

    @property
    def reply_parameters(self) -> ReplyParameters:
        """Makes what is sent a reply to the message."""
        return ReplyParameters(self.message.message_id, allow_sending_without_reply=True)

    async def answer_query(self, text: str = "", *, alert: bool = False) -> None:
        """Answer a pressed button; an ``alert`` is a dialog that the user closes.

        Telegram refuses the answer if the button was pressed while the bot was away. The handler
        does its work all the same.
        """
        if self.query is not None:
            with contextlib.suppress(TelegramError):
                await self.query.answer(text or None, show_alert=alert)

    @property
    def once(self) -> str:
        """A key of this update, which may come again after a crash: what is asked for with it is
        done once."""
        return f"telegram:{self.services.bot.id}:{self.update_id}"

    @property
    def thread(self) -> int | None:
        """The forum topic of the message."""
        return self.message.message_thread_id if self.message.is_topic_message else None

    @property
    def argument(self) -> str:
        """What follows the command."""
        return (self.message.text or "").partition(" ")[2].strip()


async def context_of(services: Services, update: Update) -> UpdateContext | None:
    """The context of an update; None if it has no user, or if its message no longer exists."""
    user, query = update.effective_user, update.callback_query
    message = query.message if query else update.message
    if user is None or not isinstance(message, Message):
        return None
    try:
        language = await services.users.language(user.id, user.language_code)
    except UnmaskError:  # an apology must not fail because of this
        language = language_of([user.language_code])
    return UpdateContext(
        services=services,
        update_id=update.update_id,
        user=user.id,
        chat=message.chat.id,
        group=message.chat.type != message.chat.PRIVATE,
        texts=texts_in(language),
        message=message,
        query=query,
    )
