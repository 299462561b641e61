"""Statistics of the queue: for back-pressure, health and metrics."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from pydantic import BaseModel, ConfigDict
from redis import asyncio as aioredis
from rq.defaults import RQ_KEY_PREFIX

from unmask.queue.keys import (
    COUNTERS,
    HEARTBEAT,
    LEASE,
    LEASES,
    SHARED,
    WORKER,
    WORKERS,
    queue_name,
)
from unmask.report import Priority

#: Seconds that a picture takes, until a worker reports a measured time.
_GUESS = 0.5


class Stats(BaseModel):
    """The queue at one moment, and what the workers counted since the beginning.

    ``depth`` counts waiting jobs by queue name, ``waiting`` is their sum, ``running`` counts those
    that workers hold, ``oldest_seconds`` is the age of the job that waits longest,
    ``estimated_wait_seconds`` is how long a picture submitted now by a person would wait, None
    while no worker of the shared pool lives. ``models`` counts live workers by model version.
    ``in_hand`` counts the running jobs by pool, ``pace`` is how many pictures a second the live
    workers of each pool examine.
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
    in_hand: dict[str, int] = {}
    pace: dict[str, float] = {}

    def waiting_in(self, pool: str) -> int:
        """How many pictures wait in a pool."""
        return sum(self.depth.get(queue_name(pool, priority), 0) for priority in Priority)

    def wait_in(self, pool: str, priority: Priority) -> float | None:
        """Seconds until a picture submitted now to a pool is taken up, None while no worker of the
        pool lives."""
        return _wait(self.depth, self.in_hand, self.pace, pool, priority)


async def gather(client: aioredis.Redis) -> Stats:
    """The statistics as they stand."""
    now = await _now(client)
    depth, oldest = await _depth(client)
    workers = await _workers(client, now)
    counters: Any = client.hgetall(COUNTERS)
    in_hand = await _in_hand(client)
    pace = _pace(workers)
    return Stats(
        depth=depth,
        waiting=sum(depth.values()),
        running=sum(in_hand.values()),
        oldest_seconds=max(now - oldest, 0.0) if oldest else 0.0,
        estimated_wait_seconds=_wait(depth, in_hand, pace, SHARED, Priority.INTERACTIVE),
        workers=len(workers),
        models=dict(Counter(worker["model"] for worker in workers)),
        counters={name: float(value) for name, value in (await counters).items()},
        in_hand=in_hand,
        pace=pace,
    )


def _wait(
    depth: dict[str, int],
    in_hand: dict[str, int],
    pace: dict[str, float],
    pool: str,
    priority: Priority,
) -> float | None:
    if pool not in pace:
        return None
    ahead = depth.get(queue_name(pool, Priority.INTERACTIVE), 0)
    if priority is Priority.BULK:
        # People go first, and so they do while bulk waits.
        ahead += depth.get(queue_name(pool, Priority.BULK), 0)
    # What runs is on average half done.
    return (ahead + in_hand.get(pool, 0) / 2) / pace[pool]


def _pace(workers: list[dict[str, Any]]) -> dict[str, float]:
    """Pictures a second by pool. A worker of several pools counts for each, for it serves any one
    of them as soon as the others are empty."""
    pace: dict[str, float] = {}
    for worker in workers:
        for pool in worker["pools"]:
            pace[pool] = pace.get(pool, 0.0) + 1 / (worker["seconds"] or _GUESS)
    return pace


async def _in_hand(client: aioredis.Redis) -> dict[str, int]:
    """The number of running jobs, by pool."""
    job_ids: Any = await client.zrange(LEASES, 0, -1)
    async with client.pipeline(transaction=False) as pipeline:
        for job_id in job_ids:
            pipeline.hget(f"unmask:work:{job_id}", "pool")
        # A job that was deleted between the two reads has no pool any more.
        return dict(Counter(pool for pool in await pipeline.execute() if pool))


async def _now(client: aioredis.Redis) -> float:
    seconds, micros = await client.time()
    return float(seconds) + micros / 1e6


async def _depth(client: aioredis.Redis) -> tuple[dict[str, int], float]:
    """The number of waiting jobs by queue, and when the oldest was made (0: none waits)."""
    prefix = f"{RQ_KEY_PREFIX}:queue:"
    members: Any = client.smembers(f"{RQ_KEY_PREFIX}:queues")
    names = sorted(key for key in await members if key.startswith(f"{prefix}unmask-"))
    async with client.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.llen(name)
            pipeline.lindex(name, 0)
        answers = await pipeline.execute()
    async with client.pipeline(transaction=False) as pipeline:
        for job_id in filter(None, answers[1::2]):
            pipeline.hget(f"unmask:work:{job_id}", "created")
        created = [float(value) for value in await pipeline.execute() if value]
    depth = {name.removeprefix(prefix): n for name, n in zip(names, answers[::2], strict=True)}
    return depth, min(created, default=0.0)


async def _workers(client: aioredis.Redis, now: float) -> list[dict[str, Any]]:
    """The status that each live worker sent with its last heartbeat."""
    names: Any = await client.zrangebyscore(WORKERS, now - LEASE - HEARTBEAT, "+inf")
    heartbeats = await client.mget([WORKER + name for name in names]) if names else []
    return [json.loads(text) for text in heartbeats if text]
