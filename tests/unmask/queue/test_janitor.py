"""A janitor's round goes on past what fails, and is easy on Redis."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.queue_harness import QueueHarness, queue_harness
from tests.unmask import bucket
from unmask.errors import UnmaskError
from unmask.queue.janitor import Janitor
from unmask.queue.worker_queue import WorkerQueue
from unmask.report import Check
from unmask.store import Store

pytestmark = pytest.mark.anyio


class Refusing(Store):
    """A store that does not remove the results of some jobs, and takes ``seconds`` for others."""

    refused: set[str]
    seconds = 0.0
    swept = 0

    def delete_results(self, key: str) -> None:
        if key in self.refused:
            raise PermissionError(errno.EACCES, "denied")
        time.sleep(self.seconds)
        super().delete_results(key)

    def sweep(self, *about: Any) -> int:
        self.swept += 1
        return super().sweep(*about)


def keeper(harness: QueueHarness) -> tuple[Janitor, Refusing]:
    """A janitor of the test's own, the only one from now on, and its store."""
    harness.checks._stop.set()
    harness.checks._janitor_thread.join()
    store = Refusing(str(harness.settings.data / "store"))
    store.refused = set()
    return Janitor(harness.queue, store, harness.settings), store


def keep_house(harness: QueueHarness, janitor: Janitor) -> None:
    harness.client.delete("unmask:janitor")
    janitor.round()


def job_of(harness: QueueHarness, check: Check) -> str:
    return str(harness.client.hget(f"unmask:check:{check.id}", "work"))


# ---- past what fails


@pytest.mark.parametrize("how", ["expired", "remover died"])
async def test_one_file_that_stays_keeps_no_other(
    harness: QueueHarness, how: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr("unmask.queue.janitor.REMOVING_SECONDS", 0.0)
    janitor, store = keeper(harness)
    checks = await harness.submit(b"a", b"b", b"c")
    store.refused = {job_of(harness, checks[0])}
    for number, check in enumerate(checks):
        if how == "expired":
            harness.client.zadd("unmask:expiry", {check.id: number})
        else:
            harness.queue.delete_check(check.id)
    keep_house(harness, janitor)
    there = [store.has_picture(check.sha256) for check in checks]
    assert there == [True, False, False] and store.swept == 1
    store.refused = set()
    keep_house(harness, janitor)
    assert not store.has_picture(checks[0].sha256)
    assert not harness.client.exists("unmask:removing", f"unmask:deleting:{checks[0].sha256}")


async def test_what_cannot_be_removed_waits_behind_the_rest(harness: QueueHarness) -> None:
    janitor, store = keeper(harness)
    (check,) = await harness.submit(b"a")
    store.refused = {job_of(harness, check)}
    assert janitor.delete_check(check.id)
    harness.client.zadd("unmask:removing", dict.fromkeys(_removing(harness), 0), xx=True)
    assert harness.queue.due(60)[1]
    keep_house(harness, janitor)
    assert not harness.queue.due(60)[1] and len(_removing(harness)) == 1


async def test_a_slow_store_holds_no_round_up(harness: QueueHarness, monkeypatch: Any) -> None:
    monkeypatch.setattr("unmask.queue.janitor.DELETING_SECONDS", 0.3)
    janitor, store = keeper(harness)
    checks = await harness.submit(*(b"%d" % number for number in range(6)))
    harness.client.zadd("unmask:expiry", {check.id: 0 for check in checks})
    store.seconds = 0.2
    keep_house(harness, janitor)
    assert 1 <= sum(not store.has_picture(check.sha256) for check in checks) <= 2
    store.seconds = 0.0
    keep_house(harness, janitor)
    assert not any(store.has_picture(check.sha256) for check in checks)


@pytest.fixture
def _bucket() -> Iterator[None]:
    bucket.register()
    yield
    bucket.register()


@pytest.mark.usefixtures("_bucket")
async def test_a_check_whose_object_store_is_away_is_undone(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("unmask.queue.janitor.REMOVING_SECONDS", 0.0)
    async with queue_harness(tmp_path, store="bucket://unmask") as harness:
        bucket.Bucket.away = True
        with pytest.raises(UnmaskError) as refused:
            await harness.submit(b"a")
        assert refused.value.code == "output_unwritable"
        assert (await harness.checks.list()).checks == ()
        bucket.Bucket.away = False
        (check,) = await harness.submit(b"a")
        assert await harness.checks.picture(check.id) == b"a"


# ---- easy on Redis


async def test_only_what_is_in_no_queue_is_looked_at(
    harness: QueueHarness, monkeypatch: Any
) -> None:
    monkeypatch.setattr("unmask.queue.janitor.ORPHAN_SECONDS", 0.0)
    asked: list[set[str]] = []

    def unqueued(self: WorkerQueue, job_ids: set[str], min_age: float) -> dict[str, str]:
        asked.append(set(job_ids))
        return {}

    monkeypatch.setattr(WorkerQueue, "unqueued", unqueued)
    janitor, _ = keeper(harness)
    lost, *_ = await harness.submit(b"a", b"b", b"c")
    asked.clear()
    keep_house(harness, janitor)
    assert not asked
    harness.client.lrem("rq:queue:unmask-shared-interactive", 0, job_of(harness, lost))
    keep_house(harness, janitor)
    assert asked == [{job_of(harness, lost)}]


async def test_an_orphan_is_seen_beside_another_application(
    harness: QueueHarness, monkeypatch: Any
) -> None:
    """Neither its jobs count as ours, nor does the clock of this host."""
    (check,) = await harness.submit(b"a")
    client = harness.client
    client.sadd("rq:queues", "rq:queue:mail")
    client.rpush("rq:queue:mail", "x", "y", "z")
    client.delete("rq:queue:unmask-shared-interactive")
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert harness.queue.orphans(0) == {job_of(harness, check)}


async def test_a_log_is_rewritten_once_for_all_janitors(
    harness: QueueHarness, monkeypatch: Any
) -> None:
    keeper(harness)
    assert [harness.queue.rewrite_log(60) for _ in range(3)] == [True, False, False]
    harness.client.delete("unmask:rewrite")
    harness.client.config_set("appendonly", "no")
    assert not harness.queue.rewrite_log(60) and not harness.client.exists("unmask:rewrite")


async def test_what_is_forgotten_during_a_rewrite_has_another(
    harness: QueueHarness, monkeypatch: Any
) -> None:
    asked = []
    janitor, _ = keeper(harness)
    first, second = await harness.submit(b"a", b"b")

    def rewrite_log(self: WorkerQueue, seconds: float) -> bool:
        asked.append(seconds)
        if len(asked) == 1:
            janitor.delete_check(second.id)
        return len(asked) != 2

    monkeypatch.setattr(WorkerQueue, "rewrite_log", rewrite_log)
    janitor.delete_check(first.id)
    for count in (1, 2, 3, 3):  # the second is refused, the third is not
        janitor._next_rewrite = 0.0
        keep_house(harness, janitor)
        assert len(asked) == count


async def test_killed_workers_are_forgotten(harness: QueueHarness) -> None:
    now = time.time()
    harness.client.zadd("unmask:workers", {"dead": now - 90, "slow": now - 30})
    harness.queue.heartbeat("live", "{}", [])
    assert harness.client.zrange("unmask:workers", 0, -1) == ["slow", "live"]


def _removing(harness: QueueHarness) -> list[str]:
    found: Any = harness.client.zrange("unmask:removing", 0, -1)
    return list(found)
