"""How many workers a crowd of callers needs: a simulation, checked against the real service.

    python -m benchmarks.scale [--check]

The queue is simulated event by event: pictures arrive, the worker that has been idle longest takes
all that wait, up to a batch, and is busy for the times that :mod:`benchmarks.shapes` measured.
``--check`` runs the real queue with one, two and four workers that sleep for a known time, and
holds the waits that it reports against those of the simulation with the same arrivals.
A general library of simulations (simpy) would be a generator for each worker; the queue of equal
workers needs a heap of the times at which they are free.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.queue_load import sleeping, small_picture, until_alive, valkey
from benchmarks.service import RESULTS, made
from benchmarks.shapes import RESULT as SHAPES
from unmask.images import open_picture
from unmask.queue.check_queue import CheckQueue
from unmask.report import Door, State
from unmask.settings import Settings

RESULT = RESULTS / "scale.json"
BATCH = 8
#: A news event: the rate of checks rises to its peak within minutes and falls for the rest of the
#: hours, as attention does. Seconds.
HOURS, BEGIN, RISE, FALL = 3 * 3600.0, 1800.0, 120.0, 1800.0
#: The rate before the event, as a share of that at the peak.
CALM = 0.05
#: Checks a second at the peak, by who asks.
CROWDS = {"team": 0.2, "newsroom": 3.0, "country": 100.0, "continent": 600.0}
#: What a newsroom sends, by the shapes that were measured.
MIX = {
    "4000 x 3000, one face": 0.4,
    "1600 x 1200, one face": 0.3,
    "1600 x 1200, eight faces": 0.1,
    "1600 x 1200, no face": 0.15,
    "4000 x 3000, no face": 0.05,
}
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
#: Beyond this 95 of 100 waits are no longer those of a service that answers at once. Seconds.
SOON = 5.0
#: What an hour of one core costs, in dollars: an assumption, to be multiplied.
CORE_HOUR = 0.04
#: The check against the real service: seconds of a batch, and of each picture in it.
SLEEPS = 0.6, 0.4
CHECKED = (1, 2, 4)
CHECKED_LOAD, CHECKED_SECONDS = 0.7, 60.0
#: Checks one after the other that tell what a batch takes beside its sleep.
ALONE = 7


#: Seconds that the pictures from one number to another take in one batch.
Seconds = Callable[[int, int], float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="run the real service, too")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    known = json.loads(options.out.read_text()) if options.out.exists() else {}
    if options.check or "against the real service" not in known:
        known["against the real service"] = [checked(workers) for workers in CHECKED]
    shapes = json.loads(SHAPES.read_text())
    times = {name: shapes[name]["cpu_seconds"] for name in MIX}
    known["assumed"] = {
        "at the peak, checks a second": CROWDS,
        "pictures": MIX,
        "before it, of the peak": CALM,
        "dollars a core-hour": CORE_HOUR,
        "soon, seconds": SOON,
    }
    known["crowds"] = {name: crowd(rate, times) for name, rate in CROWDS.items()}
    options.out.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(options.out.read_text(encoding="utf-8"))


# The simulation


def waits(arrivals: Sequence[float], workers: int, seconds: Seconds) -> list[float]:
    """How long each picture waits until a worker takes it."""
    free = [0.0] * workers
    waited: list[float] = []
    first = 0
    while first < len(arrivals):
        start = max(heapq.heappop(free), arrivals[first])
        end = first + 1
        while end < len(arrivals) and end - first < BATCH and arrivals[end] <= start:
            end += 1
        waited += [start - arrival for arrival in arrivals[first:end]]
        heapq.heappush(free, start + seconds(first, end))
        first = end
    return waited


def event(peak: float, random: np.random.Generator) -> Iterator[float]:
    """The times at which checks arrive around a news event of so many a second at its peak:
    a Poisson process, thinned (Lewis & Shedler 1979)."""
    now = 0.0
    while (now := now + float(random.exponential(1 / peak))) < HOURS:
        since = now - BEGIN
        rise = 1 / (1 + math.exp(-min(since / RISE * 4, 50.0))) if since > -RISE * 4 else 0.0
        rate = CALM + (1 - CALM) * rise * math.exp(-max(since, 0.0) / FALL)
        if random.random() < rate:
            yield now


def crowd(peak: float, times: Mapping[str, float]) -> dict[str, Any]:
    """The waits of an event by the number of workers, and the least that answer soon."""
    random = np.random.default_rng(1)
    arrivals = list(event(peak, random))
    mean = sum(times[name] * share for name, share in MIX.items())
    kinds = random.choice([times[name] for name in MIX], len(arrivals), p=list(MIX.values()))
    passed = np.concatenate([[0.0], np.cumsum(kinds)]).tolist()

    def seconds(first: int, end: int) -> float:
        return float(passed[end] - passed[first])

    table = {}
    for workers in (number for number in WORKERS if number >= peak * mean / 3):
        waited = np.array(waits(arrivals, workers, seconds))
        table[str(workers)] = {
            "p50_seconds": round(float(np.quantile(waited, 0.5)), 2),
            "p95_seconds": round(float(np.quantile(waited, 0.95)), 2),
            "longest_seconds": round(float(waited.max()), 2),
        }
        if np.quantile(waited, 0.95) < 0.1:
            break
    core_hours = mean * 1e6 / 3600
    return {
        "checks": len(arrivals),
        "seconds a check": round(mean, 3),
        "workers": table,
        "least workers": least(arrivals, seconds),
        "a million checks": {
            "core_hours": round(core_hours),
            "dollars": round(core_hours * CORE_HOUR, 2),
        },
    }


def least(arrivals: Sequence[float], seconds: Seconds) -> int:
    """The least number of workers with which 95 of 100 pictures wait less than SOON."""
    low, high = 0, 1
    while not is_soon(arrivals, high, seconds):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_soon(arrivals, middle, seconds) else (middle, high)
    return high


def is_soon(arrivals: Sequence[float], workers: int, seconds: Seconds) -> bool:
    """Whether 95 of 100 pictures wait less than SOON."""
    return float(np.quantile(waits(arrivals, workers, seconds), 0.95)) < SOON


# The real service


def checked(workers: int) -> dict[str, Any]:
    """The waits that the real queue reports, beside those that the simulation foretells."""
    rate = CHECKED_LOAD * workers / (sum(SLEEPS) * 0.75)
    random = np.random.default_rng(workers)
    count = round(rate * CHECKED_SECONDS)
    plan = np.cumsum(random.exponential(1 / rate, count))
    with tempfile.TemporaryDirectory(prefix="unmask-bench-") as folder:
        settings = Settings(data=made(Path(folder) / "data"))
        with valkey(settings) as client, ExitStack() as stack:
            for number in range(workers):
                stack.enter_context(sleeping(settings, f"worker-{number}", *SLEEPS))
            until_alive(client, workers)
            measured = asyncio.run(sent(settings, plan.tolist()))
    arrivals, batch = measured.arrivals, SLEEPS[0] + measured.overhead
    foretold = waits(arrivals, workers, lambda first, end: batch + SLEEPS[1] * (end - first))
    return {
        "workers": workers,
        "checks": count,
        "overhead_seconds": round(measured.overhead, 3),
        "measured": in_short(measured.waits),
        "foretold": in_short(foretold),
    }


def in_short(waited: Sequence[float]) -> dict[str, float]:
    """The mean and the 95th percentile, in seconds."""
    return {
        "mean_seconds": round(float(np.mean(waited)), 2),
        "p95_seconds": round(float(np.quantile(waited, 0.95)), 2),
    }


@dataclass(frozen=True)
class Measured:
    """When checks arrived and how long each waited, by the real queue, in seconds; ``overhead`` is
    what a batch takes beside its sleep."""

    arrivals: list[float]
    waits: list[float]
    overhead: float


async def sent(settings: Settings, plan: Sequence[float]) -> Measured:
    """Submit a picture at each time of the plan, after some one by one."""
    queue = await CheckQueue.connect(settings)

    async def one() -> tuple[float, float, float]:
        check = await queue.submit(open_picture(small_picture(), settings), door=Door.API)
        ended = await queue.wait(check.id, 300)
        if ended is None or ended.state is not State.DONE or ended.report is None:
            raise RuntimeError(f"a check did not end: {ended}")
        created = check.created.timestamp()
        wait = ended.report.timings_ms.queue / 1000
        return created, wait, time.time() - created - wait - sum(SLEEPS)

    async def later(at: float) -> tuple[float, float, float]:
        await asyncio.sleep(max(begin + at - time.time(), 0))
        return await one()

    try:
        overheads = [(await one())[2] for _ in range(ALONE)]
        begin = time.time()
        checks = sorted(await asyncio.gather(*(later(at) for at in plan)))
    finally:
        await queue.close()
    return Measured(
        [created - begin for created, _, _ in checks],
        [wait for _, wait, _ in checks],
        float(np.median(overheads)),
    )


if __name__ == "__main__":
    main()
