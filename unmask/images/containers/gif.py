"""GIF (89a): the screen, and blocks of sub-blocks."""

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


def segments(data: Bytes, start: int = 0) -> Segments:
    """Yield the blocks of the GIF at ``start``.

    ``screen`` is the header with its colour table; ``image`` is one frame, its payload beginning
    with its place and size; ``extension F9`` and so on is an extension, by its label; ``trailer``
    is the end.
    """
    budget, frames = Budget(data), 0
    position = start + 13 + _table(data, start + 10)
    yield segment(data, "screen", start, 6, position - start)
    while True:
        budget.spend(position)
        begin, kind = position, bytes(data[position : position + 1])
        if kind == b"!":
            label = bytes(data[begin + 1 : begin + 2]).hex().upper()
            position = _after_blocks(data, begin + 2, budget)
            yield segment(data, f"extension {label}", begin, 2, position - begin)
        elif kind == b",":
            frames += 1
            position = _after_blocks(data, begin + 11 + _table(data, begin + 9), budget)
            yield segment(data, "image", begin, 1, position - begin)
        elif kind == b";":
            yield segment(data, "trailer", begin, 1, 1)
            return begin + 1
        elif begin >= len(data):
            raise BrokenContainerError(Fault.TRUNCATED, len(data))
        elif not frames:
            raise BrokenContainerError(Fault.NO_PICTURE_DATA, begin)
        else:
            return begin


def size(screen: Segment) -> tuple[int, int] | None:
    """Width and height of the screen, in pixels."""
    return fields("<HH", screen.payload)  # type: ignore[no-any-return]


def canvas(screen: Segment, frame: Segment) -> tuple[int, int] | None:
    """The width and height that decoders give: the screen, widened to hold the first frame."""
    sides, box = size(screen), fields("<HHHH", frame.payload)
    if not sides or not box:
        return sides
    left, top, width, height = box
    return max(sides[0], left + width), max(sides[1], top + height)


def _table(data: Bytes, flags_at: int) -> int:
    """Bytes of the colour table that the flags at an offset announce."""
    flags = data[flags_at] if flags_at < len(data) else 0
    return 3 << ((flags & 7) + 1) if flags & 128 else 0


def _after_blocks(data: Bytes, position: int, budget: Budget) -> int:
    """The offset after a chain of sub-blocks; past the end of the data if it is cut off."""
    while position < len(data):
        budget.spend(position)
        length = data[position]
        position += 1 + length
        if not length:
            break
    return position
