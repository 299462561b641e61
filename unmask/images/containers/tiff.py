"""TIFF 6.0 and BigTIFF: the chain of directories, one for each page."""

from __future__ import annotations

from struct import calcsize

from unmask.images.containers.segments import (
    BrokenContainerError,
    Budget,
    Bytes,
    Fault,
    Segments,
    fields,
    segment,
)


def segments(data: Bytes, start: int = 0) -> Segments:
    """Yield an ``IFD`` for each page; its payload is the entries, of 12 bytes (BigTIFF: 20) each.

    Offsets in a TIFF count from ``start``. What the entries point to may lie anywhere, so the end
    of the file's own bytes is not known. A chain that leads back to a page ends there.
    """
    order = byte_order(data, start)
    big = bytes(data[start + 2 : start + 4]) in (b"+\0", b"\0+")
    offset, count, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    budget, visited = Budget(data), set[int]()
    link = fields(order + offset, data, start + (8 if big else 4))
    while link and link[0] and link[0] not in visited:
        page = start + link[0]
        budget.spend(page)
        entries = fields(order + count, data, page)
        if not entries:
            raise BrokenContainerError(Fault.TRUNCATED, len(data))
        visited.add(link[0])
        head, length = calcsize(order + count), entry * entries[0]
        yield segment(data, "IFD", page, head, head + length)
        link = fields(order + offset, data, page + head + length)
    if not link:
        raise BrokenContainerError(Fault.TRUNCATED, len(data))
    return None


def byte_order(data: Bytes, start: int = 0) -> str:
    """``<`` or ``>``, as :mod:`struct` names the order of the bytes."""
    return "<" if data[start] == ord("I") else ">"
