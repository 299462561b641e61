"""Whether one more request, and one more picture, is taken now: rate limits and back-pressure."""

from __future__ import annotations

import math

from server.cached_stats import CachedStats
from server.security.policy import Policy
from unmask.errors import UnmaskError
from unmask.queue.rate_limits import Limiter
from unmask.queue.stats import Stats
from unmask.report import Priority
from unmask.settings import Settings

#: Pictures of a pool that may wait while none of its workers lives: one may be starting again. Half
#: of them may be of one owner.
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

    async def require_room(self, pool: str, priority: Priority, owner: str) -> None:
        """Raise ``busy`` if a picture of an owner would wait too long: behind its own in the queue
        of a pool, and behind others' with which it takes turns."""
        stats, longest = await self._stats.get(), self._longest_wait[priority]
        wait = stats.wait_in(pool, priority, owner)
        if wait is None:
            self._require_room_without_worker(stats, pool, owner)
        elif wait > longest:
            raise _busy("More pictures wait than can be examined in time.", wait - longest)
        # However many owners there are, no job is to fail because no worker takes it in time.
        whole = stats.wait_in(pool, priority) or 0.0
        if whole > self._longest_wait[Priority.BULK]:
            over = whole - self._longest_wait[Priority.BULK]
            raise _busy("More pictures wait than can be examined in time.", over)

    def _require_room_without_worker(self, stats: Stats, pool: str, owner: str) -> None:
        is_full = stats.waiting_in(pool) >= WAITING_WITHOUT_WORKER
        if is_full or stats.waiting_of(owner, pool) >= WAITING_WITHOUT_WORKER / 2:
            raise _busy("No worker is running, and many pictures wait.", RETRY_WITHOUT_WORKER)


def _busy(why: str, seconds: float) -> UnmaskError:
    wait = max(1, math.ceil(seconds))
    return UnmaskError("busy", f"{why} Try again in {wait} seconds.", retry_after=wait)
