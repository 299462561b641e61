"""Puts the Application of python-telegram-bot together: token, pace, handlers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from telegram import Update
from telegram.ext import (
    Application,
    ApplicationHandlerStop,
    CallbackContext,
    CallbackQueryHandler,
    CommandHandler,
    MessageHandler,
    TypeHandler,
    filters,
)

from bot.handlers import block, delete, errors, gate, language, pictures, presses, privacy, stats
from bot.handlers import start as greeting
from bot.pace import Pace
from bot.services import Services
from bot.turn import Turn, turn_of
from unmask.errors import UnmaskError
from unmask.settings import Settings

App = Application[Any, Any, Any, Any, Any, Any]
Context = CallbackContext[Any, Any, Any, Any]
Handler = Callable[[Turn], Awaitable[None]]
T = TypeVar("T")

_COMMANDS: dict[str, Handler] = {
    "start": greeting.start,
    "help": greeting.help_,
    "language": language.language,
    "privacy": privacy.privacy,
    "delete": delete.ask,
    "stats": stats.stats,
    "block": block.block,
    "unblock": block.unblock,
    "check": pictures.arrived,
}


def make_application(settings: Settings, token: str) -> App:
    """The Application, without handlers; its updates come by :class:`bot.dispatch.Dispatch`."""
    api = settings.telegram_api.rstrip("/")
    builder = Application.builder().token(token)
    builder = builder.base_url(f"{api}/bot").base_file_url(f"{api}/file/bot")
    # Who finds no free connection waits for one. More of them make each call slower: the pool
    # looks at all of its connections each time.
    builder = builder.connection_pool_size(16).pool_timeout(60.0)
    paced = builder.rate_limiter(Pace(settings.bot_messages_per_second))
    return paced.updater(None).job_queue(None).build()


async def _patiently(step: Callable[[], Awaitable[T]]) -> T:
    """Do a step; while Redis is away, again, for the update would be lost otherwise."""
    pause = 0.5
    while True:
        try:
            return await step()
        except UnmaskError as error:
            if error.code != "queue_unavailable":
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, 10.0)


def add_handlers(application: App, services: Services) -> None:
    """Tell the Application what to do with updates."""

    async def guard(update: Update, context: Context) -> None:
        if not await _patiently(lambda: gate.admits(services, update)):
            raise ApplicationHandlerStop

    async def failed(update: object, context: Context) -> None:
        await errors.failed(services, update, context.error)

    def bound(handler: Handler) -> Callable[[Update, Context], Coroutine[Any, Any, None]]:
        async def call(update: Update, context: Context) -> None:
            turn = await turn_of(services, update)
            if turn is not None:
                await _patiently(lambda: handler(turn))
            elif update.callback_query is not None:  # below a message that Telegram forgot
                await update.callback_query.answer()

        return call

    messages = filters.UpdateType.MESSAGE
    application.add_handler(TypeHandler(Update, guard), group=-1)
    for name, handler in _COMMANDS.items():
        application.add_handler(CommandHandler(name, bound(handler), filters=messages))
    application.add_handler(CallbackQueryHandler(bound(presses.pressed)))
    application.add_handler(
        MessageHandler(messages & ~filters.StatusUpdate.ALL, bound(pictures.arrived))
    )
    application.add_error_handler(failed)
