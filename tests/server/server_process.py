"""A whole service on loopback for the tests: embedded Valkey, a real worker, a tiny model."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from desk.service import running_desk
from server.app import make_app
from server.protocol import Runner
from unmask.fetch import Fetcher
from unmask.queue.check_queue import CheckQueue
from unmask.queue.heartbeats import worker_alive
from unmask.queue.valkey import EmbeddedValkey
from unmask.settings import Settings

_number = count()


@dataclass(frozen=True)
class Service:
    """Where a running service keeps its data, its model and its queue."""

    data: Path
    model: Path
    redis_url: str

    def settings(self, **more: Any) -> Settings:
        return Settings(data=self.data, model=self.model, redis_url=self.redis_url, **more)

    def environment(self, **more: str) -> dict[str, str]:
        clean = {name: text for name, text in os.environ.items() if not name.startswith("UNMASK_")}
        own = {
            "UNMASK_DATA": str(self.data),
            "UNMASK_MODEL": str(self.model),
            "UNMASK_REDIS_URL": self.redis_url,
            "UNMASK_THREADS": "1",
        }
        return clean | own | more


@contextmanager
def running_service(data: Path, model: Path) -> Iterator[Service]:
    """A Valkey and a worker, until the end of the block; the worker lives when the block begins:
    without one the server is not ready."""
    valkey = EmbeddedValkey(data)
    service = Service(data, model, valkey.ensure())
    worker = subprocess.Popen([sys.executable, "-m", "worker"], env=service.environment())
    try:
        # A thread, for Playwright's own loop may run in this one.
        waiting = threading.Thread(target=lambda: asyncio.run(_until_alive(service, worker.pid)))
        waiting.start()
        waiting.join()
        yield service
    finally:
        worker.terminate()
        worker.wait(60)
        valkey.stop()


async def _until_alive(service: Service, pid: int) -> None:
    async with asyncio.timeout(180):
        while not await worker_alive(service.redis_url, socket.gethostname(), pid):
            await asyncio.sleep(0.1)


class _Server(TestServer):
    """Serves as the server itself does, below the application too."""

    async def _make_runner(self, **options: Any) -> Runner:
        return Runner(self.app, **options)


@asynccontextmanager
async def client_of(
    service: Service, fetcher: Fetcher | None = None, *, with_desk: bool = False, **settings: Any
) -> AsyncIterator[TestClient[Any, Any]]:
    """A client of a server in this process, with these settings; it has a desk if asked for. It
    listens on the port that they name, else on any."""
    chosen = service.settings(**settings)
    checks = await CheckQueue.connect(chosen)
    async with AsyncExitStack() as opened:
        opened.push_async_callback(checks.close)
        desk = None
        if with_desk:
            running = running_desk(chosen, checks, service.redis_url)
            desk = await opened.enter_async_context(running)
        app = make_app(chosen, checks, service.redis_url, fetcher, desk=desk)
        server = _Server(app, port=settings.get("port"))
        yield await opened.enter_async_context(TestClient(server))


@contextmanager
def served_in_thread(
    service: Service, make_fetcher: Callable[[], Fetcher] | None = None, **settings: Any
) -> Iterator[str]:
    """A server in a thread of its own, for tests that block; its URL. It finds no host by name."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, str]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        fetcher = make_fetcher() if make_fetcher else Fetcher(10**6, 1.0, lookup=lambda _: [])
        async with client_of(service, fetcher, **settings) as client:
            started.set_result((asyncio.get_running_loop(), stop, str(client.make_url("/"))))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    loop, stop, url = started.result(30)
    try:
        yield url.rstrip("/")
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)


def photo(portrait: np.ndarray[Any, Any], kind: str = "JPEG", **options: Any) -> bytes:
    """The portrait as a file that no other test has sent."""
    pixels = np.array(portrait)
    number = next(_number) + os.getpid() * 1_000
    for bit in range(24):
        pixels[:8, bit * 8 : bit * 8 + 8] = 255 if number >> bit & 1 else 0
    out = BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def blank() -> bytes:
    """A small picture without a face that no other test has sent."""
    number = next(_number) + os.getpid() * 1_000
    out = BytesIO()
    Image.new("RGB", (24, 24), (number & 255, number >> 8 & 255, number >> 16 & 255)).save(
        out, "PNG"
    )
    return out.getvalue()
