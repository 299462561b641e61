"""WebP (RFC 9649): a RIFF file of chunks."""

from __future__ import annotations

from unmask.images.containers.segments import (
    BrokenContainerError,
    Budget,
    Bytes,
    Fault,
    Segment,
    Segments,
    fields,
    little,
    segment,
)


def segments(data: Bytes, start: int = 0) -> Segments:
    """Yield the chunks of the WebP at ``start``; the tag is the chunk's FourCC, blanks included."""
    length = little(data[start + 4 : start + 8])
    stop = min(start + 8 + length + length % 2, len(data))
    budget, position = Budget(data), start + 12
    while head := fields("<4sI", data, position) if position < stop else None:
        budget.spend(position)
        yield segment(data, head[0].decode("latin-1"), position, 8, 8 + head[1])
        position += 8 + head[1] + head[1] % 2
    # The padding byte of the last chunk is often left out.
    if start + 8 + length > len(data):
        raise BrokenContainerError(Fault.TRUNCATED, stop)
    return stop


def size(first: Segment) -> tuple[int, int] | None:
    """Width and height in pixels that the first chunk claims."""
    head = first.payload
    if len(head) < 10:
        return None
    if first.tag == "VP8X":
        return little(head[4:7]) + 1, little(head[7:10]) + 1
    if first.tag == "VP8L":
        packed = little(head[1:5])
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    return little(head[6:8]) & 0x3FFF, little(head[8:10]) & 0x3FFF
