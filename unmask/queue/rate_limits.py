"""Rate limits of the doors: how many requests of a kind a caller may make in a minute."""

from __future__ import annotations

import math
import time
from typing import Any

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from unmask.errors import UnmaskError
from unmask.queue.clients import reachable


class Limiter:
    """Counts by the minute, in Redis, so that several processes count together."""

    def __init__(self, redis_url: str, prefix: str = "unmask:rate") -> None:
        scheme, _, rest = redis_url.partition("://")
        scheme = "redis+unix" if scheme == "unix" else scheme
        self._storage = RedisStorage(
            f"async+{scheme}://{rest}", implementation="redispy", key_prefix=prefix
        )
        self._window = SlidingWindowCounterRateLimiter(self._storage)

    async def hit(self, kind: str, caller: str, per_minute: int) -> None:
        """Count one request of a caller; 0 is no limit.

        Raises ``rate_limited`` (``retry_after``, in seconds) if it exceeds the limit, and
        ``queue_unavailable``.
        """
        if per_minute == 0:
            return
        item = RateLimitItemPerMinute(per_minute)
        with reachable():
            if await self._window.hit(item, kind, caller):
                return
            stats = await self._window.get_window_stats(item, kind, caller)
        seconds = max(1, math.ceil(stats.reset_time - time.time()))
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
