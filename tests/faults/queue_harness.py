"""A queue for tests to break: a Valkey of its own, a store, checks, workers to kill."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import redis
from PIL import Image

from tests.faults.stub_detector import manifest
from unmask.images import Picture
from unmask.queue.check_queue import CheckQueue
from unmask.queue.clients import open_client
from unmask.queue.keys import EVENTS
from unmask.queue.valkey import EmbeddedValkey
from unmask.queue.worker_queue import WorkerQueue
from unmask.report import Check, Door
from unmask.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def picture(number: int, kind: int = 0, side: int = 20) -> bytes:
    """A PNG of its own for each number; ``kind`` says what the stand-in does with it."""
    pixels = np.zeros((side, side, 3), np.uint8)
    if side > 20:
        pixels = np.random.default_rng(number).integers(0, 250, (side, side, 3), np.uint8)
    pixels[0, 0, 0] = kind
    pixels[0, 1, 0] = number % 256
    pixels[1, 0] = (number >> 16 & 255, number >> 8 & 255, number & 255)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


def as_picture(data: bytes) -> Picture:
    """``data`` as a picture that passed the gates, whatever it is."""
    digest = hashlib.sha256(data).hexdigest()
    return Picture(data, sha256=digest, format="PNG", width=20, height=20, warnings=())


class QueueHarness:
    """What a test needs; made by :func:`queue_harness`."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.settings = Settings(
            **{"data": folder, "model": manifest(folder), "redis_url": None} | settings
        )
        self.valkey = EmbeddedValkey(folder)
        self.log = folder / "examined"
        self.log.touch()
        self.workers: list[subprocess.Popen[bytes]] = []
        self.checks: CheckQueue

    @property
    def client(self) -> redis.Redis:
        return open_client(self.valkey.url)

    @property
    def queue(self) -> WorkerQueue:
        return WorkerQueue(self.client)

    def worker(self, **options: Any) -> subprocess.Popen[bytes]:
        """Start a worker around the stand-in."""
        options = {"log": str(self.log)} | options
        command = [sys.executable, "-m", "tests.faults.stub_detector", json.dumps(options)]
        return self._spawn(command)

    def real_worker(self, model: Path) -> subprocess.Popen[bytes]:
        """Start ``python -m worker`` with another manifest."""
        return self._spawn([sys.executable, "-m", "worker"], UNMASK_MODEL=str(model))

    def _spawn(self, command: list[str], **more: str) -> subprocess.Popen[bytes]:
        settings = {
            f"UNMASK_{name.upper()}": str(value)
            for name, value in self.settings.model_dump(exclude_none=True).items()
        }
        errors = (self.log.parent / "workers.log").open("ab")
        process = subprocess.Popen(
            command, cwd=ROOT, env=_environment() | settings | more, stderr=errors
        )
        errors.close()
        self.workers.append(process)
        return process

    async def submit(self, *pictures: bytes, **about: Any) -> list[Check]:
        about = {"door": Door.WEB} | about
        return [await self.checks.submit(as_picture(data), **about) for data in pictures]

    async def ends(self, checks: Iterable[Check], timeout: float) -> list[Check]:
        """Every check once it has ended; fails if one does not in time."""
        ended = await asyncio.gather(*(self.checks.wait(check.id, timeout) for check in checks))
        late = [check for check in ended if check is None or not check.ended]
        assert not late, f"{len(late)} of {len(ended)} did not end, such as {late[0]}"
        return [check for check in ended if check]

    async def until(self, holds: Callable[[], Awaitable[bool]], timeout: float = 20) -> None:
        """Wait for a condition of the test's own."""
        deadline = time.monotonic() + timeout
        while not await holds():
            assert time.monotonic() < deadline, "the condition did not come true in time"
            await asyncio.sleep(0.02)

    def batches(self) -> list[tuple[int, list[str]]]:
        """Process id and sha256s of each batch that a stand-in began."""
        return [tuple(json.loads(line)) for line in self.log.read_text().splitlines()]

    def deliveries(self) -> Counter[str]:
        """How often each picture was examined."""
        return Counter(sha256 for _, batch in self.batches() for sha256 in batch)

    def clear(self) -> None:
        for worker in self.workers:
            with contextlib.suppress(ProcessLookupError):
                worker.kill()
            worker.wait(60)
        self.valkey.stop()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "REDIS_URL"}


@contextlib.asynccontextmanager
async def queue_harness(folder: Path, **settings: Any) -> AsyncIterator[QueueHarness]:
    """A queue whose processes end with it."""
    made = QueueHarness(folder, **settings)
    try:
        made.checks = await CheckQueue.connect(made.settings)
        try:
            yield made
        finally:
            await made.checks.close()
    finally:
        made.clear()


@contextlib.asynccontextmanager
async def listening(harness: QueueHarness) -> AsyncIterator[Counter[str]]:
    """Counts the ends that are published for each job, over a connection of its own."""
    ends: Counter[str] = Counter()
    stop = asyncio.Event()
    ready = asyncio.Event()

    def hear() -> None:
        while not stop.is_set():
            with contextlib.suppress(redis.RedisError, OSError), harness.client as client:
                pubsub = client.pubsub()
                pubsub.subscribe(EVENTS)
                loop.call_soon_threadsafe(ready.set)
                while not stop.is_set():
                    message = pubsub.get_message(timeout=0.1)
                    if message and message["type"] == "message":
                        event = json.loads(message["data"])
                        ends[event["work"]] += event.get("state") in ("done", "failed")
            time.sleep(0.02)

    loop = asyncio.get_running_loop()
    thread = asyncio.create_task(asyncio.to_thread(hear))
    await ready.wait()
    try:
        yield ends
    finally:
        await asyncio.sleep(0.2)
        stop.set()
        await thread


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9, and wait for the end."""
    process.send_signal(signal.SIGKILL)
    process.wait(60)
