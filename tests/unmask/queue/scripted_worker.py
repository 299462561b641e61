"""What a worker does to the queue, done by the test itself."""

from __future__ import annotations

import asyncio
import json
import zlib
from datetime import UTC, datetime
from typing import Any

from tests.faults.queue_harness import QueueHarness, picture
from tests.faults.stub_detector import examination
from unmask.images import open_picture
from unmask.queue.keys import SHARED
from unmask.report import Check, Door, Report, State
from unmask.settings import Settings
from unmask.store import Store


def take(harness: QueueHarness, max_jobs: int = 8, pools: tuple[str, ...] = (SHARED,)) -> list[str]:
    """Take a batch and begin it, as a worker does."""
    job_ids = harness.queue.take(pools, max_jobs)
    harness.queue.begin("test", job_ids)
    return job_ids


def report(probability: float = 0.9) -> Report:
    opened = open_picture(picture(0), Settings())
    return examination(opened, probability).report


def done_check() -> Check:
    """A check that is done."""
    now = datetime.now(UTC)
    fields = {"id": "1" * 32, "sha256": "0" * 64, "door": Door.API, "model_version": "1"}
    state = {"state": State.DONE, "created": now, "expires": now, "report": report()}
    return Check.model_validate(fields | state)


def finish(harness: QueueHarness, job_id: str, probability: float = 0.9) -> None:
    """Store a result and complete the job, as a worker does."""
    result = report(probability)
    store = Store.of(harness.settings)
    store.put_result(job_id, "mask.png", b"mask of " + job_id.encode())
    store.put_result(job_id, "report.json", result.model_dump_json().encode())
    harness.queue.complete(job_id, result)


async def _all(harness: QueueHarness, team: str | None, **about: Any) -> list[Check]:
    found: list[Check] = []
    page = await harness.checks.list(team, **about)
    found += page.checks
    while page.cursor:
        page = await harness.checks.list(team, cursor=page.cursor, **about)
        found += page.checks
    return found


def traces(harness: QueueHarness, *words: str) -> list[str]:
    """Where any of ``words`` stands in Redis, in its files or in the store."""
    texts = [w.encode() for w in words]
    client = harness.client
    client.connection_pool.connection_kwargs["decode_responses"] = False
    client.connection_pool.reset()
    found = []
    for key in client.scan_iter():
        for value in [key, *_values(client, key)]:
            plain = _inflated(value)
            found += [f"{key!r}: {text!r}" for text in texts if text in value or text in plain]
    for path in harness.log.parent.rglob("*"):
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


async def _gone(harness: QueueHarness, *words: str) -> None:
    """Nothing is left, once Redis has rewritten its append-only file."""

    async def nothing() -> bool:
        return not traces(harness, *words)

    await asyncio.sleep(0.05)
    await harness.until(nothing, 10)
