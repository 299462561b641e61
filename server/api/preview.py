"""A picture as a browser shows it: upright, JPEG, of bounded size, and without its metadata.

The file of a photograph may tell where it was taken and by whom. A shared link shows the picture
without that.
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

#: A preview's long side is at least this, in pixels, and less than twice as much.
MIN_SIDE = 1_600
QUALITY = 88
#: Pictures that may wait to be rendered; one of 50 million pixels takes about two seconds.
MAX_WAITING = 20
RETRY = 10

Read = Callable[[], Awaitable[bytes | None]]


class PreviewRenderer:
    """Renders previews one at a time: a large picture takes 700 MB while it is decoded. Requests
    for the same picture share one preview."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = asyncio.Lock()
        # Always the same thread: the C library keeps for a thread the memory that it freed.
        self._thread = ThreadPoolExecutor(1, "unmask-preview")
        self._tasks: dict[str, asyncio.Task[bytes | None]] = {}

    def close(self) -> None:
        """Render no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def render(self, sha256: str, read: Read) -> bytes | None:
        """A JPEG of the picture that ``read`` returns; None if it returns none.

        ``read`` is called when it is this picture's turn, so that no more than one is in memory.
        Raises ``busy``, and what :func:`unmask.images.open_picture` raises.
        """
        while True:
            other = self._tasks.get(sha256)
            preview = await asyncio.shield(other or self._begin(sha256, read))
            # None from another client's task says only that the other client's check is removed.
            if preview is not None or other is None:
                return preview

    def _begin(self, sha256: str, read: Read) -> asyncio.Task[bytes | None]:
        # One task runs, the others wait.
        if len(self._tasks) > MAX_WAITING:
            message = f"Many pictures are being shown just now. Try again in {RETRY} seconds."
            raise UnmaskError("busy", message, retry_after=RETRY)
        task = asyncio.create_task(self._render(sha256, read))
        self._tasks[sha256] = task
        # Retrieves the error, or asyncio logs it where every client has left.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def _render(self, sha256: str, read: Read) -> bytes | None:
        try:
            async with self._lock:
                data = await read()
                if data is None:
                    return None
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(
                    self._thread, render_preview, data, self._settings
                )
        finally:
            del self._tasks[sha256]


PREVIEWS = web.AppKey("previews", PreviewRenderer)


def render_preview(data: bytes, settings: Settings) -> bytes:
    """The JPEG of a picture; raises what :func:`unmask.images.open_picture` raises."""
    picture = open_picture(data, settings)
    image = Image.fromarray(picture.pixels(picture.shrink_for(MIN_SIDE)))
    # Only a JPEG is decoded smaller, and that by 8 at most.
    factor = max(image.size) // MIN_SIDE
    if factor > 1:
        image = image.reduce(factor)
    out = BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
