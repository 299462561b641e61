"""Sums of what the bot did, for /stats. They contain no user and no chat."""

from __future__ import annotations

from typing import Any

from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from unmask.queue.clients import reachable


class Counters:
    """Counts in Redis, across restarts. Raises ``queue_unavailable``."""

    def __init__(self, redis: aioredis.Redis, keys: Keys) -> None:
        self._redis = redis
        self._key = keys.stats

    async def add(self, *names: str) -> None:
        """Add one to each sum."""
        with reachable():
            async with self._redis.pipeline(transaction=False) as steps:
                for name in names:
                    steps.hincrby(self._key, name, 1)
                await steps.execute()

    async def sums(self) -> dict[str, int]:
        """All sums by name."""
        with reachable():
            sums: Any = await self._redis.hgetall(self._key)
        return {name: int(value) for name, value in sorted(sums.items())}
