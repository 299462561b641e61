"""How long a worker takes to its first check, and ``unmask check`` to its verdict.

    python -m benchmarks.start [--rounds 3]

A check waits in the queue as a worker's process begins; its time ends as the worker takes it. Each
is measured with nothing kept of an earlier start, and with what that kept (in ``engines`` of
UNMASK_DATA); the files of the programme are in the page cache. Told are the least of several
rounds, in seconds of the clock and of the processor. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.queue_load import small_picture, valkey
from benchmarks.service import RESULTS, ROOT, made, photos, process
from unmask.images import open_picture
from unmask.queue.check_queue import CheckQueue
from unmask.queue.valkey import EmbeddedValkey
from unmask.report import Door, State
from unmask.settings import Settings

RESULT = RESULTS / "start.json"
UNMASK = (sys.executable, "-m", "unmask")

Seconds = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    result = {}
    with tempfile.TemporaryDirectory(prefix="unmask-bench-") as name:
        settings = Settings(data=made(Path(name) / "data"))
        picture = Path(name) / "face.jpg"
        picture.write_bytes(next(photos()))
        with valkey(settings):
            for what, one in (
                ("a worker's first check", lambda: first_check(settings)),
                ("unmask check of one photo", lambda: whole_check(settings, picture)),
            ):
                result[what] = both(settings, one, options.rounds)
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(options.out.read_text(encoding="utf-8"))


def both(settings: Settings, one: Callable[[], Seconds], rounds: int) -> dict[str, Seconds]:
    """The least seconds with nothing kept, and with something."""
    cold, warm = [], []
    for _ in range(rounds):
        shutil.rmtree(settings.data / "engines", ignore_errors=True)
        cold.append(one())
        warm.append(one())
    return {"nothing kept": least(cold), "kept": least(warm)}


def least(rounds: list[Seconds]) -> Seconds:
    return {name: round(min(one[name] for one in rounds), 3) for name in rounds[0]}


def first_check(settings: Settings) -> Seconds:
    """From a worker's start to its first check."""
    return asyncio.run(_first_check(settings))


async def _first_check(settings: Settings) -> Seconds:
    queue = await CheckQueue.connect(settings)
    try:
        picture = open_picture(small_picture(), settings)
        check = await queue.submit(picture, door=Door.API)
        own = {"UNMASK_REDIS_URL": EmbeddedValkey(settings.data).url}
        begin = time.perf_counter()
        with process(*UNMASK, "worker", data=settings.data, **own) as running:
            async for one in queue.events(check.id, 120):
                if one.state is not State.QUEUED:
                    break
            return {
                "seconds": time.perf_counter() - begin,
                "cpu_seconds": cpu_seconds(running.pid),
            }
    finally:
        await queue.close()


def cpu_seconds(pid: int) -> float:
    """What a process has taken of the processor so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(value) for value in fields[11:13]) / os.sysconf("SC_CLK_TCK")


def whole_check(settings: Settings, picture: Path) -> Seconds:
    """From the start of ``unmask check`` to its end."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "UNMASK_DATA": str(settings.data)}
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(  # noqa: S603
        [*UNMASK, "check", "--json", str(picture)],
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": seconds, "cpu_seconds": taken}


if __name__ == "__main__":
    main()
