"""What a worker that still holds a batch may take."""

from __future__ import annotations

import pytest

from tests.faults.queue_harness import QueueHarness, picture
from unmask.queue.keys import MAX_STREAK

POOLS = ("shared",)

pytestmark = pytest.mark.anyio


async def test_what_is_delivered_again_waits_until_a_worker_holds_nothing(
    harness: QueueHarness,
) -> None:
    """Nor is bulk taken before it."""
    await harness.submit(picture(0))
    (again,) = harness.queue.take(POOLS, 8)
    harness.client.zadd("unmask:lease", {again: 0})
    assert harness.queue.requeue_expired() == {again: "requeued"}
    await harness.submit(picture(1))
    await harness.submit(picture(2), bulk=True)
    assert harness.queue.take(POOLS, 8, ahead=True) == []
    assert harness.queue.take(POOLS, 8) == [again]
    assert [job and job.is_redelivered for job in harness.queue.begin("test", [again])] == [True]
    assert len(harness.queue.take(POOLS, 8, ahead=True)) == 1
    (bulk,) = harness.queue.take(POOLS, 8, ahead=True)
    assert [job and job.is_redelivered for job in harness.queue.begin("test", [bulk])] == [False]


async def test_the_batch_ends_before_what_is_delivered_again(harness: QueueHarness) -> None:
    checks = await harness.submit(*(picture(n) for n in range(2)))
    first, second = (
        str(harness.client.hget(f"unmask:check:{check.id}", "work")) for check in checks
    )
    harness.client.hset(f"unmask:work:{second}", "taken", 1)
    assert harness.queue.take(POOLS, 8, ahead=True) == [first]
    assert harness.queue.take(POOLS, 8, ahead=True) == []
    assert harness.queue.take(POOLS, 8) == [second]


async def test_bulk_may_be_left_until_the_model_is_free(harness: QueueHarness) -> None:
    """Also where it is its turn after people's pictures: none of those is taken in its place."""
    bulk = await harness.submit(picture(0), bulk=True)
    assert harness.queue.take(POOLS, 8, ahead=True, bulk=False) == []
    await harness.submit(*(picture(1 + n) for n in range(MAX_STREAK + 1)))
    sizes = [len(harness.queue.take(POOLS, 1, ahead=True, bulk=False)) for _ in range(6)]
    assert sizes == [1] * MAX_STREAK + [0, 0]
    (taken,) = harness.queue.take(POOLS, 1, ahead=True)
    assert taken == harness.client.hget(f"unmask:check:{bulk[0].id}", "work")
    assert len(harness.queue.take(POOLS, 1, ahead=True, bulk=False)) == 1


async def test_suspended_workers_take_nothing_ahead(harness: QueueHarness) -> None:
    """``rq suspend``: RQ looks before each batch that a worker begins with empty hands."""
    await harness.submit(picture(0))
    harness.client.set("rq:suspended", 1)
    assert harness.queue.take(POOLS, 8, ahead=True) == []
    harness.client.delete("rq:suspended")
    assert len(harness.queue.take(POOLS, 8, ahead=True)) == 1
