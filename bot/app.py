"""Puts the Application of python-telegram-bot together: token, pace, handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

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

from bot.context import Services, Turn, turn_of
from bot.handlers import block, callbacks, delete, errors, gate, language, pictures, privacy, stats
from bot.handlers import start as greeting
from bot.transport.rate_limiter import Pace
from bot.transport.retry import patiently
from unmask.settings import Settings

App = Application[Any, Any, Any, Any, Any, Any]
Context = CallbackContext[Any, Any, Any, Any]
Handler = Callable[[Turn], Awaitable[None]]

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
    """The Application, without handlers; :mod:`bot.transport.dispatch` brings it its updates."""
    api = settings.telegram_api.rstrip("/")
    builder = Application.builder().token(token)
    builder = builder.base_url(f"{api}/bot").base_file_url(f"{api}/file/bot")
    # Who finds no free connection waits for one. More of them make each call slower: the pool
    # looks at all of its connections each time.
    builder = builder.connection_pool_size(16).pool_timeout(60.0)
    # A call that is given up while Telegram is at work on it is made again, and shown twice.
    builder = builder.read_timeout(60.0).write_timeout(30.0).media_write_timeout(120.0)
    paced = builder.rate_limiter(Pace(settings.bot_messages_per_second))
    return paced.updater(None).job_queue(None).build()


def add_handlers(application: App, services: Services) -> None:
    """Tell the Application what to do with updates.

    They are dealt with patiently: one whose handlers are through is written off, come what may.
    """

    async def guard(update: Update, context: Context) -> None:
        if not await patiently(lambda: gate.admits(services, update)):
            raise ApplicationHandlerStop

    async def failed(update: object, context: Context) -> None:
        await errors.failed(services, update, context.error)

    def bound(handler: Handler) -> Callable[[Update, Context], Coroutine[Any, Any, None]]:
        async def call(update: Update, context: Context) -> None:
            turn = await turn_of(services, update)
            if turn is not None:
                await patiently(lambda: handler(turn))
            elif update.callback_query is not None:  # below a message that Telegram forgot
                await update.callback_query.answer()

        return call

    messages = filters.UpdateType.MESSAGE
    application.add_handler(TypeHandler(Update, guard), group=-1)
    for name, handler in _COMMANDS.items():
        application.add_handler(CommandHandler(name, bound(handler), filters=messages))
    application.add_handler(CallbackQueryHandler(bound(callbacks.pressed)))
    application.add_handler(
        MessageHandler(messages & ~filters.StatusUpdate.ALL, bound(pictures.arrived))
    )
    application.add_error_handler(failed)
