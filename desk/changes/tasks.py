"""Work that is done again and again beside the requests, and ends between two rounds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from unmask.errors import UnmaskError

_log = logging.getLogger(__name__)
#: Seconds that a round may take to end after it was told to stop.
_GRACE = 8.0


class Repeated:
    """Calls ``work`` until it has nothing left (returns 0), then waits for :attr:`wake`, at most
    ``seconds``.

    A round is never broken off while it may end by itself: a transaction that is cancelled half-way
    can keep SQLite's lock until its thread ends.
    """

    def __init__(
        self, name: str, work: Callable[[], Awaitable[int]], seconds: float, *, once: bool = False
    ) -> None:
        """``once``: wait after each round, also after one that had something to do."""
        self.wake = asyncio.Event()
        self._name = name
        self._work = work
        self._seconds = seconds
        self._once = once
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, at once."""
        self._task = asyncio.create_task(self._run(), name=f"unmask-desk-{self._name}")

    async def close(self) -> None:
        """Stop after the round that is under way."""
        self._stopping = True
        self.wake.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=_GRACE)
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while not self._stopping:
            self.wake.clear()
            await self._round()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self.wake.wait()

    async def _round(self) -> None:
        try:
            while await self._work() and not self._stopping and not self._once:
                pass
        except UnmaskError as error:
            _log.warning("desk: %s is put off (%s)", self._name, error.code)
        except Exception:
            _log.exception("desk: %s failed", self._name)
