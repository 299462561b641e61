"""One job for one picture, and who is served first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.queue_harness import QueueHarness, as_picture, picture, queue_harness
from tests.unmask.queue.scripted_worker import finish, take
from unmask.errors import UnmaskError
from unmask.queue.keys import SHARED
from unmask.report import Door, Priority, State, Verdict
from unmask.store import Store

# ---- one job for one picture

pytestmark = pytest.mark.anyio


async def test_the_same_picture_is_one_job(harness: QueueHarness) -> None:
    first, second = await harness.submit(b"same", b"same")
    (other,) = await harness.submit(b"same", team="desk", door=Door.API)
    assert len({first.id, second.id, other.id}) == 3
    (job_id,) = take(harness)
    assert {(await harness.checks.get(c.id)).state for c in (first, other)} == {State.RUNNING}  # type: ignore[union-attr]
    finish(harness, job_id)
    (late,) = await harness.submit(b"same")
    assert late.state is State.DONE and late.verdict is Verdict.FAKE
    assert not take(harness)
    found = await harness.checks.get(late.id)
    assert found == late and found is not None and found.report is not None


async def test_each_language_has_a_job_of_its_own(harness: QueueHarness) -> None:
    """For the words on the annotated picture are those of the person who asks."""
    languages = ("en", "de", "de", "xx")
    submits = [
        await harness.checks.submit(as_picture(b"same"), door=Door.WEB, language=language)
        for language in languages
    ]
    assert [check.language for check in submits] == ["en", "de", "de", "en"]
    job_ids = harness.queue.take((SHARED,), 8)
    started = harness.queue.begin("test", job_ids)
    assert sorted(start[1] for start in started if start) == ["de", "en"]
    for job_id in job_ids:
        finish(harness, job_id)
    late = await harness.checks.submit(as_picture(b"same"), door=Door.WEB, language="de")
    assert late.state is State.DONE and not take(harness)
    for check in (*submits[1:3], late):
        await harness.checks.delete(check.id)
    new = await harness.checks.submit(as_picture(b"same"), door=Door.WEB, language="de")
    assert new.state is State.QUEUED


async def test_a_job_of_the_version_before_is_english(harness: QueueHarness) -> None:
    (check,) = await harness.submit(b"old")
    (job_id,) = harness.queue.take((SHARED,), 8)
    harness.client.hdel(f"unmask:work:{job_id}", "language")
    assert [start and start[1] for start in harness.queue.begin("test", [job_id])] == ["en"]
    found = await harness.checks.get(check.id)
    assert found is not None and found.language == "en"
    (same,) = await harness.submit(b"old")
    finish(harness, job_id)
    assert {(await harness.checks.get(c.id)).state for c in (check, same)} == {State.DONE}  # type: ignore[union-attr]


async def test_the_bytes_are_not_hashed_again(harness: QueueHarness) -> None:
    """The hash that a door computed is the name of the picture from then on."""
    opened = replace(as_picture(b"a"), sha256="5" * 64)
    check = await harness.checks.submit(opened, door=Door.API)
    assert check.sha256 == "5" * 64
    assert Store.of(harness.settings).get_picture("5" * 64) == b"a"


async def test_what_redis_lost_at_once_is_asked_for_again(harness: QueueHarness) -> None:
    """As one does that is killed before it has written what it answered."""
    enter, losses = harness.checks._put_into_queue, 1

    async def lossy(*about: Any) -> None:
        nonlocal losses
        await enter(*about)
        if losses:
            losses -= 1
            harness.client.flushall()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(harness.checks, "_put_into_queue", lossy)
        check = await harness.checks.submit(as_picture(picture(1)), door=Door.API)
        (job_id,) = take(harness)
        finish(harness, job_id)
        found = await harness.checks.wait(check.id, 10)
        assert found is not None and found.state is State.DONE
        losses = 2
        with pytest.raises(UnmaskError, match="deleted"):
            await harness.checks.submit(as_picture(picture(2)), door=Door.API)


async def test_a_thousand_submissions_at_once_make_one_job(harness: QueueHarness) -> None:
    submits = (harness.checks.submit(as_picture(b"same"), door=Door.WEB) for _ in range(1000))
    checks = await asyncio.gather(*submits)
    assert len({check.id for check in checks}) == 1000
    waiting = asyncio.gather(*(harness.checks.wait(check.id, 20) for check in checks))
    await asyncio.sleep(0.3)
    # All of them listen over one connection.
    subscribers = harness.client.client_list(_type="pubsub")
    assert len(subscribers) == 1
    assert len(harness.client.client_list()) < 40
    (job_id,) = take(harness)
    finish(harness, job_id)
    assert {check.state for check in await waiting if check} == {State.DONE}


async def test_an_idempotency_key_gives_the_same_check(harness: QueueHarness) -> None:
    (first,) = await harness.submit(b"one", idempotency_key="key")
    (again,) = await harness.submit(b"one", idempotency_key="key")
    (elsewhere,) = await harness.submit(b"two", idempotency_key="key", team="desk")
    assert first == again != elsewhere
    with pytest.raises(UnmaskError) as refused:
        await harness.submit(b"two", idempotency_key="key")
    assert refused.value.code == "idempotency_mismatch"
    assert await harness.checks.delete(first.id)
    assert (await harness.submit(b"two", idempotency_key="key"))[0].state is State.QUEUED


async def test_a_passing_failure_is_not_handed_on(harness: QueueHarness) -> None:
    for code, state in (("storage_full", State.QUEUED), ("damaged", State.FAILED)):
        await harness.submit(code.encode())
        (job_id,) = take(harness)
        harness.queue.fail(job_id, UnmaskError(code, "It failed."))
        (again,) = await harness.submit(code.encode())
        assert again.state is state
        take(harness)


# ---- who is served first


async def test_people_come_before_bulk_and_share_no_batch_with_it(harness: QueueHarness) -> None:
    await harness.submit(b"a", b"b", b"c", bulk=True)
    await harness.submit(b"d", b"e")
    assert [len(take(harness)), len(take(harness)), len(take(harness))] == [2, 3, 0]


async def test_a_person_pulls_a_bulk_job_forward(harness: QueueHarness) -> None:
    await harness.submit(b"a", b"b", bulk=True)
    (mine,) = await harness.submit(b"b")
    assert mine.priority is Priority.INTERACTIVE
    assert len(take(harness)) == 1
    assert (await harness.checks.get(mine.id)).state is State.RUNNING  # type: ignore[union-attr]
    assert len(take(harness)) == 1


async def test_a_team_may_have_workers_of_its_own(tmp_path: Path) -> None:
    async with queue_harness(tmp_path, team_pools="desk, press") as harness:
        await harness.submit(b"a", team="desk")
        await harness.submit(b"a", b"b", team="other")
        assert len(take(harness, pools=("desk",))) == 1
        assert len(take(harness, pools=(SHARED,))) == 2


async def test_a_job_that_was_delivered_before_comes_alone(harness: QueueHarness) -> None:
    await harness.submit(b"a", b"b", b"c")
    taken = take(harness, max_jobs=2)
    harness.client.zadd("unmask:lease", dict.fromkeys(taken, 0))
    assert set(harness.queue.requeue_expired().values()) == {"requeued"}
    assert sorted(len(take(harness)) for _ in range(3)) == [1, 1, 1]
