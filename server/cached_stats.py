"""The queue's statistics, up to half a second old: many requests need them, and they cost the
queue some work."""

from __future__ import annotations

import asyncio
import time

from unmask.errors import UnmaskError
from unmask.queue.check_queue import CheckQueue
from unmask.queue.stats import Stats

#: Seconds for which an answer of the queue is kept.
TTL = 0.5


class CachedStats:
    """Reads the statistics once for many requests. An error is kept as long as an answer is."""

    def __init__(self, checks: CheckQueue) -> None:
        self._checks = checks
        self._lock = asyncio.Lock()
        self._answer: Stats | UnmaskError | None = None
        self._read_at = 0.0

    async def get(self) -> Stats:
        """The statistics; raises ``queue_unavailable``."""
        async with self._lock:
            if self._answer is None or time.monotonic() - self._read_at > TTL:
                self._answer = await self._read()
                self._read_at = time.monotonic()
            answer = self._answer
        if isinstance(answer, UnmaskError):
            raise UnmaskError(answer.code, answer.message, **answer.detail)
        return answer

    async def _read(self) -> Stats | UnmaskError:
        try:
            return await self._checks.stats()
        except UnmaskError as error:
            return error
