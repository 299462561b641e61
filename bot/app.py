"""Builds the Application of python-telegram-bot: token, rate limiter, handlers."""

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

from bot.context import Services, UpdateContext, context_of
from bot.handlers import (
    block,
    callbacks,
    delete,
    errors,
    gate,
    language,
    linking,
    pictures,
    privacy,
    stats,
    team,
    work,
)
from bot.handlers import start as greeting
from bot.transport.rate_limiter import TelegramRateLimiter
from bot.transport.retry import retry_redis
from unmask.settings import Settings

App = Application[Any, Any, Any, Any, Any, Any]
Context = CallbackContext[Any, Any, Any, Any]
Handler = Callable[[UpdateContext], Awaitable[None]]

_COMMANDS: dict[str, Handler] = {
    "start": greeting.start,
    "help": greeting.help_,
    "language": language.ask_language,
    "privacy": privacy.privacy,
    "delete": delete.ask_everything,
    "stats": stats.stats,
    "block": block.block,
    "unblock": block.unblock,
    "check": pictures.receive,
    "send": team.send,
    "case": team.case,
    "link": linking.link,
    "unlink": linking.unlink,
    "team": linking.team,
    "mine": work.mine,
    "next": work.next_,
    "verdict": work.verdict,
}


def make_application(settings: Settings, token: str) -> App:
    """The Application, without handlers; :mod:`bot.transport.dispatch` gives it the updates."""
    api = settings.telegram_api.rstrip("/")
    builder = Application.builder().token(token)
    builder = builder.base_url(f"{api}/bot").base_file_url(f"{api}/file/bot")
    # A call without a free connection waits for one. More connections make each call slower,
    # because the pool looks through all of them.
    builder = builder.connection_pool_size(16).pool_timeout(60.0)
    # If a call times out while Telegram processes it, it is repeated and its message shown twice.
    builder = builder.read_timeout(60.0).write_timeout(30.0).media_write_timeout(120.0)
    limited = builder.rate_limiter(TelegramRateLimiter(settings.bot_messages_per_second))
    return limited.updater(None).job_queue(None).build()


def add_handlers(application: App, services: Services) -> None:
    """Add the handlers to the Application.

    A handler is repeated while Redis is away, because an update leaves the inbox as soon as its
    handler has returned.
    """

    async def guard(update: Update, _: Context) -> None:
        if not await retry_redis(lambda: gate.admits(services, update)):
            raise ApplicationHandlerStop

    async def report_error(update: object, context: Context) -> None:
        await errors.report_error(services, update, context.error)

    def bound(handler: Handler) -> Callable[[Update, Context], Coroutine[Any, Any, None]]:
        async def call(update: Update, _: Context) -> None:
            context = await context_of(services, update)
            if context is not None:
                await retry_redis(lambda: handler(context))
            elif update.callback_query is not None:  # its message is too old for Telegram
                await update.callback_query.answer()

        return call

    messages = filters.UpdateType.MESSAGE
    application.add_handler(TypeHandler(Update, guard), group=-1)
    for name, handler in _COMMANDS.items():
        application.add_handler(CommandHandler(name, bound(handler), filters=messages))
    application.add_handler(CallbackQueryHandler(bound(callbacks.handle_press)))
    application.add_handler(
        MessageHandler(messages & ~filters.StatusUpdate.ALL, bound(pictures.receive))
    )
    application.add_error_handler(report_error)
