"""Rate limits of the doors: how many requests of a kind a caller may make in a minute."""

from __future__ import annotations

import math
import time
from typing import Any

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import ResponseError

from unmask.errors import UnmaskError
from unmask.queue.clients import reachable


class Limiter:
    """Counts by the minute, in Redis, so that several processes count together.

    While Redis refuses to write, because its disk or its memory is full, each process counts by
    itself: what is there can still be read and deleted.
    """

    def __init__(self, redis_url: str, prefix: str = "unmask:rate") -> None:
        scheme, _, rest = redis_url.partition("://")
        scheme = "redis+unix" if scheme == "unix" else scheme
        self._storage = RedisStorage(
            f"async+{scheme}://{rest}", implementation="redispy", key_prefix=prefix
        )
        self._shared = SlidingWindowCounterRateLimiter(self._storage)
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def hit(self, kind: str, caller: str, per_minute: int) -> None:
        """Count one request of a caller; 0 is no limit.

        Raises ``rate_limited`` (``retry_after``, in seconds) if it exceeds the limit, and
        ``queue_unavailable``.
        """
        if per_minute == 0:
            return
        item = RateLimitItemPerMinute(per_minute)
        with reachable():
            try:
                seconds = await _seconds_to_wait(self._shared, item, kind, caller)
            except ResponseError:
                seconds = await _seconds_to_wait(self._own, item, kind, caller)
        if seconds == 0:
            return
        raise UnmaskError(
            "rate_limited",
            f"More than {per_minute} {kind} a minute. Try again in {seconds} seconds.",
            limit=per_minute,
            retry_after=seconds,
        )

    async def close(self) -> None:
        """Close the connections."""
        client: Any = getattr(self._storage.bridge, "storage", None)
        if client is not None:
            await client.aclose()


async def _seconds_to_wait(
    window: SlidingWindowCounterRateLimiter, item: RateLimitItemPerMinute, kind: str, caller: str
) -> int:
    """Count one request; 0, or if it exceeds the limit the seconds after which to try again."""
    if await window.hit(item, kind, caller):
        return 0
    stats = await window.get_window_stats(item, kind, caller)
    return max(1, math.ceil(stats.reset_time - time.time()))
