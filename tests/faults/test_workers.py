"""Workers die, stop and meet pictures that kill: each check ends once, with a result or a code."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import time
from pathlib import Path

import pytest

from tests.faults.queue_harness import Stage, kill, listening, picture, stage
from tests.faults.stub_detector import DAMAGED, POISON, RAISES, SLOW
from unmask.report import State

#: The longest that a dead worker's job may wait to be taken up again, in seconds.
PROMISE = 15

pytestmark = pytest.mark.timeout(90)


def test_killed_before_a_batch(tmp_path: Path) -> None:
    """A worker dies between taking jobs and entering them anywhere."""

    async def play() -> None:
        async with stage(tmp_path) as on, listening(on) as ends:
            checks = await on.submit(*(picture(n) for n in range(8)))
            # Just what a worker has done to Redis at that moment, and then never more.
            assert len(on.queue.take(["shared"], 5)) == 5
            died = time.monotonic()
            on.worker()
            done = await on.ends(checks, PROMISE)
            assert time.monotonic() - died < PROMISE
            assert {check.state for check in done} == {State.DONE}
        assert set(ends.values()) == {1} and len(ends) == 8

    asyncio.run(play())


def test_killed_during_a_batch(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as on, listening(on) as ends:
            checks = await on.submit(*(picture(n) for n in range(8)))
            first = on.worker(seconds=60)
            await on.until(lambda: _examined(on, 1))
            kill(first)
            died = time.monotonic()
            on.worker()
            done = await on.ends(checks, PROMISE)
            assert time.monotonic() - died < PROMISE
            assert {check.state for check in done} == {State.DONE}
            assert set(on.deliveries().values()) == {2}
        assert set(ends.values()) == {1} and len(ends) == 8

    asyncio.run(play())


def test_killed_after_a_batch(tmp_path: Path) -> None:
    """The model is done and the first results are told; the rest of the batch is not."""

    async def play() -> None:
        async with stage(tmp_path) as on, listening(on) as ends:
            slow = [picture(n, SLOW) for n in range(1, 8)]
            checks = await on.submit(picture(0), *slow)
            first = on.worker(drawing=60)
            await on.checks.wait(checks[0].id, 20)
            kill(first)
            on.worker()
            done = await on.ends(checks, PROMISE)
            assert {check.state for check in done} == {State.DONE}
            for check in done:
                assert await on.checks.report(check.id) is not None
            assert on.deliveries()[checks[0].sha256] == 1
        assert set(ends.values()) == {1} and len(ends) == 8

    asyncio.run(play())


def test_terminated_mid_batch(tmp_path: Path) -> None:
    """SIGTERM: the batch in hand is finished and the rest is left to others."""

    async def play() -> None:
        async with stage(tmp_path) as on, listening(on) as ends:
            checks = await on.submit(*(picture(n) for n in range(12)))
            first = on.worker(seconds=1.5)
            await on.until(lambda: _examined(on, 1))
            first.send_signal(signal.SIGTERM)
            first.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(first.wait, 20) == 0
            states = [(await on.checks.get(check.id)).state for check in checks]  # type: ignore[union-attr]
            assert states == [State.DONE] * 8 + [State.QUEUED] * 4
            assert (await on.checks.stats()).workers == 0
            on.worker()
            await on.ends(checks, PROMISE)
            assert set(on.deliveries().values()) == {1}
        assert set(ends.values()) == {1} and len(ends) == 12

    asyncio.run(play())


def test_an_idle_worker_stops_at_once(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as on:
            worker = on.worker()
            await on.ends(await on.submit(picture(1)), 20)
            await asyncio.sleep(0.2)
            start = time.monotonic()
            worker.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(worker.wait, 10) == 0
            assert time.monotonic() - start < 5

    asyncio.run(play())


def test_poison_picture(tmp_path: Path) -> None:
    """It ends three workers and is given up; those that shared its batch are done."""

    async def play() -> None:
        async with stage(tmp_path) as on, listening(on) as ends:
            poison, *others = await on.submit(
                picture(0, POISON), *(picture(n) for n in range(1, 8))
            )
            deaths = 0
            ended = asyncio.create_task(on.ends([poison, *others], 75))
            worker = on.worker()
            while not ended.done():
                if worker.poll() is not None:
                    deaths += 1
                    worker = on.worker()
                await asyncio.sleep(0.02)
            failed, *done = await ended
            assert failed.error is not None and failed.error["code"] == "poison_picture"
            assert {check.state for check in done} == {State.DONE}
            assert deaths == 3
            again = (await on.submit(picture(0, POISON)))[0]
            assert again.state is State.FAILED, "a second check must not kill three more"
        assert set(ends.values()) == {1} and len(ends) == 8

    asyncio.run(play())


def test_one_bad_picture_fails_alone(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path) as on:
            bad = [picture(1, RAISES), picture(2, DAMAGED), b"not a picture at all"]
            checks = await on.submit(*bad, *(picture(n) for n in range(3, 8)))
            on.worker()
            ended = await on.ends(checks, 20)
            codes = [check.error and check.error["code"] for check in ended]
            assert codes == ["internal", "damaged", "not_a_picture"] + [None] * 5

    asyncio.run(play())


def test_a_hung_batch_ends_its_worker(tmp_path: Path) -> None:
    async def play() -> None:
        async with stage(tmp_path, job_timeout=1) as on:
            (check,) = await on.submit(picture(1))
            hung = on.worker(seconds=60)
            assert await asyncio.to_thread(hung.wait, 20) == 70
            on.worker()
            assert (await on.ends([check], PROMISE))[0].state is State.DONE

    asyncio.run(play())


async def _examined(on: Stage, batches: int) -> bool:
    return len(on.batches()) >= batches


def test_pictures_differ() -> None:
    assert len({hashlib.sha256(picture(n)).hexdigest() for n in range(1000)}) == 1000
