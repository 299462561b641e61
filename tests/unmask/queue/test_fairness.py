"""Owners take turns in a queue, and bulk gets its share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.queue_harness import QueueHarness, as_picture
from tests.unmask.queue.scripted_worker import finish, take
from tests.unmask.queue.test_janitor import job_of, keep_house, keeper
from unmask.images import Picture
from unmask.queue.keys import MAX_STREAK
from unmask.report import Door, Priority

pytestmark = pytest.mark.anyio


async def owners(harness: QueueHarness, max_jobs: int = 8) -> list[str]:
    """Whose jobs come next."""
    return [harness.client.hget(f"unmask:work:{job}", "sha256") for job in take(harness, max_jobs)]  # type: ignore[misc]


async def test_one_picture_of_another_does_not_wait_behind_a_hundred(harness: QueueHarness) -> None:
    many = await harness.submit(*(b"%d" % number for number in range(100)), owner="many")
    (one,) = await harness.submit(b"one", owner="one")
    two = await harness.submit(b"two a", b"two b", owner="two")
    taken = await owners(harness)
    assert taken == [check.sha256 for check in (many[0], one, two[0], many[1], two[1], *many[2:5])]
    stats = await harness.checks.stats()
    assert stats.depth == {"unmask-shared-interactive": 95}
    (lanes,) = stats.lanes.values()
    assert list(lanes.values()) == [95]


async def test_owners_alone_get_everything_in_order(harness: QueueHarness) -> None:
    checks = await harness.submit(*(b"%d" % number for number in range(20)), owner="alone")
    taken = [*await owners(harness), *await owners(harness), *await owners(harness)]
    assert taken == [check.sha256 for check in checks]
    assert not list(harness.client.scan_iter("unmask:lane:*"))
    assert not list(harness.client.scan_iter("unmask:turns:*"))


async def test_a_picture_that_waits_in_a_long_lane_is_pulled_forward(harness: QueueHarness) -> None:
    many = await harness.submit(*(b"%d" % number for number in range(50)), owner="many")
    await harness.submit(b"49", owner="one")
    assert (await owners(harness, 2)) == [many[0].sha256, many[49].sha256]
    assert len(await owners(harness, 100)) == 48


async def test_bulk_gets_one_batch_after_some_of_people(harness: QueueHarness) -> None:
    await harness.submit(*(b"bulk %d" % number for number in range(6)), bulk=True)
    await harness.submit(*(b"%d" % number for number in range(20)))
    kinds = []
    for _ in range(12):
        for job in take(harness, 2):
            queue = str(harness.client.hget(f"unmask:work:{job}", "queue"))
            kinds.append(queue.rpartition("-")[2])
    batches = kinds[::2]
    assert batches[: 2 * (MAX_STREAK + 1)] == (["interactive"] * MAX_STREAK + ["bulk"]) * 2
    assert kinds.count("bulk") == 4 and kinds[::2] == kinds[1::2], "no batch holds both"


async def test_a_streak_counts_only_while_bulk_waits(harness: QueueHarness) -> None:
    await harness.submit(*(b"%d" % number for number in range(10)))
    for _ in range(MAX_STREAK + 2):
        take(harness, 1)
    await harness.submit(b"bulk", bulk=True)
    (job,) = take(harness, 1)
    assert str(harness.client.hget(f"unmask:work:{job}", "queue")).endswith("interactive")


async def test_a_batch_is_as_large_as_its_pixels(harness: QueueHarness) -> None:
    """Large pictures take seconds and gigabytes each: they share no batch with many others."""

    def sized(number: int, side: int) -> Picture:
        return replace(as_picture(b"%d" % number), width=side, height=side)

    for number, side in enumerate((1_000, 1_000, 7_000, 7_000, 1_000, 12_000, 1_000)):
        await harness.checks.submit(sized(number, side), door=Door.API)
    sizes = [len(harness.queue.take(["shared"], 8, 100_000_000)) for _ in range(5)]
    assert sizes == [4, 1, 1, 1, 0]


async def test_what_waits_is_told_by_owner(harness: QueueHarness) -> None:
    await harness.submit(*(b"%d" % number for number in range(40)), owner="many")
    await harness.submit(*(b"bulk %d" % number for number in range(8)), bulk=True, owner="many")
    harness.queue.heartbeat("w", '{"model": "1", "pools": ["shared"], "seconds": 1}', [])
    stats = await harness.checks.stats()
    assert stats.waiting_of("many", "shared") == 48 and stats.waiting_of("one", "shared") == 0
    waits = {
        owner: stats.wait_in("shared", Priority.INTERACTIVE, owner) for owner in ("many", "one")
    }
    assert waits == {"many": 48.0, "one": pytest.approx(1.25)}
    assert stats.wait_in("shared", Priority.INTERACTIVE) == 48.0
    assert stats.wait_in("shared", Priority.BULK, "one") == pytest.approx(2)


async def test_a_queue_of_the_version_before_is_served(harness: QueueHarness) -> None:
    """Its jobs have no owner, and so no lane."""
    old = await harness.submit(b"a", b"b", b"c", owner="x")
    for check in old:
        harness.client.hdel(f"unmask:work:{job_of(harness, check)}", "owner", "taken")
    for key in (
        *harness.client.scan_iter("unmask:lane:*"),
        *harness.client.scan_iter("unmask:turns:*"),
    ):
        harness.client.delete(key)
    new = await harness.submit(b"d", b"e", owner="y")
    assert await owners(harness) == [check.sha256 for check in (*old, *new)]


async def test_lanes_follow_what_is_deleted_lost_and_requeued(harness: QueueHarness) -> None:
    house, _ = keeper(harness)
    first, second, third = await harness.submit(b"a", b"b", b"c", owner="x")
    assert house.delete_check(first.id)
    # Another program empties RQ's queue; the janitor finds the jobs and queues them again.
    harness.client.delete("rq:queue:unmask-shared-interactive")
    assert take(harness) == []
    jobs = [job_of(harness, check) for check in (second, third)]
    assert sorted(harness.queue.requeue(jobs)) == sorted(jobs)
    assert sorted(take(harness)) == sorted(jobs)
    for job in jobs:
        finish(harness, job)
    keep_house(harness, house)
    assert not list(harness.client.scan_iter("unmask:lane:*"))
