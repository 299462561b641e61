"""The queue's statistics, a little old: many requests want them, and asking costs the queue."""

from __future__ import annotations

import asyncio
import time

from unmask.errors import UnmaskError
from unmask.queue import CheckQueue, Stats

#: The queue is asked at most once in this many seconds.
GRAIN = 0.5


class RecentStats:
    """Asks for all who want to know; what went wrong is kept for as long as an answer is."""

    def __init__(self, checks: CheckQueue) -> None:
        self._checks = checks
        self._turn = asyncio.Lock()
        self._answer: Stats | UnmaskError | None = None
        self._asked = 0.0

    async def get(self) -> Stats:
        """The statistics; raises ``queue_unavailable``."""
        async with self._turn:
            if self._answer is None or time.monotonic() - self._asked > GRAIN:
                self._answer = await self._ask()
                self._asked = time.monotonic()
            answer = self._answer
        if isinstance(answer, UnmaskError):
            raise UnmaskError(answer.code, answer.message, **answer.detail)
        return answer

    async def _ask(self) -> Stats | UnmaskError:
        try:
            return await self._checks.stats()
        except UnmaskError as error:
            return error
