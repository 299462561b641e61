"""The queue of itself."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.stage import Stage
from tests.unmask.queue.play import run, works
from unmask.errors import UnmaskError
from unmask.queue.keys import SHARED

pytestmark = pytest.mark.timeout(60)


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
