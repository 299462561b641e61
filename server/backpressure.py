"""Whether one more request, and one more picture, is taken now: rate limits and back-pressure."""

from __future__ import annotations

import math

from server.cached_stats import RecentStats
from server.security.policy import Policy
from unmask.errors import UnmaskError
from unmask.queue.rate_limits import Limiter
from unmask.report import Priority
from unmask.settings import Settings

#: Pictures of a pool that may wait while none of its workers lives: one may be starting again.
WAITING_WITHOUT_WORKER = 500
RETRY_WITHOUT_WORKER = 30


class Admission:
    """Says yes or raises; asked before a body is read and again for each picture."""

    def __init__(
        self, policy: Policy, limiter: Limiter, recent: RecentStats, settings: Settings
    ) -> None:
        self._policy = policy
        self._limiter = limiter
        self._recent = recent
        self._longest = {
            Priority.INTERACTIVE: settings.max_queue_seconds,
            # Nobody waits for bulk, but what nobody serves in time fails.
            Priority.BULK: settings.max_wait / 2,
        }

    async def request(self, address: str) -> None:
        """One more request from ``address``; raises ``rate_limited``."""
        await self._limiter.hit("requests", address, self._policy.requests_per_address)

    async def picture(self, address: str, key: str | None) -> None:
        """One more picture, for a key or else an address; raises ``rate_limited``."""
        if key is not None:
            await self._limiter.hit("checks", f"key:{key}", self._policy.checks_per_key)
        else:
            await self._limiter.hit("checks", address, self._policy.checks_per_address)

    async def room(self, pool: str, priority: Priority) -> None:
        """Whether the queue that a picture would go to is short enough; raises ``busy``."""
        stats, longest = await self._recent.get(), self._longest[priority]
        wait = stats.wait_in(pool, priority)
        if wait is None and stats.waiting_in(pool) >= WAITING_WITHOUT_WORKER:
            raise _busy("No worker is running, and many pictures wait.", RETRY_WITHOUT_WORKER)
        if wait is not None and wait > longest:
            raise _busy("More pictures wait than can be examined in time.", wait - longest)


def _busy(why: str, seconds: float) -> UnmaskError:
    wait = max(1, math.ceil(seconds))
    return UnmaskError("busy", f"{why} Try again in {wait} seconds.", retry_after=wait)
