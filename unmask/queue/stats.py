"""What the queue tells of itself: for back-pressure, health and metrics."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from pydantic import BaseModel, ConfigDict
from redis import asyncio as aioredis
from rq.defaults import RQ_KEY_PREFIX

from unmask.queue.keys import BEAT, COUNTERS, LEASE, LEASES, SHARED, WORKER, WORKERS, queue_name
from unmask.report import Priority

#: Seconds a picture takes, before any worker told.
_GUESS = 0.5


class Stats(BaseModel):
    """The queue at one moment, and what the workers counted since the beginning.

    ``depth`` counts waiting jobs by queue name, ``waiting`` is their sum, ``running`` counts those
    in a worker's hands, ``oldest_seconds`` is the age of the job that waits longest,
    ``estimated_wait_seconds`` is how long a picture submitted now by a person would wait, None
    while no worker of the shared pool lives. ``models`` counts live workers by model version.
    ``counters`` are sums by name: ``batches``, ``pictures``, ``batch_size:<n>``, ``done``,
    ``failed``, ``error:<code>``, ``ms:<stage>`` (queue, decode, faces, model, draw, store),
    ``redelivered``.
    """

    model_config = ConfigDict(frozen=True)

    depth: dict[str, int]
    waiting: int
    running: int
    oldest_seconds: float
    estimated_wait_seconds: float | None
    workers: int
    models: dict[str, int]
    counters: dict[str, float]


async def gather(client: aioredis.Redis) -> Stats:
    """The statistics as they stand."""
    now = await _now(client)
    depth, oldest = await _depth(client)
    workers = await _workers(client, now)
    counters: Any = client.hgetall(COUNTERS)
    running: int = await client.zcard(LEASES)
    return Stats(
        depth=depth,
        waiting=sum(depth.values()),
        running=running,
        oldest_seconds=max(now - oldest, 0.0) if oldest else 0.0,
        estimated_wait_seconds=_estimate(depth, running, workers),
        workers=len(workers),
        models=dict(Counter(worker["model"] for worker in workers)),
        counters={name: float(value) for name, value in (await counters).items()},
    )


def _estimate(depth: dict[str, int], running: int, workers: list[dict[str, Any]]) -> float | None:
    """Seconds until a person's picture, submitted now, is taken up."""
    serving = [worker for worker in workers if SHARED in worker["pools"]]
    if not serving:
        return None
    ahead = depth.get(queue_name(SHARED, Priority.INTERACTIVE), 0)
    # What runs is on average half done.
    ahead_work = ahead + running / 2
    rate = sum(1 / (worker["seconds"] or _GUESS) for worker in serving)
    return float(ahead_work / rate)


async def _now(client: aioredis.Redis) -> float:
    seconds, micros = await client.time()
    return float(seconds) + micros / 1e6


async def _depth(client: aioredis.Redis) -> tuple[dict[str, int], float]:
    """Waiting jobs by queue, and when the oldest of them was asked for (0: none waits)."""
    prefix = f"{RQ_KEY_PREFIX}:queue:"
    members: Any = client.smembers(f"{RQ_KEY_PREFIX}:queues")
    names = sorted(key for key in await members if key.startswith(f"{prefix}unmask-"))
    async with client.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.llen(name)
            pipeline.lindex(name, 0)
        answers = await pipeline.execute()
    async with client.pipeline(transaction=False) as pipeline:
        for work in filter(None, answers[1::2]):
            pipeline.hget(f"unmask:work:{work}", "created")
        created = [float(value) for value in await pipeline.execute() if value]
    depth = {name.removeprefix(prefix): n for name, n in zip(names, answers[::2], strict=True)}
    return depth, min(created, default=0.0)


async def _workers(client: aioredis.Redis, now: float) -> list[dict[str, Any]]:
    """What the live workers say of themselves."""
    names: Any = await client.zrangebyscore(WORKERS, now - LEASE - BEAT, "+inf")
    said = await client.mget([WORKER + name for name in names]) if names else []
    return [json.loads(text) for text in said if text]
