"""Whether one more request, and one more picture, is taken now: rate limits and back-pressure."""

from __future__ import annotations

import math

from server.cached_stats import CachedStats
from server.security.policy import Policy
from unmask.errors import UnmaskError
from unmask.queue.rate_limits import Limiter
from unmask.report import Priority
from unmask.settings import Settings

#: Pictures of a pool that may wait while none of its workers lives: one may be starting again.
WAITING_WITHOUT_WORKER = 500
RETRY_WITHOUT_WORKER = 30


class Backpressure:
    """Raises where one more request or picture is too many."""

    def __init__(
        self, policy: Policy, limiter: Limiter, stats: CachedStats, settings: Settings
    ) -> None:
        self._policy = policy
        self._limiter = limiter
        self._stats = stats
        self._longest_wait = {
            Priority.INTERACTIVE: settings.max_queue_seconds,
            # Nobody waits for a bulk request, but a job fails that no worker takes in time.
            Priority.BULK: settings.max_wait / 2,
        }

    async def count_request(self, address: str) -> None:
        """Count one more request from ``address``; raises ``rate_limited``."""
        await self._limiter.hit("requests", address, self._policy.requests_per_address)

    async def count_picture(self, address: str, key: str | None) -> None:
        """Count one more picture, for a key or else an address; raises ``rate_limited``."""
        if key is not None:
            await self._limiter.hit("checks", f"key:{key}", self._policy.checks_per_key)
        else:
            await self._limiter.hit("checks", address, self._policy.checks_per_address)

    async def require_room(self, pool: str, priority: Priority) -> None:
        """Raise ``busy`` if the queue that a picture would go to is too long."""
        stats, longest = await self._stats.get(), self._longest_wait[priority]
        wait = stats.wait_in(pool, priority)
        if wait is None and stats.waiting_in(pool) >= WAITING_WITHOUT_WORKER:
            raise _busy("No worker is running, and many pictures wait.", RETRY_WITHOUT_WORKER)
        if wait is not None and wait > longest:
            raise _busy("More pictures wait than can be examined in time.", wait - longest)


def _busy(why: str, seconds: float) -> UnmaskError:
    wait = max(1, math.ceil(seconds))
    return UnmaskError("busy", f"{why} Try again in {wait} seconds.", retry_after=wait)
