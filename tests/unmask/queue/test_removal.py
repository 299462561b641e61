"""What is deleted or expires leaves nothing; what got lost is found."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.faults.queue_harness import QueueHarness, as_picture, queue_harness
from tests.unmask.queue.scripted_worker import _gone, finish, take, traces
from unmask.errors import UnmaskError
from unmask.queue.check_queue import _Request
from unmask.queue.janitor import Janitor
from unmask.report import Door
from unmask.store import Store

# ---- nothing is left

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("moment", ["queued", "running", "done", "failed", "idempotent"])
async def test_delete_leaves_nothing(harness: QueueHarness, moment: str) -> None:
    data = b"a picture of someone " * 3
    key = "idempotency" if moment == "idempotent" else None
    (check,) = await harness.submit(data, team="desk", idempotency_key=key)
    (kept,) = await harness.submit(b"another")
    taken = take(harness, max_jobs=1) if moment != "queued" else []
    job_id = harness.client.hget(f"unmask:check:{check.id}", "work") or ""
    if moment in ("done", "idempotent"):
        finish(harness, taken[0])
    if moment == "failed":
        harness.queue.fail(taken[0], UnmaskError("damaged", "It is damaged."))
    words = [check.id, check.sha256, str(job_id), data.decode()]
    assert all(traces(harness, word) for word in words), "the test would find what is there"
    assert await harness.checks.delete(check.id)
    assert not await harness.checks.delete(check.id)
    await _gone(harness, *words)
    assert await harness.checks.get(check.id) is None
    assert (await harness.checks.list("desk")).checks == ()
    assert await harness.checks.get(kept.id) is not None
    assert await harness.checks.picture(kept.id) == b"another"


async def test_the_last_of_several_checks_takes_everything(harness: QueueHarness) -> None:
    checks = await harness.submit(b"same", b"same", b"same")
    (job_id,) = take(harness)
    finish(harness, job_id)
    for check in checks[:2]:
        assert await harness.checks.delete(check.id)
        assert await harness.checks.result(checks[2].id, "mask.png")
        assert await harness.checks.picture(checks[2].id) == b"same"
    assert await harness.checks.delete(checks[2].id)
    await _gone(harness, job_id, checks[0].sha256, *(check.id for check in checks))


async def test_what_expires_leaves_nothing(tmp_path: Path) -> None:
    async with queue_harness(tmp_path, retention=1) as harness:
        checks = await harness.submit(b"first", b"second", team="desk")
        (job_id, *_) = take(harness, max_jobs=1)
        finish(harness, job_id)
        words = [job_id, *(c.id for c in checks), *(c.sha256 for c in checks)]
        assert traces(harness, *words)
        await _gone(harness, *words)


async def test_deleted_and_asked_for_again_at_once(harness: QueueHarness) -> None:
    """A check that is made while the file is removed never ends up without it."""

    async def churn(rounds: int) -> None:
        for _ in range(rounds):
            check = await harness.checks.submit(as_picture(b"contested"), door=Door.WEB)
            assert await harness.checks.picture(check.id) == b"contested"
            assert await harness.checks.delete(check.id)

    await asyncio.gather(*(churn(40) for _ in range(6)))
    await _gone(harness, "contested")


async def test_a_removal_that_was_cut_off_is_finished(
    harness: QueueHarness, monkeypatch: Any
) -> None:
    (check,) = await harness.submit(b"a picture")
    harness.queue.delete_check(check.id)  # and then the process dies
    assert Store.of(harness.settings).has_picture(check.sha256)
    monkeypatch.setattr("unmask.queue.janitor.REMOVING_SECONDS", 0.0)
    store = Store.of(harness.settings)

    async def removed() -> bool:
        return not store.has_picture(check.sha256)

    await harness.until(removed, 10)
    (again,) = await harness.submit(b"a picture")
    assert await harness.checks.picture(again.id) == b"a picture"


# ---- what got lost


async def test_a_job_in_no_queue_is_found(harness: QueueHarness, monkeypatch: Any) -> None:
    await harness.submit(b"a", b"b")
    monkeypatch.setattr("unmask.queue.janitor.ORPHAN_SECONDS", 0.0)
    monkeypatch.setattr("unmask.queue.janitor.STORING_SECONDS", 0.0)
    client = harness.client
    client.delete("rq:queue:unmask-shared-interactive")
    job_id = str(client.zrange("unmask:open", 0, 0)[0])
    client.delete(f"rq:job:{job_id}")
    janitor = Janitor(harness.queue, Store.of(harness.settings), harness.settings)

    async def back() -> bool:
        client.delete("unmask:janitor")
        janitor.round()
        return client.llen("rq:queue:unmask-shared-interactive") == 2

    await harness.until(back, 10)
    assert client.exists(f"rq:job:{job_id}")


async def test_a_caller_that_died_before_storing(harness: QueueHarness, monkeypatch: Any) -> None:
    monkeypatch.setattr("unmask.queue.janitor.ORPHAN_SECONDS", 0.0)
    monkeypatch.setattr("unmask.queue.janitor.STORING_SECONDS", 0.0)
    made = await harness.checks._register(_Request(as_picture(b"lost"), Door.WEB))
    assert not made.is_queued
    ended = await harness.checks.wait(made.check_id, 10)
    assert ended is not None and ended.error and ended.error["code"] == "picture_missing"
