"""What is deleted or expires leaves nothing; what got lost is found."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.faults.queue_harness import Stage, as_picture
from tests.unmask.queue.scripted_worker import _gone, finish, run, take, traces
from unmask.errors import UnmaskError
from unmask.queue.janitor import Janitor
from unmask.report import Door
from unmask.store import Store

# ---- nothing is left

pytestmark = pytest.mark.timeout(60)


@pytest.mark.parametrize("moment", ["queued", "running", "done", "failed", "idempotent"])
def test_delete_leaves_nothing(tmp_path: Path, moment: str) -> None:
    async def play(on: Stage) -> None:
        data = b"a picture of someone " * 3
        key = "idempotency" if moment == "idempotent" else None
        (check,) = await on.submit(data, team="desk", idempotency_key=key)
        (kept,) = await on.submit(b"another")
        taken = take(on, max_jobs=1) if moment != "queued" else []
        job_id = on.client.hget(f"unmask:check:{check.id}", "work") or ""
        if moment in ("done", "idempotent"):
            finish(on, taken[0])
        if moment == "failed":
            on.queue.fail(taken[0], UnmaskError("damaged", "It is damaged."))
        words = [check.id, check.sha256, str(job_id), data.decode()]
        assert all(traces(on, word) for word in words), "the test would find what is there"
        assert await on.checks.delete(check.id)
        assert not await on.checks.delete(check.id)
        await _gone(on, *words)
        assert await on.checks.get(check.id) is None
        assert (await on.checks.list("desk")).checks == ()
        assert await on.checks.get(kept.id) is not None
        assert await on.checks.picture(kept.id) == b"another"

    run(tmp_path, play)


def test_the_last_of_several_checks_takes_everything(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        checks = await on.submit(b"same", b"same", b"same")
        (job_id,) = take(on)
        finish(on, job_id)
        for check in checks[:2]:
            assert await on.checks.delete(check.id)
            assert await on.checks.result_picture(checks[2].id, "mask.png")
            assert await on.checks.picture(checks[2].id) == b"same"
        assert await on.checks.delete(checks[2].id)
        await _gone(on, job_id, checks[0].sha256, *(check.id for check in checks))

    run(tmp_path, play)


def test_what_expires_leaves_nothing(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        checks = await on.submit(b"first", b"second", team="desk")
        (job_id, *_) = take(on, max_jobs=1)
        finish(on, job_id)
        words = [job_id, *(c.id for c in checks), *(c.sha256 for c in checks)]
        assert traces(on, *words)
        await _gone(on, *words)

    run(tmp_path, play, retention=1)


def test_deleted_and_asked_for_again_at_once(tmp_path: Path) -> None:
    """A check that is made while the file is removed never ends up without it."""

    async def play(on: Stage) -> None:
        async def churn(rounds: int) -> None:
            for _ in range(rounds):
                check = await on.checks.submit(as_picture(b"contested"), door=Door.WEB)
                assert await on.checks.picture(check.id) == b"contested"
                assert await on.checks.delete(check.id)

        await asyncio.gather(*(churn(40) for _ in range(6)))
        await _gone(on, "contested")

    run(tmp_path, play)


def test_a_removal_that_was_cut_off_is_finished(tmp_path: Path, monkeypatch: Any) -> None:
    async def play(on: Stage) -> None:
        (check,) = await on.submit(b"a picture")
        on.queue.delete_check(check.id)  # and then the process dies
        assert Store.of(on.settings).has_picture(check.sha256)
        monkeypatch.setattr("unmask.queue.janitor.REMOVING_SECONDS", 0.0)
        store = Store.of(on.settings)

        async def removed() -> bool:
            return not store.has_picture(check.sha256)

        await on.until(removed, 10)
        (again,) = await on.submit(b"a picture")
        assert await on.checks.picture(again.id) == b"a picture"

    run(tmp_path, play)


# ---- what got lost


def test_a_job_in_no_queue_is_found(tmp_path: Path, monkeypatch: Any) -> None:
    async def play(on: Stage) -> None:
        await on.submit(b"a", b"b")
        monkeypatch.setattr("unmask.queue.janitor.ORPHAN_SECONDS", 0.0)
        monkeypatch.setattr("unmask.queue.janitor.STORING_SECONDS", 0.0)
        client = on.client
        client.delete("rq:queue:unmask-shared-interactive")
        job_id = str(client.zrange("unmask:open", 0, 0)[0])
        client.delete(f"rq:job:{job_id}")
        janitor = Janitor(on.queue, Store.of(on.settings), on.settings)

        async def back() -> bool:
            client.delete("unmask:janitor")
            janitor.round()
            return client.llen("rq:queue:unmask-shared-interactive") == 2

        await on.until(back, 10)
        assert client.exists(f"rq:job:{job_id}")

    run(tmp_path, play)


def test_an_asker_that_died_before_storing(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("unmask.queue.janitor.ORPHAN_SECONDS", 0.0)
    monkeypatch.setattr("unmask.queue.janitor.STORING_SECONDS", 0.0)

    async def play(on: Stage) -> None:
        check, _, pushed = await on.checks._register("0" * 64, Door.WEB, None, False, None)
        assert not pushed
        ended = await on.checks.wait(check, 10)
        assert ended is not None and ended.error and ended.error["code"] == "picture_missing"

    run(tmp_path, play)
