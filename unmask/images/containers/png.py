"""PNG (W3C, third edition): chunks, those of an animation among them."""

from __future__ import annotations

from unmask.images.containers.segments import (
    BrokenContainerError,
    Budget,
    Bytes,
    Fault,
    Segment,
    Segments,
    fields,
    segment,
)

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def segments(data: Bytes, start: int = 0) -> Segments:
    """Yield the chunks of the PNG at ``start``; the tag is the chunk's type."""
    budget, position = Budget(data), start + len(SIGNATURE)
    while True:
        budget.spend(position)
        head = fields(">I4s", data, position)
        if not head:
            raise BrokenContainerError(Fault.TRUNCATED, len(data))
        tag, length = head[1].decode("latin-1"), 12 + head[0]
        yield segment(data, tag, position, 8, length, tail=4)
        position += length
        if position > len(data):
            raise BrokenContainerError(Fault.TRUNCATED, len(data))
        if tag == "IEND":
            return int(position)


def size(header: Segment) -> tuple[int, int] | None:
    """Width and height in pixels that an IHDR chunk claims."""
    return fields(">II", header.payload)  # type: ignore[no-any-return]
