"""Which workers live, by the heartbeats that they leave in Redis."""

from __future__ import annotations

import json
from typing import Any

from unmask.queue.clients import open_async_client, reachable
from unmask.queue.keys import HEARTBEAT, WORKER, WORKERS


async def worker_alive(url: str, host: str, pid: int | None = None) -> bool:
    """Whether a worker on ``host`` (with that process id) has its model and serves the queue.

    A killed worker counts until its last heartbeat expires, after 15 s: to see a new one, name its
    ``pid``. Raises :class:`UnmaskError` ``queue_unavailable``.
    """
    async with open_async_client(url) as client:
        with reachable():
            seconds, _ = await client.time()
            # A heartbeat in times to come was sent before the clock jumped back.
            latest = seconds + 1 + HEARTBEAT
            names: Any = await client.zrangebyscore(WORKERS, "-inf", latest)
            heartbeats = await client.mget([WORKER + name for name in names]) if names else []
    workers = [json.loads(text) for text in heartbeats if text]
    return any(
        worker["host"] == host and (pid is None or worker["pid"] == pid) for worker in workers
    )
