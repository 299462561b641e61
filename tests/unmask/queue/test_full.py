"""A full disk or memory: what is not taken, and what still goes, so that room comes back."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.faults.queue_harness import QueueHarness, queue_harness
from tests.unmask.queue.scripted_worker import finish, take
from tests.unmask.queue.test_janitor import job_of, keeper
from unmask.errors import UnmaskError
from unmask.queue import janitor as janitor_module
from unmask.report import State
from unmask.store import Store

pytestmark = pytest.mark.anyio


def refuse_writes(harness: QueueHarness, refuse: bool = True) -> None:
    """Have Valkey refuse every write, as it does while it cannot write its log."""
    harness.client.config_set("min-replicas-to-write", int(refuse))


def fill_memory(harness: QueueHarness) -> None:
    harness.client.config_set("maxmemory", "1mb")


def set_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))


async def refusal(harness: QueueHarness, data: bytes) -> str:
    with pytest.raises(UnmaskError) as refused:
        await harness.submit(data)
    return refused.value.code


# ---- what is not taken


async def test_a_full_disk_is_seen_before_anything_is_written(
    harness: QueueHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.submit(b"a")
    set_free(monkeypatch, harness.settings.min_free - 1)
    size = harness.client.info("persistence")["aof_current_size"]
    keys = set(harness.client.scan_iter("unmask:*"))
    assert {await refusal(harness, b"%d" % number) for number in range(20)} == {"storage_full"}
    assert set(harness.client.scan_iter("unmask:*")) - {"unmask:probe"} == keys - {"unmask:probe"}
    # The janitor notes each round; twenty checks would be 50 KB.
    assert harness.client.info("persistence")["aof_current_size"] - size < 5_000
    set_free(monkeypatch, harness.settings.min_free)
    assert (await harness.submit(b"b"))[0].state is State.QUEUED


async def test_nothing_is_taken_before_the_memory_is_full(harness: QueueHarness) -> None:
    """What was taken needs some to end."""
    used = harness.client.info("memory")["used_memory"]
    harness.client.config_set("maxmemory", int(used * 1.05))
    assert await refusal(harness, b"a") == "storage_full"
    assert await harness.checks.unready() == "The queue's memory is full."
    harness.client.config_set("maxmemory", used * 10)
    await asyncio.sleep(0.6)
    assert await harness.checks.unready() is None
    await harness.submit(b"a")


async def test_refused_writes_are_seen(harness: QueueHarness) -> None:
    refuse_writes(harness)
    assert await harness.checks.unready() == "The queue takes no writes."
    assert await refusal(harness, b"a") == "storage_full"


async def test_one_sender_keeps_no_more_than_its_share(tmp_path: Path) -> None:
    async with queue_harness(tmp_path, max_checks=3) as harness:
        first, *_ = await harness.submit(b"same", b"same", b"other", owner="203.0.113.7")
        with pytest.raises(UnmaskError) as refused:
            await harness.submit(b"same", owner="203.0.113.7")
        assert refused.value.code == "rate_limited" and refused.value.detail["retry_after"] > 0
        await harness.submit(b"same", owner="key:abc")
        assert await harness.checks.delete(first.id)
        await harness.submit(b"same", owner="203.0.113.7")
        kept: Any = harness.client.hgetall("unmask:kept")
        assert sorted(kept.values()) == ["1", "3"]
        assert not any("203" in owner for owner in kept)


# ---- what still goes


@pytest.mark.parametrize("full", [fill_memory, refuse_writes])
async def test_what_expired_goes_all_the_same(harness: QueueHarness, full: Any) -> None:
    house, store = keeper(harness)
    checks = await harness.submit(*(b"%d" % number for number in range(20)), b"kept")
    (kept,) = checks[20:]
    past = time.time() - 5
    for check in checks[:20]:
        harness.client.zadd("unmask:expiry", {check.id: past})
        harness.client.hset(f"unmask:check:{check.id}", "expires", past)
    for path in (harness.settings.data / "store").rglob("*"):
        _age(path, harness.settings.retention + 10)
    harness.client.delete("unmask:janitor")
    full(harness)
    house.round()
    assert [store.has_picture(check.sha256) for check in checks] == [False] * 20 + [True]
    assert await harness.checks.get(checks[0].id) is None
    assert await harness.checks.get(kept.id) is not None


async def test_an_expired_check_is_not_shown_though_no_janitor_came(harness: QueueHarness) -> None:
    keeper(harness)
    (check, kept) = await harness.submit(b"a", b"b")
    harness.client.hset(f"unmask:check:{check.id}", "expires", time.time() - 1)
    assert await harness.checks.get(check.id) is None
    assert await harness.checks.picture(check.id) is None
    assert [one.id for one in (await harness.checks.list()).checks] == [kept.id]


async def test_a_check_is_deleted_though_redis_refuses_to_write(harness: QueueHarness) -> None:
    """Its files go first; they make the room that Redis needs."""
    house, store = keeper(harness)
    check, shared, other = await harness.submit(b"mine", b"shared", b"shared")
    for job_id in take(harness):
        finish(harness, job_id)
    job_id = job_of(harness, check)
    refuse_writes(harness)

    class Freeing(Store):
        def delete_picture(self, sha256: str) -> None:
            super().delete_picture(sha256)
            refuse_writes(harness, False)

    house._store = Freeing(str(harness.settings.data / "store"))
    assert house.delete_check(check.id)
    assert not store.has_picture(check.sha256)
    assert store.get_result(job_id, "report.json") is None
    assert not harness.client.exists(f"unmask:check:{check.id}")
    refuse_writes(harness)
    assert not house.delete_check("0" * 32)
    janitor_module.WRITABLE_SECONDS, before = 0.2, janitor_module.WRITABLE_SECONDS
    try:
        with pytest.raises(Exception, match="NOREPLICAS"):
            house.delete_check(shared.id)
    finally:
        janitor_module.WRITABLE_SECONDS = before
    assert store.has_picture(other.sha256), "another check needs it"


async def test_jobs_end_though_the_memory_is_full(harness: QueueHarness) -> None:
    checks = await harness.submit(b"a", b"b")
    fill_memory(harness)
    for job_id in take(harness):
        finish(harness, job_id)
    assert [(await harness.checks.get(check.id)).state for check in checks] == [State.DONE] * 2  # type: ignore[union-attr]


def _age(path: Path, seconds: float) -> None:
    if path.is_file():
        then = time.time() - seconds
        os.utime(path, (then, then))
