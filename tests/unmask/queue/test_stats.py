"""The queue of itself."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.queue_harness import Stage
from tests.unmask.queue.scripted_worker import run, take
from unmask.errors import UnmaskError
from unmask.queue.keys import SHARED
from unmask.report import Priority

pytestmark = pytest.mark.timeout(60)


def test_stats(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        await on.submit(*(b"%d" % n for n in range(10)))
        await on.submit(b"bulk", bulk=True)
        before = await on.checks.stats()
        assert before.waiting == 11 and before.workers == 0
        assert before.estimated_wait_seconds is None
        take(on, max_jobs=4)
        about = {"model": "1.0.0", "pools": [SHARED], "seconds": 0.25}
        on.queue.heartbeat("w1", json.dumps(about), [])
        on.queue.heartbeat("w2", json.dumps(about), [])
        on.queue.count({"batches": 1, "ms:model": 12.5})
        found = await on.checks.stats()
        assert found.depth == {"unmask-shared-interactive": 6, "unmask-shared-bulk": 1}
        assert found.running == 4 and found.workers == 2 and found.models == {"1.0.0": 2}
        assert found.estimated_wait_seconds == pytest.approx((6 + 2) * 0.25 / 2)
        assert 0 < found.oldest_seconds < 30
        assert found.counters == {"batches": 1.0, "ms:model": 12.5}
        assert found.in_hand == {SHARED: 4}
        assert await on.checks.ping()

    run(tmp_path, play)


def test_each_pool_waits_for_its_own_workers(tmp_path: Path) -> None:
    async def play(on: Stage) -> None:
        await on.submit(*(b"%d" % n for n in range(6)), team="desk")
        await on.submit(*(b"b%d" % n for n in range(3)), team="desk", bulk=True)
        await on.submit(*(b"s%d" % n for n in range(5)))
        take(on, max_jobs=2, pools=("desk",))
        take(on, max_jobs=1)
        both = {"model": "1.0.0", "pools": ["desk", SHARED], "seconds": 0.5}
        on.queue.heartbeat("w1", json.dumps(both), [])
        on.queue.heartbeat("w2", json.dumps(both | {"pools": ["desk"], "seconds": 0.25}), [])
        found = await on.checks.stats()
        assert found.in_hand == {"desk": 2, SHARED: 1} and found.running == 3
        assert found.pace == {"desk": pytest.approx(6), SHARED: pytest.approx(2)}
        waits = {
            (pool, priority): found.wait_in(pool, priority)
            for pool in ("desk", SHARED, "lonely")
            for priority in Priority
        }
        assert waits == {
            ("desk", Priority.INTERACTIVE): pytest.approx((4 + 1) / 6),
            ("desk", Priority.BULK): pytest.approx((4 + 3 + 1) / 6),
            (SHARED, Priority.INTERACTIVE): pytest.approx((4 + 0.5) / 2),
            (SHARED, Priority.BULK): pytest.approx((4 + 0.5) / 2),
            ("lonely", Priority.INTERACTIVE): None,
            ("lonely", Priority.BULK): None,
        }
        assert [found.waiting_in(pool) for pool in ("desk", SHARED, "lonely")] == [7, 4, 0]
        assert found.estimated_wait_seconds == waits[SHARED, Priority.INTERACTIVE]
        teams = (None, "", "desk", "shared", "other")
        assert [on.checks.pool_of(team) for team in teams] == [SHARED] * 2 + ["desk"] + [SHARED] * 2

    run(tmp_path, play, team_pools="desk")


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
        "import sys, unmask.queue, unmask.store, unmask.queue.events, unmask.queue.valkey;"
        "print([m for m in ('onnxruntime', 'cv2', 'numpy', 'worker') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
