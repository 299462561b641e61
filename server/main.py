"""Runs the server: prints "ready" once it accepts checks, and ends in order on a signal."""

from __future__ import annotations

import asyncio
import signal
import sys

from aiohttp import web

from desk.service import running_desk
from server.app import make_app
from server.process import give_memory_back, raise_file_limit
from server.protocol import Runner
from server.security.policy import Policy, UnsafeSettingsError
from unmask.environment import make_files_private
from unmask.errors import UnmaskError
from unmask.logs import log_json
from unmask.queue.check_queue import CheckQueue
from unmask.queue.clients import redis_url
from unmask.settings import Settings

#: Seconds that requests may take to end after the server was told to stop.
GRACE = 10.0


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; the exit status."""
    log_json()
    raise_file_limit()
    give_memory_back()
    make_files_private()
    try:
        asyncio.run(_until_signal(settings))
    except (UnsafeSettingsError, UnmaskError, OSError) as error:
        sys.stderr.write(f"unmask server: {error}\n")
        return 1
    return 0


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until ``stop`` is set; prints ``ready http://HOST:PORT`` once checks are taken.

    Raises :class:`UnsafeSettingsError`, :class:`UnmaskError` when the queue, the model or the
    desk's database is missing, and OSError when the port is taken.
    """
    Policy.of(settings)  # First, so that unsafe settings start nothing.
    url = await asyncio.to_thread(redis_url, settings)
    checks = await CheckQueue.connect(settings.model_copy(update={"redis_url": url}))
    try:
        async with running_desk(settings, checks, url) as desk:
            app = make_app(settings, checks, url, desk=desk)
            await _serve_app(app, settings, checks, stop)
    finally:
        await checks.close()


async def _serve_app(
    app: web.Application, settings: Settings, checks: CheckQueue, stop: asyncio.Event
) -> None:
    runner = Runner(app, shutdown_timeout=GRACE)
    try:
        await runner.setup()
        site = web.TCPSite(runner, settings.host, settings.port)
        await site.start()
        await _require_queue(checks)
        host, port = runner.addresses[0][:2]
        address = f"[{host}]" if ":" in host else host
        sys.stdout.write(f"ready http://{address}:{port}\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await runner.cleanup()


async def _require_queue(checks: CheckQueue) -> None:
    if not await checks.ping():
        raise UnmaskError("queue_unavailable", "The queue does not answer.")


async def _until_signal(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(settings, stop)
