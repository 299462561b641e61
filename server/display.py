"""A picture as a browser shows it: upright, JPEG, of bounded size, and without its metadata.

A photograph's file may tell where it was taken and by whom. A link that is shared shows the picture
and not that.
"""

from __future__ import annotations

import asyncio
from io import BytesIO

from PIL import Image

from unmask.images import open_picture
from unmask.settings import Settings

#: A copy's long side is at least this, in pixels, and less than twice as much.
ENOUGH = 1_600
QUALITY = 88


class Display:
    """Makes such copies in threads, few at one time: each may hold a large picture in memory."""

    def __init__(self, settings: Settings, together: int = 2) -> None:
        self._settings = settings
        self._turns = asyncio.Semaphore(together)

    async def copy(self, data: bytes) -> bytes:
        """A JPEG to show; raises what :func:`unmask.images.open_picture` raises."""
        async with self._turns:
            return await asyncio.to_thread(display_copy, data, self._settings)


def display_copy(data: bytes, settings: Settings) -> bytes:
    """A JPEG to show; raises what :func:`unmask.images.open_picture` raises."""
    picture = open_picture(data, settings)
    out = BytesIO()
    Image.fromarray(picture.pixels(picture.shrink_for(ENOUGH))).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
