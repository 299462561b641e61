"""Events, lists, and the queue of itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.faults.queue_harness import Stage
from tests.unmask.queue.scripted_worker import _all, finish, run, take
from unmask.errors import UnmaskError
from unmask.queue import Order
from unmask.report import State, Verdict

# ---- events

pytestmark = pytest.mark.timeout(60)


def test_each_change_comes_once_and_in_order(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        (check,) = await on.submit(b"a")
        seen: list[list[State]] = [[] for _ in range(50)]

        async def follow(states: list[State]) -> None:
            async for found in on.checks.events(check.id):
                states.append(found.state)

        async def all_listen() -> bool:
            return all(seen)

        followers = [asyncio.create_task(follow(states)) for states in seen]
        await on.until(all_listen)
        (job_id,) = take(on)
        finish(on, job_id)
        on.queue.fail(job_id, UnmaskError("damaged", "A second end."))
        expected = [State.QUEUED, State.RUNNING, State.DONE]
        await asyncio.gather(*followers)
        assert seen == [expected] * 50
        assert [found.state async for found in on.checks.events(check.id)] == [State.DONE]
        assert (await on.checks.get(check.id)).state is State.DONE  # type: ignore[union-attr]

    run(tmp_path, play)


def test_no_wakeup_is_lost(tmp_path: Path) -> None:
    """Checks end at every moment around the start of a wait."""

    async def play(on: Stage) -> None:
        checks = await on.submit(*(b"%d" % n for n in range(200)))
        taken = take(on, max_jobs=200)

        def end_all() -> None:
            for job_id in taken:
                on.queue.fail(job_id, UnmaskError("damaged", "It is damaged."))

        ending = asyncio.create_task(asyncio.to_thread(end_all))
        for check in checks:
            ended = await on.checks.wait(check.id, 10)
            assert ended is not None and ended.ended
        await ending

    run(tmp_path, play)


def test_a_wait_ends_in_time(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        (check,) = await on.submit(b"a")
        assert await on.checks.wait(check.id, 0.2) == check
        assert await on.checks.wait("0" * 32, 5) is None
        assert await on.checks.wait("nonsense", 5) is None

    run(tmp_path, play)


@pytest.mark.parametrize("seconds", [0, 1e-5, 1e-4, 3e-4, 1e-3])
def test_a_wait_of_no_time_ends_and_tells(tmp_path: Path, seconds: float) -> None:
    async def play(on: Stage) -> None:
        (check,) = await on.submit(b"a")
        assert await asyncio.wait_for(on.checks.wait(check.id, seconds), 5) == check

    run(tmp_path, play)


def test_a_deleted_check_ends_its_events(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        mine, theirs = await on.submit(b"a", b"a")
        following = asyncio.create_task(on.checks.wait(mine.id, 20))
        others = asyncio.create_task(on.checks.wait(theirs.id, 20))
        await asyncio.sleep(0.1)
        assert await on.checks.delete(mine.id)
        assert (await asyncio.wait_for(following, 5)) == mine
        (job_id,) = take(on)
        finish(on, job_id)
        ended = await others
        assert ended is not None and ended.state is State.DONE

    run(tmp_path, play)


# ---- lists


def test_a_teams_list(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        mine = await on.submit(*(b"%d" % n for n in range(25)), team="desk")
        await on.submit(b"elsewhere")
        for number, job_id in enumerate(take(on, max_jobs=20)):
            finish(on, job_id, (number * 7 % 20) / 20)
        listed = await _all(on, "desk", limit=7)
        assert [check.id for check in listed] == [check.id for check in reversed(mine)]
        suspects = await _all(on, "desk", limit=4, order=Order.SUSPICIOUS)
        shown = [-1 if c.fake_probability is None else c.fake_probability for c in suspects]
        assert shown == sorted(shown, reverse=True) and len(shown) == 25
        fakes = await _all(on, "desk", limit=3, verdict=Verdict.FAKE, order="suspicious")
        assert len(fakes) == 10 and {check.verdict for check in fakes} == {Verdict.FAKE}
        queued = await _all(on, "desk", limit=100, state=State.QUEUED)
        assert {check.id for check in queued} == {check.id for check in mine[20:]}
        assert len(await _all(on, None, limit=10)) == 1

    run(tmp_path, play)


def test_a_cursor_may_stand_at_any_probability(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        probabilities = [1.0, 0.1234567890123456, 1e-05, 3.3e-17, 0.0]
        await on.submit(*(b"%d" % n for n in range(len(probabilities) + 1)))
        for job_id, probability in zip(take(on), probabilities, strict=False):
            finish(on, job_id, probability)
        found = await _all(on, None, order="suspicious", limit=1)
        assert [check.fake_probability for check in found] == [*probabilities, None]

    run(tmp_path, play)


@pytest.mark.parametrize(
    "about",
    [
        {"cursor": "x"},
        {"cursor": "1~2"},
        {"cursor": f"1.2.3~{'0' * 32}"},
        {"cursor": f"9e999~{'0' * 32}"},
        {"order": "best"},
        {"team": "No Team"},
        {"team": "a:b"},
    ],
)
def test_a_list_that_cannot_be(tmp_path: Path, about: dict[str, Any]) -> None:
    async def play(on: Stage) -> None:
        with pytest.raises(UnmaskError) as refused:
            await on.checks.list(**about)
        assert refused.value.code == "bad_request"

    run(tmp_path, play)
