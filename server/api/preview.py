"""A picture as a browser shows it: upright, JPEG, of bounded size, and without its metadata.

A photograph's file may tell where it was taken and by whom. A link that is shared shows the picture
and not that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from aiohttp import web
from PIL import Image

from unmask.errors import UnmaskError
from unmask.images import open_picture
from unmask.settings import Settings

#: A copy's long side is at least this, in pixels, and less than twice as much.
ENOUGH = 1_600
QUALITY = 88
#: Pictures that may wait for their turn; one of 50 million pixels takes about two seconds.
MOST_WAITING = 20
RETRY = 10

Read = Callable[[], Awaitable[bytes | None]]


class Display:
    """Makes such copies one at a time: a large picture takes 700 MB while it is decoded. Whoever
    asks for the same picture meanwhile gets the same copy."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._turn = asyncio.Lock()
        # Always the same thread: the C library keeps what each thread freed for that thread.
        self._thread = ThreadPoolExecutor(1, "unmask-display")
        self._under_way: dict[str, asyncio.Task[bytes | None]] = {}

    def close(self) -> None:
        """Make no more copies."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def copy(self, sha256: str, read: Read) -> bytes | None:
        """A JPEG to show of the picture that ``read`` gives; None if it gives none.

        ``read`` is called when it is this picture's turn, so that no more than one lies in memory.
        Raises ``busy``, and what :func:`unmask.images.open_picture` raises.
        """
        while True:
            shared = self._under_way.get(sha256)
            made = await asyncio.shield(shared or self._begin(sha256, read))
            # Another asker's check may have been removed, which says nothing of this one's.
            if made is not None or shared is None:
                return made

    def _begin(self, sha256: str, read: Read) -> asyncio.Task[bytes | None]:
        # One is at work, the others wait.
        if len(self._under_way) > MOST_WAITING:
            message = f"Many pictures are being shown just now. Try again in {RETRY} seconds."
            raise UnmaskError("busy", message, retry_after=RETRY)
        task = asyncio.create_task(self._made(sha256, read))
        self._under_way[sha256] = task
        # Looked at, or asyncio complains of an error where every asker has left.
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return task

    async def _made(self, sha256: str, read: Read) -> bytes | None:
        try:
            async with self._turn:
                data = await read()
                if data is None:
                    return None
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._thread, display_copy, data, self._settings)
        finally:
            del self._under_way[sha256]


DISPLAY = web.AppKey("display", Display)


def display_copy(data: bytes, settings: Settings) -> bytes:
    """A JPEG to show; raises what :func:`unmask.images.open_picture` raises."""
    picture = open_picture(data, settings)
    image = Image.fromarray(picture.pixels(picture.shrink_for(ENOUGH)))
    # Only a JPEG is decoded smaller, and that by 8 at most.
    factor = max(image.size) // ENOUGH
    if factor > 1:
        image = image.reduce(factor)
    out = BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
