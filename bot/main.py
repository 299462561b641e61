"""Runs the bot: ready when pictures are taken, gone in order when told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from telegram import Bot
from telegram.error import InvalidToken, TelegramError

from bot.app import add_handlers, make_application
from bot.context import Services
from bot.replies.commands import set_menu
from bot.services import make_services
from bot.state.limits import Limits
from bot.state.redis_keys import Keys
from bot.transport import webhook
from bot.transport.dispatch import Dispatch
from bot.transport.leader import Beat
from bot.transport.polling import UPDATES, poll
from bot.transport.token import TokenError, bot_id, derived, token_of
from unmask.errors import Exit, SettingsError, UnmaskError
from unmask.fetch import Fetcher
from unmask.logs import log_json, redacted
from unmask.queue import CheckQueue
from unmask.queue.clients import open_async_client, redis_url
from unmask.settings import Settings

_log = logging.getLogger(__name__)
#: Seconds that handlers at work have when the bot stops.
GRACE = 5.0
#: Seconds that the start waits for the list of commands to be set.
_MENU_SECONDS = 5.0


class LostError(Exception):
    """Another process took over as this bot."""


@dataclass(frozen=True)
class _Parts:
    services: Services
    dispatch: Dispatch
    beat: Beat


def serve(settings: Settings, fetcher: Fetcher | None = None) -> int:
    """Run until SIGTERM or SIGINT; the exit status."""
    secret = settings.bot_webhook_secret
    try:
        token = token_of(settings)
        log_json(token, secret.get_secret_value() if secret else "")
        asyncio.run(_until_signal(settings, fetcher))
    except (TokenError, webhook.BadWebhookError, SettingsError, InvalidToken) as error:
        said = "Telegram does not know this token." if isinstance(error, InvalidToken) else error
        sys.stderr.write(f"unmask bot: {said}\n")
        return Exit.MISCONFIGURED
    except (UnmaskError, LostError, OSError, TelegramError) as error:
        sys.stderr.write(f"unmask bot: {redacted(str(error), token)}\n")
        return Exit.SOME_FAILED
    return Exit.DONE


async def run(settings: Settings, stop: asyncio.Event, fetcher: Fetcher | None = None) -> None:
    """Serve until ``stop`` is set; prints ``ready @NAME`` once pictures are taken.

    Raises :class:`TokenError`, :class:`~bot.transport.webhook.BadWebhookError`,
    :class:`SettingsError`, ``InvalidToken``, :class:`UnmaskError` when the queue is not there,
    OSError when the webhook's port is taken.
    """
    token = token_of(settings)
    path = webhook.checked_path(settings.bot_webhook, token) if settings.bot_webhook else ""
    async with _parts(settings, token, fetcher) as parts:
        if not await _unless(stop, parts.beat.take()):
            return
        kept = asyncio.create_task(parts.beat.keep(), name="beat")
        try:
            await parts.services.pipeline.resume()
            await parts.dispatch.resume()
            async with _updates(settings, token, path, parts) as (source, address):
                menu = asyncio.create_task(_menu(parts.services.bot), name="menu")
                await asyncio.wait([menu], timeout=_MENU_SECONDS)
                name = parts.services.bot.username
                sys.stdout.write(" ".join(filter(None, ["ready", f"@{name}", address])) + "\n")
                sys.stdout.flush()
                await _until(stop, source, kept)
                menu.cancel()
        finally:
            await _stop(parts, kept)


@contextlib.asynccontextmanager
async def _parts(settings: Settings, token: str, fetcher: Fetcher | None) -> AsyncIterator[_Parts]:
    """All parts, connected; closed in turn."""
    url = await asyncio.to_thread(redis_url, settings)
    number = bot_id(token)
    keys = Keys(number)
    async with contextlib.AsyncExitStack() as stack:
        checks = await CheckQueue.connect(settings.model_copy(update={"redis_url": url}))
        stack.push_async_callback(checks.close)
        redis = open_async_client(url)
        stack.push_async_callback(redis.aclose)
        limits = Limits(redis, url, number, settings)
        stack.push_async_callback(limits.close)
        fetcher = fetcher or Fetcher(settings.max_bytes, settings.fetch_seconds)
        stack.push_async_callback(fetcher.close)
        application = make_application(settings, token)
        services = make_services(
            settings=settings,
            bot=application.bot,
            checks=checks,
            fetcher=fetcher,
            redis=redis,
            limits=limits,
            keys=keys,
            owner_key=derived(token, "unmask feedback"),
        )
        add_handlers(application, services)
        await application.initialize()
        stack.push_async_callback(application.shutdown)
        dispatch = Dispatch(application, services.inbox)
        yield _Parts(services, dispatch, Beat(redis, keys))


@contextlib.asynccontextmanager
async def _updates(
    settings: Settings, token: str, path: str, parts: _Parts
) -> AsyncIterator[tuple[asyncio.Task[None] | None, str]]:
    """Updates come in, by asking or by webhook: the task that asks, or the address listened on."""
    bot = parts.services.bot
    if not path:
        await bot.delete_webhook(drop_pending_updates=False)
        task = asyncio.create_task(poll(bot, parts.dispatch), name="polling")
        try:
            yield task, ""
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return
    given = settings.bot_webhook_secret
    secret = given.get_secret_value() if given else derived(token, "unmask webhook")
    runner = web.AppRunner(
        webhook.webhook_app(path, secret, parts.dispatch), access_log=None, shutdown_timeout=GRACE
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.bot_host, settings.bot_port).start()
        await bot.set_webhook(settings.bot_webhook, secret_token=secret, allowed_updates=UPDATES)
        host, port = runner.addresses[0][:2]
        yield None, f"http://{f'[{host}]' if ':' in host else host}:{port}"
    finally:
        await runner.cleanup()


async def _menu(bot: Bot) -> None:
    """Telegram limits how often that may be done; a bot without it works all the same."""
    try:
        await set_menu(bot)
    except TelegramError as error:
        _log.warning("the list of commands was not set", extra={"why": str(error)})


async def _unless(stop: asyncio.Event, step: Coroutine[Any, Any, None]) -> bool:
    """Do a step that may take long, or leave it when ``stop`` is set; whether it was done."""
    doing, stopping = asyncio.create_task(step), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)
    if doing.cancelled():
        return False
    doing.result()
    return True


async def _until(
    stop: asyncio.Event, source: asyncio.Task[None] | None, kept: asyncio.Task[None]
) -> None:
    """Wait for the stop; raises what the polling ended with, or :class:`LostError`."""
    stopping = asyncio.create_task(stop.wait())
    watched = {task for task in (stopping, source, kept) if task is not None}
    try:
        done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    for task in done:
        task.result()
    if kept in done:
        raise LostError("Another process took over as this bot.")


async def _stop(parts: _Parts, kept: asyncio.Task[None]) -> None:
    """What is just leaving may arrive; the rest waits in Redis for the next start."""
    await parts.dispatch.close(GRACE)
    await parts.services.pipeline.close()
    kept.cancel()
    await asyncio.gather(kept, return_exceptions=True)
    with contextlib.suppress(UnmaskError):
        await parts.beat.release()


async def _until_signal(settings: Settings, fetcher: Fetcher | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def told() -> None:
        stop.set()
        for number in numbers:  # a second signal ends it at once; nothing is lost by that
            loop.remove_signal_handler(number)

    for number in numbers:
        loop.add_signal_handler(number, told)
    await run(settings, stop, fetcher)
