"""One job for one picture, and who is served first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.queue_harness import Stage, as_picture, picture
from tests.unmask.queue.scripted_worker import finish, run, take
from unmask.errors import UnmaskError
from unmask.queue.keys import SHARED
from unmask.report import Door, Priority, State, Verdict
from unmask.store import Store

# ---- one job for one picture

pytestmark = pytest.mark.timeout(60)


def test_the_same_picture_is_one_job(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        first, second = await on.submit(b"same", b"same")
        (other,) = await on.submit(b"same", team="desk", door=Door.API)
        assert len({first.id, second.id, other.id}) == 3
        (job_id,) = take(on)
        assert {(await on.checks.get(c.id)).state for c in (first, other)} == {State.RUNNING}  # type: ignore[union-attr]
        finish(on, job_id)
        (late,) = await on.submit(b"same")
        assert late.state is State.DONE and late.verdict is Verdict.FAKE
        assert not take(on)
        found = await on.checks.report(late.id)
        assert found is not None and found.id == late.id and found.created == late.created

    run(tmp_path, play)


def test_the_bytes_are_not_hashed_again(tmp_path: Path) -> None:
    """The hash that a door computed is the name of the picture from then on."""

    async def play(on: Stage) -> None:
        opened = replace(as_picture(b"a"), sha256="5" * 64)
        check = await on.checks.submit(opened, door=Door.API)
        assert check.sha256 == "5" * 64
        assert Store.of(on.settings).get_picture("5" * 64) == b"a"

    run(tmp_path, play)


def test_what_redis_lost_at_once_is_asked_for_again(tmp_path: Path) -> None:
    """As one does that is killed before it has written what it answered."""

    async def play(on: Stage) -> None:
        enter, losses = on.checks._put_into_queue, 1

        async def lossy(*about: Any) -> None:
            nonlocal losses
            await enter(*about)
            if losses:
                losses -= 1
                on.client.flushall()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(on.checks, "_put_into_queue", lossy)
            check = await on.checks.submit(as_picture(picture(1)), door=Door.API)
            (job_id,) = take(on)
            finish(on, job_id)
            found = await on.checks.wait(check.id, 10)
            assert found is not None and found.state is State.DONE
            losses = 2
            with pytest.raises(UnmaskError, match="deleted"):
                await on.checks.submit(as_picture(picture(2)), door=Door.API)

    run(tmp_path, play)


def test_a_thousand_askers_at_once_make_one_job(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        submits = (on.checks.submit(as_picture(b"same"), door=Door.WEB) for _ in range(1000))
        checks = await asyncio.gather(*submits)
        assert len({check.id for check in checks}) == 1000
        waiting = asyncio.gather(*(on.checks.wait(check.id, 20) for check in checks))
        await asyncio.sleep(0.3)
        # All of them listen over one connection.
        subscribers = on.client.client_list(_type="pubsub")
        assert len(subscribers) == 1
        assert len(on.client.client_list()) < 40
        (job_id,) = take(on)
        finish(on, job_id)
        assert {check.state for check in await waiting if check} == {State.DONE}

    run(tmp_path, play)


def test_an_idempotency_key_gives_the_same_check(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        (first,) = await on.submit(b"one", idempotency_key="key")
        (again,) = await on.submit(b"one", idempotency_key="key")
        (elsewhere,) = await on.submit(b"two", idempotency_key="key", team="desk")
        assert first == again != elsewhere
        with pytest.raises(UnmaskError) as refused:
            await on.submit(b"two", idempotency_key="key")
        assert refused.value.code == "idempotency_mismatch"
        assert await on.checks.delete(first.id)
        assert (await on.submit(b"two", idempotency_key="key"))[0].state is State.QUEUED

    run(tmp_path, play)


def test_a_passing_failure_is_not_handed_on(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        for code, state in (("storage_full", State.QUEUED), ("damaged", State.FAILED)):
            await on.submit(code.encode())
            (job_id,) = take(on)
            on.queue.fail(job_id, UnmaskError(code, "It failed."))
            (again,) = await on.submit(code.encode())
            assert again.state is state
            take(on)

    run(tmp_path, play)


# ---- who is served first


def test_people_come_before_bulk_and_share_no_batch_with_it(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        await on.submit(b"a", b"b", b"c", bulk=True)
        await on.submit(b"d", b"e")
        assert [len(take(on)), len(take(on)), len(take(on))] == [2, 3, 0]

    run(tmp_path, play)


def test_a_person_pulls_a_bulk_job_forward(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        await on.submit(b"a", b"b", bulk=True)
        (mine,) = await on.submit(b"b")
        assert mine.priority is Priority.INTERACTIVE
        assert len(take(on)) == 1
        assert (await on.checks.get(mine.id)).state is State.RUNNING  # type: ignore[union-attr]
        assert len(take(on)) == 1

    run(tmp_path, play)


def test_a_team_may_have_workers_of_its_own(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        await on.submit(b"a", team="desk")
        await on.submit(b"a", b"b", team="other")
        assert len(take(on, pools=("desk",))) == 1
        assert len(take(on, pools=(SHARED,))) == 2

    run(tmp_path, play, team_pools="desk, press")


def test_a_job_that_was_delivered_before_comes_alone(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        await on.submit(b"a", b"b", b"c")
        taken = take(on, max_jobs=2)
        on.client.zadd("unmask:lease", dict.fromkeys(taken, 0))
        assert set(on.queue.requeue_expired().values()) == {"requeued"}
        assert sorted(len(take(on)) for _ in range(3)) == [1, 1, 1]

    run(tmp_path, play)
