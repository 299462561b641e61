"""Gives memory back to the system after pictures that took much of it."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Let the allocator return what it keeps but does not use: hundreds of megabytes after a
    picture of 50 megapixels. Nothing is done where it has no such function, as outside of glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
