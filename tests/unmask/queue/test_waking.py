"""An arrival wakes one idle worker, not all; while more is waiting, that one wakes the next."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.queue_harness import QueueHarness
from tests.unmask.queue.test_full import refuse_writes
from unmask.queue.keys import SHARED
from unmask.queue.worker_queue import WorkerQueue

pytestmark = pytest.mark.anyio

POOLS = (SHARED,)
#: Longer than a test takes.
LONG = 20.0


class Idle:
    """Workers of some pools that wait, each in a thread and with a connection of its own."""

    def __init__(self, harness: QueueHarness, count: int, pools: tuple[str, ...] = POOLS) -> None:
        self._threads = ThreadPoolExecutor(count)
        self._waits = [
            self._threads.submit(WorkerQueue(harness.client).await_arrival, pools, LONG)
            for _ in range(count)
        ]

    @property
    def woken(self) -> int:
        return sum(wait.done() for wait in self._waits)

    async def become(self, woken: int) -> None:
        while self.woken < woken:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # for one too many

    async def end(self, harness: QueueHarness) -> None:
        """Wake those that still wait."""
        while self.woken < len(self._waits):
            harness.client.xadd("unmask:arrivals", {"job": "1"})
            await asyncio.sleep(0.01)
        self._threads.shutdown()
        for wait in self._waits:
            wait.result()


async def waiting(harness: QueueHarness, count: int) -> None:
    """Return once so many clients block."""
    while blocked_now(harness) < count:
        await asyncio.sleep(0.01)


def blocked_now(harness: QueueHarness) -> int:
    return int(harness.client.info("clients")["blocked_clients"])


async def test_an_arrival_wakes_one_worker_of_each_set_of_pools(harness: QueueHarness) -> None:
    others = blocked_now(harness)
    shared, team = Idle(harness, 4), Idle(harness, 2, ("team", SHARED))
    await waiting(harness, others + 6)
    await harness.submit(b"a")
    await shared.become(1)
    await team.become(1)
    assert (shared.woken, team.woken) == (1, 1)
    await shared.end(harness)
    await team.end(harness)


async def test_a_worker_wakes_the_next_while_more_waits(harness: QueueHarness) -> None:
    for data in (b"a", b"b", b"c"):
        await harness.submit(data)
    WorkerQueue(harness.client).await_arrival(POOLS, LONG)  # what arrived so far
    others = blocked_now(harness)
    idle = Idle(harness, 4)
    await waiting(harness, others + 4)
    assert len(harness.queue.take(POOLS, 2)) == 2
    await idle.become(1)
    assert idle.woken == 1
    assert len(harness.queue.take(POOLS, 2)) == 1  # nothing is left, nobody more is needed
    await asyncio.sleep(0.2)
    assert idle.woken == 1
    await idle.end(harness)


async def test_what_arrived_before_a_worker_waits_wakes_it(harness: QueueHarness) -> None:
    assert harness.queue.take(POOLS, 8) == []
    await harness.submit(b"a")
    async with asyncio.timeout(LONG / 2):
        await asyncio.to_thread(harness.queue.await_arrival, POOLS, LONG)


async def test_a_worker_waits_while_redis_takes_no_writes(harness: QueueHarness) -> None:
    refuse_writes(harness)
    harness.queue.await_arrival(POOLS, 0.1)  # raises nothing
    refuse_writes(harness, False)
    others = blocked_now(harness)
    idle = Idle(harness, 2)
    await waiting(harness, others + 2)
    await harness.submit(b"a")
    await idle.become(1)
    assert idle.woken == 1
    await idle.end(harness)
