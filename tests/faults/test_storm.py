"""Everything at once: 1,000 checks through dying workers, a dying Valkey, bad pictures, a disk
without room and workers without their model. Every one ends, with a result or a code, once."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.queue_harness import QueueHarness, kill, listening, picture, queue_harness
from tests.faults.stub_detector import DAMAGED, POISON, RAISES
from unmask.report import Check, Door, State

CALLERS = 8
#: What each special picture must end with; the others are done, or met three deaths or the full
#: disk by bad luck.
SPECIAL = {
    **{picture(n, DAMAGED): {"damaged"} for n in range(2000, 2005)},
    **{picture(n, RAISES): {"internal"} for n in range(2005, 2010)},
    **{picture(n, POISON): {"poison_picture"} for n in range(2010, 2012)},
    **{b"not a picture %d" % n: {"not_a_picture"} for n in range(5)},
}
LUCK = {None, "poison_picture", "storage_full"}


@pytest.mark.anyio
async def test_storm(tmp_path: Path) -> None:
    pictures = [picture(n, side=200 if n % 97 == 0 else 20) for n in range(933)]
    pictures += [picture(n) for n in range(50)]  # asked for a second time
    pictures += SPECIAL
    assert len(pictures) == 1000
    random.Random(3).shuffle(pictures)
    async with queue_harness(tmp_path) as harness, listening(harness) as ends:
        chaos = asyncio.create_task(_chaos(harness))
        parts = [_submit(harness, pictures[caller::CALLERS]) for caller in range(CALLERS)]
        checks = [check for part in await asyncio.gather(*parts) for check in part]
        ended = await harness.ends(checks, 90)
        assert not chaos.done(), "the chaos itself failed"
        chaos.cancel()
        _assess(harness, pictures, ended)
    assert set(ends.values()) <= {0, 1}, "an end was told twice"


async def _submit(harness: QueueHarness, pictures: list[bytes]) -> list[Check]:
    checks = []
    for number, data in enumerate(pictures):
        checks += await harness.submit(data, door=Door.API, bulk=number % 3 == 0)
        await asyncio.sleep(0.02)
    return checks


async def _chaos(harness: QueueHarness) -> None:
    """Two workers are kept alive through all that is done to them, ten rounds long."""
    dice = random.Random(7)
    workers = [harness.worker(seconds=0.05), harness.worker(seconds=0.05, file_limit=16_384)]
    harness.real_worker(Path("/nonexistent/manifest.json"))
    for turn in range(10_000):
        await asyncio.sleep(0.4)
        if turn < 10:
            victim = dice.choice(workers)
            if turn % 3 == 2:
                victim.send_signal(signal.SIGTERM)
            elif victim.poll() is None:
                kill(victim)
        if turn in (4, 9):
            await _restart_valkey(harness)
        workers = [worker if worker.poll() is None else harness.worker() for worker in workers]


async def _restart_valkey(harness: QueueHarness) -> None:
    pid = harness.valkey.pid
    assert pid is not None
    # While it waits for a busy disk it answers before it has written, which no kill survives.
    while harness.client.info("persistence")["aof_pending_bio_fsync"]:
        await asyncio.sleep(0.005)
    subprocess.run(["kill", "-9", str(pid)], check=True)
    await asyncio.sleep(0.3)
    await asyncio.to_thread(harness.valkey.ensure)


def _assess(harness: QueueHarness, pictures: list[bytes], ended: list[Check]) -> None:
    by_caller = [data for caller in range(CALLERS) for data in pictures[caller::CALLERS]]
    codes = Counter(check.error and check.error["code"] for check in ended)
    for data, check in zip(by_caller, ended, strict=True):
        code = check.error["code"] if check.error else None
        assert code in SPECIAL.get(data, LUCK), (check, codes)
        assert (check.state is State.DONE) == (check.verdict is not None) == (code is None)
    assert codes[None] > 950, codes
    client = harness.client
    told = client.hgetall("unmask:counters")
    jobs = list(client.scan_iter("unmask:work:*"))
    # A picture that met the full disk and was asked for again is two jobs.
    assert int(told["done"]) + int(told["failed"]) == len(jobs) >= 950  # type: ignore[index]
    assert not client.zcard("unmask:open") and not client.zcard("unmask:lease")
    assert not list(client.scan_iter("rq:job:*")) and not list(client.scan_iter("rq:wip:*"))
    assert not list(client.scan_iter("rq:queue:*"))
