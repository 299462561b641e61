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
    MAX_STREAK,
    SHARED,
    WORKER,
    WORKERS,
    queue_name,
)
from unmask.queue.records import owner_tag
from unmask.report import Priority

#: Seconds that a picture takes, until a worker reports a measured time.
_GUESS = 0.5


class Stats(BaseModel):
    """The queue at one moment, and what the workers counted since the beginning.

    ``depth`` counts waiting jobs by queue name, ``waiting`` is their sum, ``running`` counts those
    that workers hold, ``oldest_seconds`` is the age of the job that waits longest,
    ``estimated_wait_seconds`` is how long a picture submitted now by a person would wait, None
    while no worker of the shared pool lives. ``models`` counts live workers by model version,
    ``engines`` by what their networks run on.
    ``in_hand`` counts the running jobs by pool, ``pace`` is how many pictures a second the live
    workers of each pool examine. ``lanes`` counts, for each queue, the waiting jobs of each owner
    by its tag; owners are served in turn.
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
    engines: dict[str, int] = {}
    counters: dict[str, float]
    in_hand: dict[str, int] = {}
    pace: dict[str, float] = {}
    lanes: dict[str, dict[str, int]] = {}

    def waiting_in(self, pool: str) -> int:
        """How many pictures wait in a pool."""
        return sum(self.depth.get(queue_name(pool, priority), 0) for priority in Priority)

    def waiting_of(self, owner: str, pool: str) -> int:
        """How many pictures of an owner wait in a pool."""
        queues = (queue_name(pool, priority) for priority in Priority)
        return sum(self.lanes.get(queue, {}).get(owner_tag(owner), 0) for queue in queues)

    def wait_in(self, pool: str, priority: Priority, owner: str | None = None) -> float | None:
        """Seconds until a picture submitted now to a pool is taken up, None while no worker of the
        pool lives. Of an ``owner`` fewer pictures go before it than wait, for owners take turns."""
        if pool not in self.pace:
            return None
        people = self._ahead(queue_name(pool, Priority.INTERACTIVE), owner)
        bulk = self._ahead(queue_name(pool, Priority.BULK), owner)
        if priority is Priority.BULK:
            # People go first, except for each batch in MAX_STREAK + 1.
            ahead = bulk + min(people, (bulk + 1) * MAX_STREAK)
        else:
            ahead = people + min(bulk, people / MAX_STREAK)
        # What runs is on average half done.
        return (ahead + self.in_hand.get(pool, 0) / 2) / self.pace[pool]

    def _ahead(self, queue: str, owner: str | None) -> float:
        """How many jobs of a queue are taken before the next one of an owner."""
        depth, lanes = self.depth.get(queue, 0), self.lanes.get(queue, {})
        if owner is None:
            return depth
        own = lanes.get(owner_tag(owner), 0)
        without_lane = max(depth - sum(lanes.values()), 0)
        others = (count for tag, count in lanes.items() if tag != owner_tag(owner))
        return without_lane + own + sum(min(count, own + 1) for count in others)


async def gather(client: aioredis.Redis) -> Stats:
    """The statistics as they stand."""
    now = await _now(client)
    depth, oldest = await _depth(client)
    workers = await _workers(client, now)
    counters: Any = client.hgetall(COUNTERS)
    in_hand = await _in_hand(client)
    stats = Stats(
        depth=depth,
        waiting=sum(depth.values()),
        running=sum(in_hand.values()),
        oldest_seconds=max(now - oldest, 0.0) if oldest else 0.0,
        estimated_wait_seconds=None,
        workers=len(workers),
        models=dict(Counter(worker["model"] for worker in workers)),
        # a worker of an earlier version does not tell its engine
        engines=dict(Counter(worker.get("engine", "onnxruntime") for worker in workers)),
        counters={name: float(value) for name, value in (await counters).items()},
        in_hand=in_hand,
        pace=_pace(workers),
        lanes=await _lanes(client, depth),
    )
    wait = stats.wait_in(SHARED, Priority.INTERACTIVE)
    return stats.model_copy(update={"estimated_wait_seconds": wait})


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


async def _lanes(client: aioredis.Redis, depth: dict[str, int]) -> dict[str, dict[str, int]]:
    """The number of waiting jobs by queue and owner."""
    lanes: dict[str, dict[str, int]] = {}
    for queue in (queue for queue, count in depth.items() if count):
        answer: Any = client.lrange(f"unmask:turns:{queue}", 0, -1)
        owners = list(dict.fromkeys(await answer))
        async with client.pipeline(transaction=False) as pipeline:
            for owner in owners:
                pipeline.llen(f"unmask:lane:{queue}:{owner}")
            lanes[queue] = dict(zip(owners, await pipeline.execute(), strict=True))
    return lanes


async def _workers(client: aioredis.Redis, now: float) -> list[dict[str, Any]]:
    """The status that each live worker sent with its last heartbeat."""
    # A heartbeat in times to come was sent before the clock jumped back.
    latest = now + HEARTBEAT
    names: Any = await client.zrangebyscore(WORKERS, now - LEASE - HEARTBEAT, latest)
    heartbeats = await client.mget([WORKER + name for name in names]) if names else []
    return [json.loads(text) for text in heartbeats if text]
