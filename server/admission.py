"""Whether one more request, and one more picture, is taken now: rate limits and back-pressure."""

from __future__ import annotations

import math
import time

from server.policy import Policy
from unmask.errors import UnmaskError
from unmask.queue import Checks, Stats
from unmask.rates import Limiter

#: The queue is asked for its length at most once in this many seconds.
STATS_GRAIN = 0.5
#: Pictures that may wait while no worker lives: one may be starting again.
WAITING_WITHOUT_WORKER = 500
RETRY_WITHOUT_WORKER = 30


class Admission:
    """Says yes or raises; asked before a body is read and again for each picture."""

    def __init__(
        self, policy: Policy, limiter: Limiter, checks: Checks, max_queue_seconds: float
    ) -> None:
        self._policy = policy
        self._limiter = limiter
        self._checks = checks
        self._longest = max_queue_seconds
        self._stats: tuple[float, Stats] | None = None

    async def request(self, address: str) -> None:
        """One more request from ``address``; raises ``rate_limited``."""
        await self._limiter.hit("requests", address, self._policy.requests_per_address)

    async def picture(self, address: str, key: str | None) -> None:
        """One more picture, for a key or else an address; raises ``rate_limited`` or ``busy``."""
        if key is not None:
            await self._limiter.hit("checks", f"key:{key}", self._policy.checks_per_key)
        else:
            await self._limiter.hit("checks", address, self._policy.checks_per_address)
        await self._room()

    async def _room(self) -> None:
        stats = await self._recent_stats()
        wait = stats.estimated_wait_seconds
        if wait is None and stats.waiting >= WAITING_WITHOUT_WORKER:
            raise _busy("No worker is running, and many pictures wait.", RETRY_WITHOUT_WORKER)
        if wait is not None and wait > self._longest:
            raise _busy("More pictures wait than can be examined in time.", wait - self._longest)

    async def _recent_stats(self) -> Stats:
        now = time.monotonic()
        if self._stats is None or now - self._stats[0] > STATS_GRAIN:
            self._stats = now, await self._checks.stats()
        return self._stats[1]


def _busy(why: str, seconds: float) -> UnmaskError:
    wait = max(1, math.ceil(seconds))
    return UnmaskError("busy", f"{why} Try again in {wait} seconds.", retry_after=wait)
