"""The queue without a worker: the tests play the worker through the ledger."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.stage import Stage, picture, stage
from tests.faults.standin import examination
from unmask.errors import UnmaskError
from unmask.images import open_picture
from unmask.queue import Order
from unmask.queue.janitor import Janitor
from unmask.queue.keys import SHARED
from unmask.report import Check, Door, Priority, Report, State, Verdict
from unmask.settings import Settings
from unmask.store import Store

pytestmark = pytest.mark.timeout(60)

Play = Callable[[Stage], Awaitable[None]]


def run(folder: Path, play: Play, **settings: Any) -> None:
    async def on_stage() -> None:
        async with stage(folder, **settings) as on:
            await play(on)

    asyncio.run(on_stage())


def works(on: Stage, most: int = 8, pools: tuple[str, ...] = (SHARED,)) -> list[str]:
    """Take a batch and begin it, as a worker does."""
    taken = on.ledger.take(pools, most)
    on.ledger.begin("test", taken)
    return taken


def report(probability: float = 0.9) -> Report:
    opened = open_picture(picture(0), Settings())
    return examination(opened, probability).report


def finish(on: Stage, work: str, probability: float = 0.9) -> None:
    """Store a result and settle the work, as a worker does."""
    found = report(probability)
    store = Store.of(on.settings)
    store.put_result(work, "mask.png", b"mask of " + work.encode())
    store.put_result(work, "report.json", found.model_dump_json().encode())
    on.ledger.settle(work, found)


# ---- one job for one picture


def test_the_same_picture_is_one_job(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        first, second = await on.submit(b"same", b"same")
        (other,) = await on.submit(b"same", team="desk", door=Door.API)
        assert len({first.id, second.id, other.id}) == 3
        (work,) = works(on)
        assert {(await on.checks.get(c.id)).state for c in (first, other)} == {State.RUNNING}  # type: ignore[union-attr]
        finish(on, work)
        (late,) = await on.submit(b"same")
        assert late.state is State.DONE and late.verdict is Verdict.FAKE
        assert not works(on)
        found = await on.checks.report(late.id)
        assert found is not None and found.id == late.id and found.created == late.created

    run(tmp_path, play)


def test_a_thousand_askers_at_once_make_one_job(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        submits = (on.checks.submit(b"same", door=Door.WEB) for _ in range(1000))
        checks = await asyncio.gather(*submits)
        assert len({check.id for check in checks}) == 1000
        waiting = asyncio.gather(*(on.checks.wait(check.id, 20) for check in checks))
        await asyncio.sleep(0.3)
        # All of them listen over one connection.
        subscribers = on.client.client_list(_type="pubsub")
        assert len(subscribers) == 1
        assert len(on.client.client_list()) < 40
        (work,) = works(on)
        finish(on, work)
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
            (work,) = works(on)
            on.ledger.settle(work, UnmaskError(code, "It failed."))
            (again,) = await on.submit(code.encode())
            assert again.state is state
            works(on)

    run(tmp_path, play)


# ---- who is served first


def test_people_come_before_bulk_and_share_no_batch_with_it(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        await on.submit(b"a", b"b", b"c", bulk=True)
        await on.submit(b"d", b"e")
        assert [len(works(on)), len(works(on)), len(works(on))] == [2, 3, 0]

    run(tmp_path, play)


def test_a_person_pulls_a_bulk_job_forward(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        await on.submit(b"a", b"b", bulk=True)
        (mine,) = await on.submit(b"b")
        assert mine.priority is Priority.INTERACTIVE
        assert len(works(on)) == 1
        assert (await on.checks.get(mine.id)).state is State.RUNNING  # type: ignore[union-attr]
        assert len(works(on)) == 1

    run(tmp_path, play)


def test_a_team_may_have_workers_of_its_own(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        await on.submit(b"a", team="desk")
        await on.submit(b"a", b"b", team="other")
        assert len(works(on, pools=("desk",))) == 1
        assert len(works(on, pools=(SHARED,))) == 2

    run(tmp_path, play, team_pools="desk, press")


def test_a_job_that_was_delivered_before_comes_alone(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        await on.submit(b"a", b"b", b"c")
        taken = works(on, most=2)
        on.client.zadd("unmask:lease", dict.fromkeys(taken, 0))
        assert set(on.ledger.reclaim().values()) == {"requeued"}
        assert sorted(len(works(on)) for _ in range(3)) == [1, 1, 1]

    run(tmp_path, play)


# ---- events


def test_each_change_comes_once_and_in_order(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        (check,) = await on.submit(b"a")

        async def follow() -> list[State]:
            return [found.state async for found in on.checks.events(check.id)]

        followers = [asyncio.create_task(follow()) for _ in range(50)]
        await asyncio.sleep(0.1)
        (work,) = works(on)
        finish(on, work)
        on.ledger.settle(work, UnmaskError("damaged", "A second end."))
        expected = [State.QUEUED, State.RUNNING, State.DONE]
        assert await asyncio.gather(*followers) == [expected] * 50
        assert [found.state async for found in on.checks.events(check.id)] == [State.DONE]
        assert (await on.checks.get(check.id)).state is State.DONE  # type: ignore[union-attr]

    run(tmp_path, play)


def test_no_wakeup_is_lost(tmp_path: Path) -> None:
    """Checks end at every moment around the start of a wait."""

    async def play(on: Stage) -> None:
        checks = await on.submit(*(b"%d" % n for n in range(200)))
        taken = works(on, most=200)

        def settle() -> None:
            for work in taken:
                on.ledger.settle(work, UnmaskError("damaged", "It is damaged."))

        settling = asyncio.create_task(asyncio.to_thread(settle))
        for check in checks:
            ended = await on.checks.wait(check.id, 10)
            assert ended is not None and ended.ended
        await settling

    run(tmp_path, play)


def test_a_wait_ends_in_time(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        (check,) = await on.submit(b"a")
        assert await on.checks.wait(check.id, 0.2) == check
        assert await on.checks.wait("0" * 32, 5) is None
        assert await on.checks.wait("nonsense", 5) is None

    run(tmp_path, play)


def test_a_deleted_check_ends_its_events(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        mine, theirs = await on.submit(b"a", b"a")
        following = asyncio.create_task(on.checks.wait(mine.id, 20))
        others = asyncio.create_task(on.checks.wait(theirs.id, 20))
        await asyncio.sleep(0.1)
        assert await on.checks.delete(mine.id)
        assert (await asyncio.wait_for(following, 5)) == mine
        (work,) = works(on)
        finish(on, work)
        ended = await others
        assert ended is not None and ended.state is State.DONE

    run(tmp_path, play)


# ---- lists


def test_a_teams_list(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        mine = await on.submit(*(b"%d" % n for n in range(25)), team="desk")
        await on.submit(b"elsewhere")
        for number, work in enumerate(works(on, most=20)):
            finish(on, work, (number * 7 % 20) / 20)
        listed = await _all(on, "desk", limit=7)
        assert [check.id for check in listed] == [check.id for check in reversed(mine)]
        suspects = await _all(on, "desk", limit=4, order=Order.SUSPICIOUS)
        shown = [-1 if c.fake_probability is None else c.fake_probability for c in suspects]
        assert shown == sorted(shown, reverse=True) and len(shown) == 25
        fakes = await _all(on, "desk", limit=3, verdict=Verdict.FAKE, order="suspicious")
        assert len(fakes) == 10 and {check.verdict for check in fakes} == {Verdict.FAKE}
        queued = await _all(on, "desk", limit=100, state=State.QUEUED)
        assert {check.id for check in queued} == {check.id for check in mine[20:]}
        assert len(await _all(on, None, limit=10)) == 1

    run(tmp_path, play)


@pytest.mark.parametrize(
    "about",
    [{"cursor": "x"}, {"cursor": "1~2"}, {"order": "best"}, {"team": "No Team"}, {"team": "a:b"}],
)
def test_a_list_that_cannot_be(tmp_path: Path, about: dict[str, Any]) -> None:
    async def play(on: Stage) -> None:
        with pytest.raises(UnmaskError) as refused:
            await on.checks.list(**about)
        assert refused.value.code == "bad_request"

    run(tmp_path, play)


async def _all(on: Stage, team: str | None, **about: Any) -> list[Check]:
    found: list[Check] = []
    page = await on.checks.list(team, **about)
    found += page.checks
    while page.cursor:
        page = await on.checks.list(team, cursor=page.cursor, **about)
        found += page.checks
    return found


# ---- nothing is left


def traces(on: Stage, *words: str) -> list[str]:
    """Where any of ``words`` stands in Redis, in its files or in the store."""
    texts = [w.encode() for w in words]
    client = on.client
    client.connection_pool.connection_kwargs["decode_responses"] = False
    client.connection_pool.reset()
    found = []
    for key in client.scan_iter():
        for value in [key, *_values(client, key)]:
            plain = _inflated(value)
            found += [f"{key!r}: {text!r}" for text in texts if text in value or text in plain]
    for path in on.log.parent.rglob("*"):
        try:
            data = path.read_bytes()
        except OSError:  # a folder, a socket, or a file that went after it was listed
            data = b""
        found += [f"{path}" for text in texts if text in data or text.decode() in str(path)]
    return found


def _values(client: Any, key: bytes) -> list[bytes]:
    match client.type(key):
        case b"hash":
            return [part for pair in client.hgetall(key).items() for part in pair]
        case b"list":
            return list(client.lrange(key, 0, -1))
        case b"set":
            return list(client.smembers(key))
        case b"zset":
            return list(client.zrange(key, 0, -1))
        case b"stream":
            return [json.dumps(str(client.xrange(key))).encode()]
        case _:
            value = client.get(key)  # None where it went after it was listed
            return [] if value is None else [value]


def _inflated(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return b""


async def _gone(on: Stage, *words: str) -> None:
    """Nothing is left, once Redis has written its append-only file anew."""

    async def nothing() -> bool:
        return not traces(on, *words)

    await asyncio.sleep(0.05)
    await on.until(nothing, 10)


@pytest.mark.parametrize("moment", ["queued", "running", "done", "failed", "idempotent"])
def test_delete_leaves_nothing(tmp_path: Path, moment: str) -> None:
    async def play(on: Stage) -> None:
        data = b"a picture of someone " * 3
        key = "idempotency" if moment == "idempotent" else None
        (check,) = await on.submit(data, team="desk", idempotency_key=key)
        (kept,) = await on.submit(b"another")
        taken = works(on, most=1) if moment != "queued" else []
        work = on.client.hget(f"unmask:check:{check.id}", "work") or ""
        if moment in ("done", "idempotent"):
            finish(on, taken[0])
        if moment == "failed":
            on.ledger.settle(taken[0], UnmaskError("damaged", "It is damaged."))
        words = [check.id, check.sha256, str(work), data.decode()]
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
        (work,) = works(on)
        finish(on, work)
        for check in checks[:2]:
            assert await on.checks.delete(check.id)
            assert await on.checks.result_picture(checks[2].id, "mask.png")
            assert await on.checks.picture(checks[2].id) == b"same"
        assert await on.checks.delete(checks[2].id)
        await _gone(on, work, checks[0].sha256, *(check.id for check in checks))

    run(tmp_path, play)


def test_what_expires_leaves_nothing(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        checks = await on.submit(b"first", b"second", team="desk")
        (work, *_) = works(on, most=1)
        finish(on, work)
        words = [work, *(c.id for c in checks), *(c.sha256 for c in checks)]
        assert traces(on, *words)
        await _gone(on, *words)

    run(tmp_path, play, retention=1)


def test_deleted_and_asked_for_again_at_once(tmp_path: Path) -> None:
    """Whoever asks while the file is removed never ends up without it."""

    async def play(on: Stage) -> None:
        async def churn(rounds: int) -> None:
            for _ in range(rounds):
                check = await on.checks.submit(b"contested", door=Door.WEB)
                assert await on.checks.picture(check.id) == b"contested"
                assert await on.checks.delete(check.id)

        await asyncio.gather(*(churn(40) for _ in range(6)))
        await _gone(on, "contested")

    run(tmp_path, play)


def test_a_removal_that_was_cut_off_is_finished(tmp_path: Path, monkeypatch: Any) -> None:
    async def play(on: Stage) -> None:
        (check,) = await on.submit(b"a picture")
        on.ledger.forget(check.id)  # and then the process dies
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
        monkeypatch.setattr("unmask.queue.janitor.LOST_SECONDS", 0.0)
        monkeypatch.setattr("unmask.queue.janitor.STORING_SECONDS", 0.0)
        client = on.client
        client.delete("rq:queue:unmask-shared-interactive")
        work = str(client.zrange("unmask:open", 0, 0)[0])
        client.delete(f"rq:job:{work}")
        janitor = Janitor(on.ledger, Store.of(on.settings), on.settings)

        async def back() -> bool:
            client.delete("unmask:janitor")
            janitor.round()
            return client.llen("rq:queue:unmask-shared-interactive") == 2

        await on.until(back, 10)
        assert client.exists(f"rq:job:{work}")

    run(tmp_path, play)


def test_an_asker_that_died_before_storing(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("unmask.queue.janitor.STORING_SECONDS", 0.0)

    async def play(on: Stage) -> None:
        check, _, pushed = await on.checks._register("0" * 64, Door.WEB, None, False, None)
        assert not pushed
        ended = await on.checks.wait(check, 10)
        assert ended is not None and ended.error and ended.error["code"] == "picture_missing"

    run(tmp_path, play)


# ---- the queue of itself


def test_stats(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        await on.submit(*(b"%d" % n for n in range(10)))
        await on.submit(b"bulk", bulk=True)
        before = await on.checks.stats()
        assert before.waiting == 11 and before.workers == 0
        assert before.estimated_wait_seconds is None
        works(on, most=4)
        about = {"model": "1.0.0", "pools": [SHARED], "seconds": 0.25}
        on.ledger.beat("w1", json.dumps(about), [])
        on.ledger.beat("w2", json.dumps(about), [])
        on.ledger.count({"batches": 1, "ms:model": 12.5})
        found = await on.checks.stats()
        assert found.depth == {"unmask-shared-interactive": 6, "unmask-shared-bulk": 1}
        assert found.running == 4 and found.workers == 2 and found.models == {"1.0.0": 2}
        assert found.estimated_wait_seconds == pytest.approx((6 + 2) * 0.25 / 2)
        assert 0 < found.oldest_seconds < 30
        assert found.counters == {"batches": 1.0, "ms:model": 12.5}
        assert await on.checks.ping()

    run(tmp_path, play)


def test_without_redis(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        on.valkey.stop()
        start = time.monotonic()
        assert not await on.checks.ping()
        with pytest.raises(UnmaskError) as away:
            await on.submit(b"a")
        assert away.value.code == "queue_unavailable"
        assert time.monotonic() - start < 15

    run(tmp_path, play)


def test_the_queue_needs_no_detector() -> None:
    code = (
        "import sys, unmask.queue, unmask.store, unmask.events, unmask.valkey;"
        "print([m for m in ('onnxruntime', 'cv2', 'numpy', 'worker') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
