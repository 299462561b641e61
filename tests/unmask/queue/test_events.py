"""Events, lists, and the queue of itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.faults.queue_harness import QueueHarness
from tests.unmask.queue.scripted_worker import _all, finish, take
from unmask.errors import UnmaskError
from unmask.queue.lists import Order
from unmask.report import State, Verdict

# ---- events

pytestmark = pytest.mark.anyio


async def test_each_change_comes_once_and_in_order(harness: QueueHarness) -> None:
    (check,) = await harness.submit(b"a")
    seen: list[list[State]] = [[] for _ in range(50)]

    async def follow(states: list[State]) -> None:
        async for found in harness.checks.events(check.id):
            states.append(found.state)

    async def all_listen() -> bool:
        return all(seen)

    followers = [asyncio.create_task(follow(states)) for states in seen]
    await harness.until(all_listen)
    (job_id,) = take(harness)
    finish(harness, job_id)
    harness.queue.fail(job_id, UnmaskError("damaged", "A second end."))
    expected = [State.QUEUED, State.RUNNING, State.DONE]
    await asyncio.gather(*followers)
    assert seen == [expected] * 50
    assert [found.state async for found in harness.checks.events(check.id)] == [State.DONE]
    assert (await harness.checks.get(check.id)).state is State.DONE  # type: ignore[union-attr]


async def test_no_wakeup_is_lost(harness: QueueHarness) -> None:
    """Checks end at every moment around the start of a wait."""
    checks = await harness.submit(*(b"%d" % n for n in range(200)))
    taken = take(harness, max_jobs=200)

    def end_all() -> None:
        for job_id in taken:
            harness.queue.fail(job_id, UnmaskError("damaged", "It is damaged."))

    ending = asyncio.create_task(asyncio.to_thread(end_all))
    for check in checks:
        ended = await harness.checks.wait(check.id, 10)
        assert ended is not None and ended.ended
    await ending


async def test_a_wait_ends_in_time(harness: QueueHarness) -> None:
    (check,) = await harness.submit(b"a")
    assert await harness.checks.wait(check.id, 0.2) == check
    assert await harness.checks.wait("0" * 32, 5) is None
    assert await harness.checks.wait("nonsense", 5) is None


@pytest.mark.parametrize("seconds", [0, 1e-5, 1e-4, 3e-4, 1e-3])
async def test_a_wait_of_no_time_ends_and_tells(harness: QueueHarness, seconds: float) -> None:
    (check,) = await harness.submit(b"a")
    assert await asyncio.wait_for(harness.checks.wait(check.id, seconds), 60) == check


async def test_a_deleted_check_ends_its_events(harness: QueueHarness) -> None:
    mine, theirs = await harness.submit(b"a", b"a")
    following = asyncio.create_task(harness.checks.wait(mine.id, 120))
    others = asyncio.create_task(harness.checks.wait(theirs.id, 120))
    await asyncio.sleep(0.1)
    assert await harness.checks.delete(mine.id)
    assert (await asyncio.wait_for(following, 60)) == mine
    (job_id,) = take(harness)
    finish(harness, job_id)
    ended = await others
    assert ended is not None and ended.state is State.DONE


# ---- lists


async def test_a_teams_list(harness: QueueHarness) -> None:
    mine = await harness.submit(*(b"%d" % n for n in range(25)), team="desk")
    await harness.submit(b"elsewhere")
    for number, job_id in enumerate(take(harness, max_jobs=20)):
        finish(harness, job_id, (number * 7 % 20) / 20)
    listed = await _all(harness, "desk", limit=7)
    assert [check.id for check in listed] == [check.id for check in reversed(mine)]
    suspects = await _all(harness, "desk", limit=4, order=Order.SUSPICIOUS)
    shown = [-1 if c.fake_probability is None else c.fake_probability for c in suspects]
    assert shown == sorted(shown, reverse=True) and len(shown) == 25
    fakes = await _all(harness, "desk", limit=3, verdict=Verdict.FAKE, order="suspicious")
    assert len(fakes) == 10 and {check.verdict for check in fakes} == {Verdict.FAKE}
    queued = await _all(harness, "desk", limit=100, state=State.QUEUED)
    assert {check.id for check in queued} == {check.id for check in mine[20:]}
    assert len(await _all(harness, None, limit=10)) == 1


async def test_a_cursor_may_stand_at_any_probability(harness: QueueHarness) -> None:
    probabilities = [1.0, 0.1234567890123456, 1e-05, 3.3e-17, 0.0]
    await harness.submit(*(b"%d" % n for n in range(len(probabilities) + 1)))
    for job_id, probability in zip(take(harness), probabilities, strict=False):
        finish(harness, job_id, probability)
    found = await _all(harness, None, order="suspicious", limit=1)
    assert [check.fake_probability for check in found] == [*probabilities, None]


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
async def test_a_list_that_cannot_be(harness: QueueHarness, about: dict[str, Any]) -> None:
    with pytest.raises(UnmaskError) as refused:
        await harness.checks.list(**about)
    assert refused.value.code == "bad_request"
