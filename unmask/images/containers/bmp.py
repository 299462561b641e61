"""BMP: two headers and the pixels that they describe."""

from __future__ import annotations

from unmask.images.containers.segments import (
    BrokenContainerError,
    Bytes,
    Fault,
    Segment,
    Segments,
    fields,
    little,
    segment,
)

_FILE_HEADER = 14
#: Lengths of the header that says the size: the eldest, and the shortest that says more.
_CORE, _INFO = 12, 40
_RUN_LENGTH = (1, 2)


def segments(data: Bytes, start: int = 0) -> Segments:
    """Yield ``header`` (the picture's own, after that of the file) and ``pixels``."""
    length = little(data[start + _FILE_HEADER : start + _FILE_HEADER + 4])
    header = segment(data, "header", start + _FILE_HEADER, 0, length)
    yield header
    count = _pixel_bytes(header)
    if count is None:
        raise BrokenContainerError(Fault.TRUNCATED, len(data))
    begin = start + little(data[start + 10 : start + 14])
    yield segment(data, "pixels", begin, 0, count)
    if begin + count > len(data):
        raise BrokenContainerError(Fault.TRUNCATED, len(data))
    return begin + count


def size(header: Segment) -> tuple[int, int] | None:
    """Width and height in pixels that the header claims; rows from the top have no sign here."""
    shape = _shape(header)
    return (shape[0], abs(shape[1])) if shape else None


def _shape(header: Segment) -> tuple[int, int, int, int] | None:
    """Width, height (negative where the top row comes first), planes, bits of a pixel."""
    form = "<HHHH" if header.length == _CORE else "<iiHH"
    return fields(form, header.payload, 4)  # type: ignore[no-any-return]


def _pixel_bytes(header: Segment) -> int | None:
    shape = _shape(header)
    if not shape:
        return None
    width, height, _, bits = shape
    packed = header.length > _CORE and little(header.payload[16:20]) in _RUN_LENGTH
    return little(header.payload[20:24]) if packed else (width * bits + 31) // 32 * 4 * abs(height)
