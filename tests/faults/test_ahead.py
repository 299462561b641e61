"""A worker that holds two batches, one drawn and one with the model: neither is lost, and each
check ends once."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from rq import Queue
from rq.serializers import JSONSerializer

from tests.faults.queue_harness import QueueHarness, kill, listening, picture, queue_harness
from tests.faults.stub_detector import SLOW
from unmask.queue.clients import open_client
from unmask.report import Check, State

#: The longest that a dead worker's job may wait to be taken up again, in seconds.
PROMISE = 15
#: Batches of two pictures, on two processors wherever the test runs.
TWO = {"batch_size": 2, "threads": 2}

pytestmark = pytest.mark.anyio


async def test_the_next_batch_is_examined_while_one_is_drawn(tmp_path: Path) -> None:
    async with queue_harness(tmp_path, **TWO) as harness:
        checks = await harness.submit(*_slow_first(4))
        harness.worker(drawing=8)
        await harness.until(lambda: _examined(harness, 2))
        assert await _states(harness, checks) == [State.RUNNING] * 4
        with open_client(harness.valkey.url, text=False) as client:
            queue = Queue("unmask-shared-interactive", client, serializer=JSONSerializer)
            assert len(queue.started_job_registry.get_job_ids()) == 4
        await harness.ends(checks, 30)
        assert [len(batch) for _, batch in harness.batches()] == [2, 2]
        assert set(harness.deliveries().values()) == {1}

        async def counted() -> bool:
            counters = (await harness.checks.stats()).counters
            return (counters.get("batches"), counters.get("pictures")) == (2, 4)

        await harness.until(counted)


async def test_no_third_batch_is_taken_while_two_are_in_hand(tmp_path: Path) -> None:
    async with queue_harness(tmp_path, **TWO) as harness:
        checks = await harness.submit(*_slow_first(6))
        harness.worker(drawing=3)
        await harness.until(lambda: _examined(harness, 2))
        (slow, *_), batches = await _states(harness, checks), 2
        while slow is State.RUNNING:
            assert batches == 2
            batches = len(harness.batches())
            slow, *_ = await _states(harness, checks)
        await harness.ends(checks, 30)
        assert [len(batch) for _, batch in harness.batches()] == [2, 2, 2]


async def test_a_device_judges_one_while_one_is_prepared_and_one_drawn(tmp_path: Path) -> None:
    async with queue_harness(tmp_path, **TWO) as harness:
        checks = await harness.submit(*_slow_first(6))
        harness.worker(device=True, drawing=8)
        await harness.until(lambda: _examined(harness, 3))
        assert (await _states(harness, checks))[0] is State.RUNNING
        await harness.ends(checks, 30)
        assert [len(batch) for _, batch in harness.batches()] == [2, 2, 2]
        assert set(harness.deliveries().values()) == {1}


async def test_terminated_with_two_batches_in_hand(tmp_path: Path) -> None:
    """SIGTERM: both are finished and the rest is left to others."""
    async with queue_harness(tmp_path, **TWO) as harness, listening(harness) as ends:
        checks = await harness.submit(*_slow_first(6))
        worker = harness.worker(drawing=3)
        await harness.until(lambda: _examined(harness, 2))
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 30) == 0
        assert await _states(harness, checks) == [State.DONE] * 4 + [State.QUEUED] * 2
        assert (await harness.checks.stats()).workers == 0
        assert not harness.client.zcard("unmask:lease")
        harness.worker()
        await harness.ends(checks, PROMISE)
        assert set(harness.deliveries().values()) == {1}
    assert set(ends.values()) == {1} and len(ends) == 6


async def test_killed_with_two_batches_in_hand(tmp_path: Path) -> None:
    async with queue_harness(tmp_path, **TWO) as harness, listening(harness) as ends:
        checks = await harness.submit(*_slow_first(4))
        worker = harness.worker(drawing=60)
        await harness.until(lambda: _examined(harness, 2))
        kill(worker)
        harness.worker()
        done = await harness.ends(checks, PROMISE)
        assert {check.state for check in done} == {State.DONE}
        assert set(harness.deliveries().values()) == {2}
    assert set(ends.values()) == {1} and len(ends) == 4


async def test_both_batches_keep_their_leases(tmp_path: Path) -> None:
    """For longer than a lease without a heartbeat lasts: no other worker gets their jobs."""
    async with queue_harness(tmp_path, **TWO) as harness:
        checks = await harness.submit(*_slow_first(4))
        harness.worker(drawing=12)
        await harness.until(lambda: _examined(harness, 2))
        harness.worker()
        await harness.ends(checks, 40)
        assert set(harness.deliveries().values()) == {1}


@pytest.mark.parametrize("again", [0, 1], ids=["in hand", "next"])
async def test_a_picture_that_may_have_ended_a_worker_runs_alone(
    tmp_path: Path, again: int
) -> None:
    """No other batch is in hand beside it, which could be blamed for the next end, or be to blame
    for it."""
    async with queue_harness(tmp_path, **TWO) as harness:
        checks = await harness.submit(*_slow_first(2))
        work = str(harness.client.hget(f"unmask:check:{checks[again].id}", "work"))
        harness.client.hset(f"unmask:work:{work}", "taken", 1)
        harness.worker(drawing=2)
        await harness.until(lambda: _examined(harness, 1))
        slow, batches = State.RUNNING, 1
        while slow is State.RUNNING:
            assert batches == 1
            batches = len(harness.batches())
            slow, _ = await _states(harness, checks)
        await harness.ends(checks, 30)
        assert [len(batch) for _, batch in harness.batches()] == [1, 1]


async def test_a_check_deleted_in_the_batch_ahead_leaves_nothing(tmp_path: Path) -> None:
    async with queue_harness(tmp_path, **TWO) as harness:
        checks = await harness.submit(*_slow_first(4))
        worker = harness.worker(drawing=2)
        await harness.until(lambda: _examined(harness, 2))
        mine = checks[3]
        job_id = harness.client.hget(f"unmask:check:{mine.id}", "work")
        assert await harness.checks.delete(mine.id)
        await harness.ends(checks[:3], 20)
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 20) == 0
        assert not list(harness.client.scan_iter(f"*{job_id}*"))
        assert not list((tmp_path / "store").rglob(f"*{job_id}*"))
        assert not list((tmp_path / "store").rglob(f"*{mine.sha256}*"))


def _slow_first(count: int) -> list[bytes]:
    """Pictures of which the first alone takes its time to be drawn."""
    return [picture(0, SLOW), *(picture(n) for n in range(1, count))]


async def _examined(harness: QueueHarness, batches: int) -> bool:
    return len(harness.batches()) >= batches


async def _states(harness: QueueHarness, checks: list[Check]) -> list[State]:
    seen = [await harness.checks.get(check.id) for check in checks]
    return [check.state for check in seen if check is not None]
