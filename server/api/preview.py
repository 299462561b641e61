"""A picture as a browser shows it: upright, JPEG, of bounded size, and without its metadata.

The file of a photograph may tell where it was taken and by whom. A shared link shows the picture
without that.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from aiohttp import web
from PIL import Image

from server.api.one_at_a_time import OneAtATime, Read
from unmask.images import open_picture
from unmask.settings import Settings

#: A preview's long side is at least this, in pixels, and less than twice as much.
MIN_SIDE = 1_600
QUALITY = 88


class PreviewRenderer:
    """Renders previews one at a time: a large picture takes 700 MB while it is decoded. Requests
    for the same picture share one preview."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # Always the same thread: the C library keeps for a thread the memory that it freed.
        self._thread = ThreadPoolExecutor(1, "unmask-preview")
        self._turns = OneAtATime()

    def close(self) -> None:
        """Render no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def render(self, sha256: str, read: Read) -> bytes | None:
        """A JPEG of the picture that ``read`` returns; None if it returns none.

        ``read`` is called when it is this picture's turn, so that no more than one is in memory.
        Raises ``busy``, and what :func:`unmask.images.open_picture` raises.
        """
        return await self._turns.make(sha256, read, self._render)

    async def _render(self, data: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, render_preview, data, self._settings)


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
