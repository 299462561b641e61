"""A janitor's round goes on past what fails, and is easy on Redis."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.queue_harness import Stage
from tests.unmask import bucket
from tests.unmask.queue.scripted_worker import run
from unmask.errors import UnmaskError
from unmask.queue.janitor import Janitor
from unmask.queue.worker_queue import WorkerQueue
from unmask.report import Check
from unmask.store import Store

pytestmark = pytest.mark.timeout(60)


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


def keeper(on: Stage) -> tuple[Janitor, Refusing]:
    """A janitor of the test's own, the only one from now on, and its store."""
    on.checks._stop.set()
    on.checks._janitor_thread.join()
    store = Refusing(str(on.settings.data / "store"))
    store.refused = set()
    return Janitor(on.queue, store, on.settings), store


def keep_house(on: Stage, janitor: Janitor) -> None:
    on.client.delete("unmask:janitor")
    janitor.round()


def job_of(on: Stage, check: Check) -> str:
    return str(on.client.hget(f"unmask:check:{check.id}", "work"))


# ---- past what fails


@pytest.mark.parametrize("how", ["expired", "remover died"])
def test_one_file_that_stays_keeps_no_other(tmp_path: Path, how: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("unmask.queue.janitor.REMOVING_SECONDS", 0.0)

    async def play(on: Stage) -> None:
        janitor, store = keeper(on)
        checks = await on.submit(b"a", b"b", b"c")
        store.refused = {job_of(on, checks[0])}
        for number, check in enumerate(checks):
            if how == "expired":
                on.client.zadd("unmask:expiry", {check.id: number})
            else:
                on.queue.delete_check(check.id)
        keep_house(on, janitor)
        there = [store.has_picture(check.sha256) for check in checks]
        assert there == [True, False, False] and store.swept == 1
        store.refused = set()
        keep_house(on, janitor)
        assert not store.has_picture(checks[0].sha256)
        assert not on.client.exists("unmask:removing", f"unmask:deleting:{checks[0].sha256}")

    run(tmp_path, play)


def test_what_cannot_be_removed_waits_behind_the_rest(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        janitor, store = keeper(on)
        (check,) = await on.submit(b"a")
        store.refused = {job_of(on, check)}
        assert janitor.delete_check(check.id)
        on.client.zadd("unmask:removing", dict.fromkeys(_removing(on), 0), xx=True)
        assert on.queue.due(60)[1]
        keep_house(on, janitor)
        assert not on.queue.due(60)[1] and len(_removing(on)) == 1

    run(tmp_path, play)


def test_a_slow_store_holds_no_round_up(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("unmask.queue.janitor.DELETING_SECONDS", 0.3)

    async def play(on: Stage) -> None:
        janitor, store = keeper(on)
        checks = await on.submit(*(b"%d" % number for number in range(6)))
        on.client.zadd("unmask:expiry", {check.id: 0 for check in checks})
        store.seconds = 0.2
        keep_house(on, janitor)
        assert 1 <= sum(not store.has_picture(check.sha256) for check in checks) <= 2
        store.seconds = 0.0
        keep_house(on, janitor)
        assert not any(store.has_picture(check.sha256) for check in checks)

    run(tmp_path, play)


@pytest.fixture
def _bucket() -> Iterator[None]:
    bucket.register()
    yield
    bucket.register()


@pytest.mark.usefixtures("_bucket")
def test_a_check_whose_object_store_is_away_is_undone(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("unmask.queue.janitor.REMOVING_SECONDS", 0.0)

    async def play(on: Stage) -> None:
        bucket.Bucket.away = True
        with pytest.raises(UnmaskError) as refused:
            await on.submit(b"a")
        assert refused.value.code == "output_unwritable"
        assert (await on.checks.list()).checks == ()
        bucket.Bucket.away = False
        (check,) = await on.submit(b"a")
        assert await on.checks.picture(check.id) == b"a"

    run(tmp_path, play, store="bucket://unmask")


# ---- easy on Redis


def test_only_what_is_in_no_queue_is_looked_at(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("unmask.queue.janitor.ORPHAN_SECONDS", 0.0)
    asked: list[set[str]] = []

    def unqueued(self: WorkerQueue, job_ids: set[str], min_age: float) -> dict[str, str]:
        asked.append(set(job_ids))
        return {}

    monkeypatch.setattr(WorkerQueue, "unqueued", unqueued)

    async def play(on: Stage) -> None:
        janitor, _ = keeper(on)
        lost, *_ = await on.submit(b"a", b"b", b"c")
        asked.clear()
        keep_house(on, janitor)
        assert not asked
        on.client.lrem("rq:queue:unmask-shared-interactive", 0, job_of(on, lost))
        keep_house(on, janitor)
        assert asked == [{job_of(on, lost)}]

    run(tmp_path, play)


def test_an_orphan_is_seen_beside_another_application(tmp_path: Path, monkeypatch: Any) -> None:
    """Neither its jobs count as ours, nor does the clock of this host."""

    async def play(on: Stage) -> None:
        (check,) = await on.submit(b"a")
        client = on.client
        client.sadd("rq:queues", "rq:queue:mail")
        client.rpush("rq:queue:mail", "x", "y", "z")
        client.delete("rq:queue:unmask-shared-interactive")
        monkeypatch.setattr("time.time", lambda: 0.0)
        assert on.queue.orphans(0) == {job_of(on, check)}

    run(tmp_path, play)


def test_a_log_is_written_anew_once_for_all_janitors(tmp_path: Path, monkeypatch: Any) -> None:
    async def play(on: Stage) -> None:
        keeper(on)
        assert [on.queue.rewrite_log(60) for _ in range(3)] == [True, False, False]
        on.client.delete("unmask:rewrite")
        on.client.config_set("appendonly", "no")
        assert not on.queue.rewrite_log(60) and not on.client.exists("unmask:rewrite")

    run(tmp_path, play)


def test_what_is_forgotten_during_a_rewrite_has_another(tmp_path: Path, monkeypatch: Any) -> None:
    asked = []

    async def play(on: Stage) -> None:
        janitor, _ = keeper(on)
        first, second = await on.submit(b"a", b"b")

        def rewrite_log(self: WorkerQueue, seconds: float) -> bool:
            asked.append(seconds)
            if len(asked) == 1:
                janitor.delete_check(second.id)
            return len(asked) != 2

        monkeypatch.setattr(WorkerQueue, "rewrite_log", rewrite_log)
        janitor.delete_check(first.id)
        for count in (1, 2, 3, 3):  # the second is refused, the third is not
            janitor._next_rewrite = 0.0
            keep_house(on, janitor)
            assert len(asked) == count

    run(tmp_path, play)


def test_killed_workers_are_forgotten(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        now = time.time()
        on.client.zadd("unmask:workers", {"dead": now - 90, "slow": now - 30})
        on.queue.heartbeat("live", "{}", [])
        assert on.client.zrange("unmask:workers", 0, -1) == ["slow", "live"]

    run(tmp_path, play)


def _removing(on: Stage) -> list[str]:
    found: Any = on.client.zrange("unmask:removing", 0, -1)
    return list(found)
