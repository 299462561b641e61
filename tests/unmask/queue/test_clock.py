"""The clock of Redis jumps back: what it said of times that are now to come holds nothing up."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.faults.queue_harness import QueueHarness
from tests.unmask.queue.scripted_worker import take
from tests.unmask.queue.test_janitor import job_of, keeper
from unmask.queue.heartbeats import worker_alive
from unmask.queue.keys import LEASE

pytestmark = pytest.mark.anyio
HOUR = 3_600


async def test_the_lease_of_a_dead_worker_ends_soon(harness: QueueHarness) -> None:
    keeper(harness)
    checks = await harness.submit(b"dead", b"live")
    dead, live = (job_of(harness, check) for check in checks)
    take(harness)
    harness.client.zadd("unmask:lease", {dead: time.time() + HOUR, live: time.time() + HOUR})
    assert harness.queue.requeue_expired() == {}, "its worker may live"
    scores: Any = harness.client.zrange("unmask:lease", 0, -1, withscores=True)
    assert all(score <= time.time() + LEASE for _, score in scores)
    harness.queue.heartbeat("w", "{}", [live])
    harness.client.zadd("unmask:lease", {dead: 0})  # as it is once LEASE seconds went by
    assert harness.queue.requeue_expired() == {dead: "requeued"}


async def test_a_worker_of_times_to_come_does_not_count(harness: QueueHarness) -> None:
    status = json.dumps({"model": "1", "pools": ["shared"], "seconds": 1, "host": "h", "pid": 1})
    harness.queue.heartbeat("dead", status, [])
    assert (await harness.checks.stats()).workers == 1
    assert await worker_alive(harness.valkey.url, "h")
    harness.client.zadd("unmask:workers", {"dead": time.time() + HOUR})
    assert (await harness.checks.stats()).workers == 0
    assert not await worker_alive(harness.valkey.url, "h")
    harness.queue.heartbeat("live", status, [])
    assert harness.client.zrange("unmask:workers", 0, -1) == ["live"]


async def test_the_janitors_keep_house(harness: QueueHarness) -> None:
    keeper(harness)
    for key in ("unmask:janitor", "unmask:rewrite"):
        harness.client.set(key, time.time() + HOUR, ex=2 * HOUR)
    assert harness.queue.claim_round(2) and not harness.queue.claim_round(2)
    assert harness.queue.rewrite_log(60) and not harness.queue.rewrite_log(60)


async def test_a_lost_job_is_seen(harness: QueueHarness) -> None:
    keeper(harness)
    (check,) = await harness.submit(b"a")
    job_id = job_of(harness, check)
    harness.client.zadd("unmask:open", {job_id: time.time() + HOUR})
    harness.client.lrem("rq:queue:unmask-shared-interactive", 0, job_id)
    assert harness.queue.orphans(10) == {job_id}
