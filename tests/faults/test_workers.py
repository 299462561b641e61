"""Workers die, stop and meet pictures that kill: each check ends once, with a result or a code."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from pathlib import Path

import pytest

from tests.faults.queue_harness import QueueHarness, kill, listening, picture, queue_harness
from tests.faults.stub_detector import DAMAGED, POISON, RAISES, SLOW
from unmask.report import State

#: The longest that a dead worker's job may wait to be taken up again, in seconds.
PROMISE = 15

pytestmark = pytest.mark.anyio


async def test_killed_before_a_batch(tmp_path: Path) -> None:
    """A worker dies between taking jobs and entering them anywhere."""
    async with queue_harness(tmp_path) as harness, listening(harness) as ends:
        checks = await harness.submit(*(picture(n) for n in range(8)))
        # Just what a worker has done to Redis at that moment, and then never more.
        assert len(harness.queue.take(["shared"], 5)) == 5
        harness.worker()
        done = await harness.ends(checks, PROMISE)
        assert {check.state for check in done} == {State.DONE}
    assert set(ends.values()) == {1} and len(ends) == 8


async def test_killed_during_a_batch(tmp_path: Path) -> None:
    async with queue_harness(tmp_path) as harness, listening(harness) as ends:
        checks = await harness.submit(*(picture(n) for n in range(8)))
        first = harness.worker(seconds=60)
        await harness.until(lambda: _examined(harness, 1))
        kill(first)
        harness.worker()
        done = await harness.ends(checks, PROMISE)
        assert {check.state for check in done} == {State.DONE}
        assert set(harness.deliveries().values()) == {2}
    assert set(ends.values()) == {1} and len(ends) == 8


async def test_killed_after_a_batch(tmp_path: Path) -> None:
    """The model is done and the first results are told; the rest of the batch is not."""
    async with queue_harness(tmp_path) as harness, listening(harness) as ends:
        slow = [picture(n, SLOW) for n in range(1, 8)]
        checks = await harness.submit(picture(0), *slow)
        first = harness.worker(drawing=60)
        await harness.checks.wait(checks[0].id, 20)
        kill(first)
        harness.worker()
        done = await harness.ends(checks, PROMISE)
        assert {check.state for check in done} == {State.DONE}
        assert all(check.report is not None for check in done)
        assert harness.deliveries()[checks[0].sha256] == 1
    assert set(ends.values()) == {1} and len(ends) == 8


async def test_terminated_mid_batch(tmp_path: Path) -> None:
    """SIGTERM: the batch in hand is finished and the rest is left to others."""
    async with queue_harness(tmp_path) as harness, listening(harness) as ends:
        checks = await harness.submit(*(picture(n) for n in range(12)))
        first = harness.worker(seconds=1.5)
        await harness.until(lambda: _examined(harness, 1))
        first.send_signal(signal.SIGTERM)
        first.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(first.wait, 20) == 0
        states = [(await harness.checks.get(check.id)).state for check in checks]  # type: ignore[union-attr]
        assert states == [State.DONE] * 8 + [State.QUEUED] * 4
        assert (await harness.checks.stats()).workers == 0
        harness.worker()
        await harness.ends(checks, PROMISE)
        assert set(harness.deliveries().values()) == {1}
    assert set(ends.values()) == {1} and len(ends) == 12


async def test_an_idle_worker_stops_at_once(tmp_path: Path) -> None:
    async with queue_harness(tmp_path) as harness:
        worker = harness.worker()
        await harness.ends(await harness.submit(picture(1)), 20)
        await asyncio.sleep(0.2)
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 5) == 0


async def test_poison_picture(tmp_path: Path) -> None:
    """It ends three workers and is given up; those that shared its batch are done."""
    async with queue_harness(tmp_path) as harness, listening(harness) as ends:
        poison, *others = await harness.submit(
            picture(0, POISON), *(picture(n) for n in range(1, 8))
        )
        deaths = 0
        ended = asyncio.create_task(harness.ends([poison, *others], 75))
        worker = harness.worker()
        while not ended.done():
            if worker.poll() is not None:
                deaths += 1
                worker = harness.worker()
            await asyncio.sleep(0.02)
        failed, *done = await ended
        assert failed.error is not None and failed.error["code"] == "poison_picture"
        assert {check.state for check in done} == {State.DONE}
        assert deaths == 3
        again = (await harness.submit(picture(0, POISON)))[0]
        assert again.state is State.FAILED, "a second check must not kill three more"
    assert set(ends.values()) == {1} and len(ends) == 8


async def test_one_bad_picture_fails_alone(tmp_path: Path) -> None:
    async with queue_harness(tmp_path) as harness:
        bad = [picture(1, RAISES), picture(2, DAMAGED), b"not a picture at all"]
        checks = await harness.submit(*bad, *(picture(n) for n in range(3, 8)))
        harness.worker()
        ended = await harness.ends(checks, 20)
        codes = [check.error and check.error["code"] for check in ended]
        assert codes == ["internal", "damaged", "not_a_picture"] + [None] * 5


async def test_a_hung_batch_ends_its_worker(tmp_path: Path) -> None:
    async with queue_harness(tmp_path, job_timeout=1) as harness:
        (check,) = await harness.submit(picture(1))
        hung = harness.worker(seconds=60)
        assert await asyncio.to_thread(hung.wait, 20) == 70
        harness.worker()
        assert (await harness.ends([check], PROMISE))[0].state is State.DONE


async def _examined(harness: QueueHarness, batches: int) -> bool:
    return len(harness.batches()) >= batches


def test_pictures_differ() -> None:
    assert len({hashlib.sha256(picture(n)).hexdigest() for n in range(1000)}) == 1000
