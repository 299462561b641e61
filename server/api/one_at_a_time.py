"""Dear work on stored pictures: one piece at a time, shared by all who ask for the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from unmask.errors import UnmaskError

#: Pieces of work that may wait; that on a picture of 50 million pixels takes some seconds.
MAX_WAITING = 20
RETRY = 10

Read = Callable[[], Awaitable[bytes | None]]
Draw = Callable[[bytes], Awaitable[bytes]]


class OneAtATime:
    """Makes pictures of pictures, one at a time: a large one takes much memory while it is decoded.
    Requests for the same share one."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[bytes | None]] = {}

    async def make(self, key: str, read: Read, draw: Draw) -> bytes | None:
        """What ``draw`` makes of the picture that ``read`` returns; None if it returns none.

        ``read`` is called when it is this picture's turn, so that no more than one is in memory.
        What has the same ``key`` must be the same. Raises ``busy``, and what the two raise.
        """
        while True:
            other = self._tasks.get(key)
            made = await asyncio.shield(other or self._begin(key, read, draw))
            # None from another client's task says only that the other client's check is removed.
            if made is not None or other is None:
                return made

    def _begin(self, key: str, read: Read, draw: Draw) -> asyncio.Task[bytes | None]:
        # One task runs, the others wait.
        if len(self._tasks) > MAX_WAITING:
            message = f"Many pictures are being shown just now. Try again in {RETRY} seconds."
            raise UnmaskError("busy", message, retry_after=RETRY)
        task = asyncio.create_task(self._make(key, read, draw))
        self._tasks[key] = task
        # Retrieves the error, or asyncio logs it where every client has left.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def _make(self, key: str, read: Read, draw: Draw) -> bytes | None:
        try:
            async with self._lock:
                data = await read()
                return None if data is None else await draw(data)
        finally:
            del self._tasks[key]
