"""The queue of itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.queue_harness import QueueHarness, queue_harness
from tests.unmask.queue.scripted_worker import take
from unmask.errors import UnmaskError
from unmask.queue.keys import SHARED
from unmask.report import Priority

pytestmark = pytest.mark.anyio


async def test_stats(harness: QueueHarness) -> None:
    await harness.submit(*(b"%d" % n for n in range(10)))
    await harness.submit(b"bulk", bulk=True)
    before = await harness.checks.stats()
    assert before.waiting == 11 and before.workers == 0
    assert before.estimated_wait_seconds is None
    take(harness, max_jobs=4)
    about = {"model": "1.0.0", "pools": [SHARED], "seconds": 0.25}
    harness.queue.heartbeat("w1", json.dumps(about), [])
    harness.queue.heartbeat("w2", json.dumps(about | {"engine": "openvino"}), [])
    harness.queue.count({"batches": 1, "ms:model": 12.5})
    found = await harness.checks.stats()
    assert found.depth == {"unmask-shared-interactive": 6, "unmask-shared-bulk": 1}
    assert found.running == 4 and found.workers == 2 and found.models == {"1.0.0": 2}
    assert found.engines == {"onnxruntime": 1, "openvino": 1}
    assert found.estimated_wait_seconds == pytest.approx((6 + 1 + 2) * 0.25 / 2)
    assert 0 < found.oldest_seconds < 30
    assert found.counters == {"batches": 1.0, "ms:model": 12.5}
    assert found.in_hand == {SHARED: 4}
    assert await harness.checks.ping()


async def test_each_pool_waits_for_its_own_workers(tmp_path: Path) -> None:
    async with queue_harness(tmp_path, team_pools="desk") as harness:
        await harness.submit(*(b"%d" % n for n in range(6)), team="desk")
        await harness.submit(*(b"b%d" % n for n in range(3)), team="desk", bulk=True)
        await harness.submit(*(b"s%d" % n for n in range(5)))
        take(harness, max_jobs=2, pools=("desk",))
        take(harness, max_jobs=1)
        both = {"model": "1.0.0", "pools": ["desk", SHARED], "seconds": 0.5}
        harness.queue.heartbeat("w1", json.dumps(both), [])
        harness.queue.heartbeat("w2", json.dumps(both | {"pools": ["desk"], "seconds": 0.25}), [])
        found = await harness.checks.stats()
        assert found.in_hand == {"desk": 2, SHARED: 1} and found.running == 3
        assert found.pace == {"desk": pytest.approx(6), SHARED: pytest.approx(2)}
        waits = {
            (pool, priority): found.wait_in(pool, priority)
            for pool in ("desk", SHARED, "lonely")
            for priority in Priority
        }
        assert waits == {
            ("desk", Priority.INTERACTIVE): pytest.approx((4 + 1 + 1) / 6),
            ("desk", Priority.BULK): pytest.approx((4 + 3 + 1) / 6),
            (SHARED, Priority.INTERACTIVE): pytest.approx((4 + 0.5) / 2),
            (SHARED, Priority.BULK): pytest.approx((4 + 0.5) / 2),
            ("lonely", Priority.INTERACTIVE): None,
            ("lonely", Priority.BULK): None,
        }
        assert [found.waiting_in(pool) for pool in ("desk", SHARED, "lonely")] == [7, 4, 0]
        assert found.estimated_wait_seconds == waits[SHARED, Priority.INTERACTIVE]
        teams = (None, "", "desk", "shared", "other")
        assert [harness.checks.pool_of(team) for team in teams] == [SHARED] * 2 + ["desk"] + [
            SHARED
        ] * 2


async def test_without_redis(harness: QueueHarness) -> None:
    harness.valkey.stop()
    assert not await harness.checks.ping()
    with pytest.raises(UnmaskError) as away:
        await harness.submit(b"a")
    assert away.value.code == "queue_unavailable"


def test_the_queue_needs_no_detector() -> None:
    code = (
        "import sys, unmask.queue, unmask.store, unmask.queue.events, unmask.queue.valkey;"
        "print([m for m in ('onnxruntime', 'cv2', 'numpy', 'worker') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
