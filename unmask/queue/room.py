"""Whether one more check can be kept: on the store's disk, in the memory of Redis, in its log."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from redis import asyncio as aioredis
from redis.exceptions import ResponseError

from unmask.errors import UnmaskError
from unmask.settings import Settings
from unmask.store import Store

#: Share of Redis's memory beyond which no check is taken: what is taken needs room to end.
FULL = 0.9
#: Seconds for which what Redis said is kept.
TTL = 0.5
#: Seconds after which somebody with too many checks may try again.
_RETRY_TOO_MANY = 600


class Room:
    """Tells whether there is room, and what there is none in."""

    def __init__(self, client: aioredis.Redis, store: Store, settings: Settings) -> None:
        self._client = client
        self._store = store
        self._min_free = settings.min_free
        self._lock = asyncio.Lock()
        self._redis_problem: str | None = None
        self._read_at = float("-inf")

    async def require(self) -> None:
        """Raise ``storage_full`` where a check would fill the disk or Redis."""
        problem = await self.problem()
        if problem is not None:
            raise UnmaskError("storage_full", f"{problem} Try again later.")

    async def problem(self) -> str | None:
        """Why no check can be kept, as a sentence; None if one can.

        Raises what Redis raises while it cannot be reached.
        """
        if not await asyncio.to_thread(self._store.has_room, self._min_free):
            return "The store's disk is full."
        async with self._lock:
            if time.monotonic() - self._read_at > TTL:
                self._redis_problem = await self._ask_redis()
                self._read_at = time.monotonic()
            return self._redis_problem

    async def _ask_redis(self) -> str | None:
        memory: Any = await self._client.info("memory")
        if 0 < FULL * memory.get("maxmemory", 0) < memory["used_memory"]:
            return "The queue's memory is full."
        try:
            await self._client.set("unmask:probe", "1", ex=60)
        except ResponseError:  # Its disk is full, or it has too few replicas.
            return "The queue takes no writes."
        return None


def too_many_checks(limit: int) -> UnmaskError:
    """The error for an owner of whose checks as many as allowed are kept."""
    message = f"{limit} of your checks are kept; delete some, or wait until they expire."
    return UnmaskError("rate_limited", message, limit=limit, retry_after=_RETRY_TOO_MANY)
