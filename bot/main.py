"""Runs the bot: starts all parts, prints that it is ready, and stops them in order."""

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
from telegram.error import InvalidToken, TelegramError

from bot.app import add_handlers, make_application
from bot.context import Services
from bot.digest import DigestSender
from bot.replies.commands import set_menu
from bot.services import make_services
from bot.state.limits import Limits
from bot.state.redis_keys import Keys
from bot.team import TeamDesk
from bot.transport import webhook
from bot.transport.dispatch import Dispatch
from bot.transport.leader import LeaderLock
from bot.transport.polling import UPDATES, poll
from bot.transport.retry import reason_of
from bot.transport.token import TokenError, bot_id, derived, token_of
from unmask.environment import make_files_private
from unmask.errors import Exit, SettingsError, UnmaskError
from unmask.fetch import Fetcher
from unmask.logs import log_json, redacted
from unmask.queue.check_queue import CheckQueue
from unmask.queue.clients import open_async_client, redis_url
from unmask.settings import Settings

_log = logging.getLogger(__name__)
#: Seconds that running handlers have when the bot stops.
GRACE = 5.0
#: Seconds that the start waits for the menu of commands.
_MENU_SECONDS = 5.0


class LeadershipLostError(Exception):
    """Another process took over as this bot."""


@dataclass(frozen=True)
class _Parts:
    services: Services
    dispatch: Dispatch
    leader: LeaderLock
    digest: DigestSender | None


def serve(settings: Settings, fetcher: Fetcher | None = None) -> int:
    """Run until SIGTERM or SIGINT; returns the exit status."""
    try:
        token = token_of(settings)
        secrets = (settings.bot_webhook_secret, settings.bot_desk_key)
        log_json(token, *(secret.get_secret_value() for secret in secrets if secret))
        make_files_private()
        asyncio.run(_until_signal(settings, fetcher))
    except (TokenError, webhook.BadWebhookError, SettingsError, InvalidToken) as error:
        is_revoked = isinstance(error, InvalidToken)
        message = "Telegram does not know this token." if is_revoked else error
        sys.stderr.write(f"unmask bot: {message}\n")
        return Exit.MISCONFIGURED
    except (UnmaskError, LeadershipLostError, OSError, TelegramError) as error:
        sys.stderr.write(f"unmask bot: {redacted(str(error), token)}\n")
        return Exit.SOME_FAILED
    return Exit.DONE


async def run(settings: Settings, stop: asyncio.Event, fetcher: Fetcher | None = None) -> None:
    """Run until ``stop`` is set; prints ``ready @NAME`` when the bot accepts updates.

    Raises :class:`TokenError`, :class:`~bot.transport.webhook.BadWebhookError`,
    :class:`SettingsError`, ``InvalidToken``, :class:`UnmaskError` if the queue cannot be reached,
    OSError if the webhook's port is in use.
    """
    token = token_of(settings)
    path = webhook.webhook_path(settings.bot_webhook, token) if settings.bot_webhook else ""
    async with _parts(settings, token, fetcher) as parts:
        if not await _run_unless(stop, parts.leader.acquire()):
            return
        leading = asyncio.create_task(parts.leader.keep(), name="leader")
        try:
            await parts.services.pipeline.resume()
            await parts.dispatch.resume()
            async with _receiving_updates(settings, token, path, parts) as (source, address):
                menu = asyncio.create_task(_set_menu(parts.services), name="menu")
                await asyncio.wait([menu], timeout=_MENU_SECONDS)
                name = parts.services.bot.username
                sys.stdout.write(" ".join(filter(None, ["ready", f"@{name}", address])) + "\n")
                sys.stdout.flush()
                async with _bringing_digests(parts.digest):
                    await _wait_for_end(stop, source, leading)
                menu.cancel()
        finally:
            await _stop(parts, leading)


@contextlib.asynccontextmanager
async def _parts(settings: Settings, token: str, fetcher: Fetcher | None) -> AsyncIterator[_Parts]:
    """All parts, connected; they are closed in reverse order."""
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
        desk = TeamDesk.of(settings)
        if desk is not None:
            stack.push_async_callback(desk.close)
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
            desk=desk,
        )
        add_handlers(application, services)
        await application.initialize()
        stack.push_async_callback(application.shutdown)
        dispatch = Dispatch(application, services.inbox)
        digest = None
        if desk is not None:
            digest = DigestSender(application.bot, desk, services.access, redis, keys)
        yield _Parts(services, dispatch, LeaderLock(redis, keys), digest)


@contextlib.asynccontextmanager
async def _receiving_updates(
    settings: Settings, token: str, path: str, parts: _Parts
) -> AsyncIterator[tuple[asyncio.Task[None] | None, str]]:
    """Receive updates by polling (yields its task) or by webhook (yields the address)."""
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
    setting = settings.bot_webhook_secret
    secret = setting.get_secret_value() if setting else derived(token, "unmask webhook")
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


@contextlib.asynccontextmanager
async def _bringing_digests(digest: DigestSender | None) -> AsyncIterator[None]:
    """Bring the team's digest while the block is entered, if the bot belongs to a team."""
    task = asyncio.create_task(digest.run(), name="digest") if digest is not None else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _set_menu(services: Services) -> None:
    """Set the menu of commands. Telegram limits how often; the bot works without it too."""
    has_team, named = services.team.desk is not None, services.access.named
    try:
        await set_menu(services.bot, has_team=has_team, chats=sorted(named))
    except TelegramError as error:
        _log.warning("the menu of commands was not set", extra={"why": reason_of(error)})


async def _run_unless(stop: asyncio.Event, step: Coroutine[Any, Any, None]) -> bool:
    """Run a step that may take long, or cancel it when ``stop`` is set; whether it has ended."""
    running, stopping = asyncio.create_task(step), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if not running.done():
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    if running.cancelled():
        return False
    running.result()
    return True


async def _wait_for_end(
    stop: asyncio.Event, source: asyncio.Task[None] | None, leading: asyncio.Task[None]
) -> None:
    """Wait until ``stop`` is set; raises the error of the polling, or
    :class:`LeadershipLostError`."""
    stopping = asyncio.create_task(stop.wait())
    watched = {task for task in (stopping, source, leading) if task is not None}
    try:
        done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    for task in done:
        task.result()
    if leading in done:
        raise LeadershipLostError("Another process took over as this bot.")


async def _stop(parts: _Parts, leading: asyncio.Task[None]) -> None:
    """Stop all parts. Replies that are being sent may arrive; the rest waits in Redis for the next
    start."""
    await parts.dispatch.close(GRACE)
    await parts.services.pipeline.close()
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)
    with contextlib.suppress(UnmaskError):
        await parts.leader.release()


async def _until_signal(settings: Settings, fetcher: Fetcher | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def stop_in_order() -> None:
        stop.set()
        for number in numbers:  # a second signal ends the process at once, and nothing is lost
            loop.remove_signal_handler(number)

    for number in numbers:
        loop.add_signal_handler(number, stop_in_order)
    await run(settings, stop, fetcher)
