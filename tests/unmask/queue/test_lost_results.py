"""A done check whose report is lost or damaged in the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.queue_harness import QueueHarness
from tests.unmask.queue.scripted_worker import finish, take
from unmask.report import State
from unmask.store import Store

pytestmark = pytest.mark.anyio


def report_file(harness: QueueHarness) -> Path:
    (path,) = (harness.settings.data / "store" / "results").rglob("report.json")
    return path


def remove(path: Path) -> None:
    path.unlink()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def replace(path: Path) -> None:
    path.write_bytes(b"\xff\xfe[" + b"[" * 5_000)


@pytest.mark.parametrize("damage", [remove, cut_short, replace])
async def test_it_is_a_clear_error_and_asking_again_examines_again(
    harness: QueueHarness, damage: Any
) -> None:
    (check,) = await harness.submit(b"a")
    (job_id,) = take(harness)
    finish(harness, job_id)
    damage(report_file(harness))
    lost = await harness.checks.get(check.id)
    assert lost is not None and lost.state is State.FAILED and lost.report is None
    assert lost.error is not None and lost.error["code"] == "result_missing"
    assert lost.verdict is None and lost.fake_probability is None
    (listed,) = (await harness.checks.list()).checks
    assert listed == lost
    (again,) = await harness.submit(b"a")
    assert again.state is State.QUEUED
    (job_id,) = take(harness)
    finish(harness, job_id)
    done = await harness.checks.get(again.id)
    assert done is not None and done.report is not None


async def test_a_new_check_of_the_picture_never_gets_the_lost_result(harness: QueueHarness) -> None:
    """Nobody has read the check before: the new one finds out, and leaves nothing behind."""
    await harness.submit(b"a")
    (job_id,) = take(harness)
    finish(harness, job_id)
    report_file(harness).unlink()
    (again,) = await harness.submit(b"a")
    assert again.state is State.QUEUED and len(take(harness)) == 1
    assert len((await harness.checks.list()).checks) == 2


async def test_a_check_that_is_deleted_while_it_is_read_is_not_found(harness: QueueHarness) -> None:
    (check,) = await harness.submit(b"a")
    (job_id,) = take(harness)
    finish(harness, job_id)
    read = Store.get_result

    def deleted_first(store: Store, key: str, name: str) -> bytes | None:
        harness.checks._janitor.delete_check(check.id)
        return read(store, key, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "get_result", deleted_first)
        assert await harness.checks.get(check.id) is None
