"""Which pictures take much memory, and how it is given back to the system after them."""

from __future__ import annotations

import ctypes

#: Pictures of up to so many pixels, a phone's among them, are kept decoded until they are drawn on:
#: 37 megabytes each, for the pictures of two batches at most, or of three where a device judges.
KEPT_PIXELS = 12_500_000


def is_large(width: int, height: int) -> bool:
    """Whether a picture has too many pixels to be kept decoded."""
    return width * height > KEPT_PIXELS


def give_back() -> None:
    """Let the allocator return what it keeps but does not use: hundreds of megabytes after a
    picture of 50 megapixels. Nothing is done where it has no such function, as outside of glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
