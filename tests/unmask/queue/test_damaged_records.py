"""Records that somebody else wrote into Redis, or that another version left: each fails alone."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.faults.queue_harness import QueueHarness, picture, queue_harness
from tests.unmask.queue.scripted_worker import take
from tests.unmask.queue.test_janitor import job_of, keep_house, keeper
from unmask.queue.keys import MAX_TAKEN
from unmask.report import State

pytestmark = pytest.mark.anyio

DAMAGES: list[dict[str, Any]] = [
    {"timeout": "abc"},
    {"created_at": "yesterday"},
    {"result_ttl": "xyz"},
    {"status": "no such status"},
    {"dependency_ids": "["},
    {"data": zlib.compress(bytes(100_000_000), 9)},
]


async def test_a_damaged_job_ends_no_worker(tmp_path: Path) -> None:
    async with queue_harness(tmp_path, batch_size=16) as harness:
        checks = await harness.submit(*(picture(number) for number in range(len(DAMAGES) + 2)))
        for check, damage in zip(checks, DAMAGES, strict=False):
            harness.client.hset(f"rq:job:{job_of(harness, check)}", mapping=damage)
        worker = harness.worker()
        *broken, one, other = await harness.ends(checks, 30)
        codes = [check.error and check.error["code"] for check in broken]
        assert codes == ["internal"] * len(DAMAGES)
        assert (one.state, other.state) == (State.DONE, State.DONE)
        assert worker.poll() is None and len(harness.batches()) == 1
        # A fault of ours is not handed on: the picture may be sent again.
        (again,) = await harness.submit(picture(0))
        assert (await harness.ends([again], 30))[0].state is State.DONE


async def test_a_job_that_no_worker_can_begin_with_is_given_up(harness: QueueHarness) -> None:
    """It counts how often a job is taken, not only how often a worker begins with it."""
    keeper(harness)
    bad, good = await harness.submit(b"bad", b"good")
    assert len(harness.queue.take(["shared"], 8)) == 2
    for _ in range(MAX_TAKEN - 1):
        harness.client.zadd("unmask:lease", {job_of(harness, bad): 0}, xx=True)
        harness.queue.requeue_expired()
        assert harness.queue.take(["shared"], 8) == [job_of(harness, bad)], "it comes alone"
    harness.client.zadd("unmask:lease", {job_of(harness, bad): 0}, xx=True)
    assert set(harness.queue.requeue_expired().values()) == {"given up"}
    ended = await harness.checks.get(bad.id)
    assert ended is not None and ended.error is not None and ended.error["code"] == "internal"
    assert (await harness.checks.get(good.id)).state is State.QUEUED  # type: ignore[union-attr]
    assert (await harness.submit(b"bad"))[0].state is State.QUEUED


@pytest.mark.parametrize("damage", ["no field", "another type", "no number"])
async def test_a_damaged_lease_keeps_no_other_from_its_worker(
    harness: QueueHarness, damage: str
) -> None:
    keeper(harness)
    bad, good = await harness.submit(b"bad", b"good")
    take(harness)
    key = f"unmask:work:{job_of(harness, bad)}"
    if damage == "no field":
        harness.client.hdel(key, "attempts", "queue", "created")
    elif damage == "no number":
        harness.client.hset(key, "attempts", "many")
    else:
        harness.client.delete(key)
        harness.client.set(key, "not a hash")
    harness.client.zadd("unmask:lease", {job_of(harness, check): 0 for check in (bad, good)})
    outcomes = harness.queue.requeue_expired()
    assert outcomes[job_of(harness, good)] == "requeued"
    assert outcomes[job_of(harness, bad)] in {"broken", "deleted"}
    assert harness.queue.requeue_expired() == {}
    assert take(harness) == [job_of(harness, good)]


async def test_a_removal_that_names_no_job_is_dropped(harness: QueueHarness) -> None:
    house, store = keeper(harness)
    (check,) = await harness.submit(b"a")
    harness.queue.delete_check(check.id)  # and then the process dies
    removing: Any = harness.client.zrange("unmask:removing", 0, -1)
    harness.client.zadd("unmask:removing", {"no job": 0, "../x:y": 0, removing[0]: 0, "": 0})
    keep_house(harness, house)
    assert not store.has_picture(check.sha256) and store.swept == 1
    assert not harness.client.zcard("unmask:removing")


@pytest.mark.parametrize("damage", ["no work", "no job", "no sha256", "no date", "no door"])
async def test_a_damaged_check_is_not_found_and_can_be_deleted(
    harness: QueueHarness, damage: str
) -> None:
    house, _ = keeper(harness)
    bad, good = await harness.submit(b"bad", b"good")
    key, job = f"unmask:check:{bad.id}", f"unmask:work:{job_of(harness, bad)}"
    match damage:
        case "no work":
            harness.client.hdel(key, "work")
        case "no job":
            harness.client.delete(job)
        case "no sha256":
            harness.client.hdel(job, "sha256")
        case "no date":
            harness.client.hset(key, "created", "yesterday")
        case _:
            harness.client.hdel(key, "door")
    assert await harness.checks.get(bad.id) is None
    assert [check.id for check in (await harness.checks.list()).checks] == [good.id]
    assert house.delete_check(bad.id) and not house.delete_check(bad.id)
    assert not harness.client.exists(key)
    keep_house(harness, house)
    assert await harness.checks.get(good.id) is not None
