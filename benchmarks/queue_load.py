"""What one Valkey carries, by our own pattern of events.

    python -m benchmarks.queue_load [--checks 200]

Workers that do not compute (:mod:`benchmarks.sleeping`) take, begin and end checks that are
submitted and awaited as the server does it. Valkey itself says how many commands that is, and how
much processor time it took: it has one thread, so that the checks a second that it carries follow
from it, on a busy machine too.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import redis
from PIL import Image

from benchmarks.service import RESULTS, made, process
from unmask.images import open_picture
from unmask.queue.check_queue import CheckQueue
from unmask.queue.keys import WORKERS
from unmask.queue.valkey import EmbeddedValkey
from unmask.report import Door, State
from unmask.settings import Settings

RESULT = RESULTS / "queue_load.json"
#: How many callers at one time: batches of one, and full ones.
CALLERS = (1, 64)
#: Idle workers beside the one that works, to see what waiting costs.
IDLE = (0, 8)
IDLE_SECONDS = 6.0
#: Longest that a worker that sleeps may take to begin.
START_SECONDS = 60.0
#: A Valkey that is busy for more of its time lets everybody wait.
MOST_BUSY = 0.5


Cost = dict[str, float]


@dataclass(frozen=True)
class Usage:
    """What Valkey has done so far: commands, those of scripts among them, and CPU seconds; and the
    moment."""

    commands: int
    seconds: float
    at: float

    @classmethod
    def of(cls, client: redis.Redis) -> Usage:
        info: Any = client.info("everything")
        seconds = info["used_cpu_user"] + info["used_cpu_sys"]
        return cls(info["total_commands_processed"], seconds, time.monotonic())

    def since(self, start: Usage, count: float, idle: dict[str, float] | None = None) -> Cost:
        """What one of ``count`` took, without what idle workers took meanwhile."""
        seconds, idle = self.at - start.at, idle or {"commands": 0.0, "cpu_ms": 0.0}
        commands = self.commands - start.commands - idle["commands"] * seconds
        cpu_ms = (self.seconds - start.seconds) * 1000 - idle["cpu_ms"] * seconds
        return {"commands": round(commands / count, 2), "cpu_ms": round(cpu_ms / count, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checks", type=int, default=200)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="unmask-bench-") as folder:
        result = {f"{idle} idle": measure(Path(folder), idle, options.checks) for idle in IDLE}
    result["carried"] = carried(result)
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(options.out.read_text(encoding="utf-8"))


def measure(folder: Path, idle: int, checks: int) -> dict[str, Any]:
    """What a check costs Valkey beside so many idle workers, and what those cost alone."""
    settings = Settings(data=made(folder / f"idle-{idle}"))
    with valkey(settings) as client, ExitStack() as stack:
        for number in range(1 + idle):
            stack.enter_context(sleeping(settings, f"worker-{number}", 0.0, 0.0))
        until_alive(client, 1 + idle)
        start = Usage.of(client)
        time.sleep(IDLE_SECONDS)
        waiting = Usage.of(client).since(start, IDLE_SECONDS)
        alone = {name: round(value / (1 + idle), 3) for name, value in waiting.items()}
        result: dict[str, Any] = {"a worker's idle second": alone}
        for callers in CALLERS:
            start = Usage.of(client)
            asyncio.run(checked(settings, checks, callers))
            result[f"a check, {callers} callers"] = Usage.of(client).since(start, checks, waiting)
    return result


def carried(result: dict[str, Any]) -> dict[str, float]:
    """The checks a second that keep one Valkey busy for MOST_BUSY of its time."""
    return {
        name: round(MOST_BUSY * 1000 / one["cpu_ms"], 0)
        for name, one in result[f"{IDLE[0]} idle"].items()
        if name.startswith("a check")
    }


async def checked(settings: Settings, count: int, callers: int) -> None:
    """Submit so many pictures that nobody has seen, and await each, as the server does."""
    queue = await CheckQueue.connect(settings)
    pictures = iter([small_picture() for _ in range(count)])

    async def call() -> None:
        for data in pictures:
            check = await queue.submit(open_picture(data, settings), door=Door.API)
            ended = await queue.wait(check.id, 120)
            if ended is None or ended.state is not State.DONE:
                raise RuntimeError(f"a check did not end: {ended}")

    try:
        await asyncio.gather(*(call() for _ in range(callers)))
    finally:
        await queue.close()


def small_picture() -> bytes:
    """A PNG of noise."""
    out = io.BytesIO()
    pixels = np.random.default_rng().integers(0, 256, (24, 24, 3), np.uint8)
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


@contextmanager
def valkey(settings: Settings) -> Iterator[redis.Redis]:
    """An embedded Valkey on the folder of the settings; a client of it."""
    server = EmbeddedValkey(settings.data)
    with redis.Redis.from_url(server.ensure(), decode_responses=True) as client:
        try:
            yield client
        finally:
            server.stop()


@contextmanager
def sleeping(settings: Settings, name: str, batch: float, picture: float) -> Iterator[None]:
    """A worker that sleeps in place of the networks."""
    command = [sys.executable, "-m", "benchmarks.sleeping", str(batch), str(picture)]
    url = EmbeddedValkey(settings.data).url
    own = {"UNMASK_DATA": str(settings.data), "UNMASK_REDIS_URL": url}
    with process(*command, data=made(settings.data / name), **own):
        yield


def until_alive(client: redis.Redis, workers: int) -> None:
    """Return once so many workers have sent a heartbeat; raises RuntimeError where they do not."""
    deadline = time.monotonic() + START_SECONDS * workers
    while client.zcard(WORKERS) < workers:  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise RuntimeError("a worker did not start")
        time.sleep(0.1)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
