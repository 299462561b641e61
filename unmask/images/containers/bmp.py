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
#: A header that may name a profile: its length, where it says what tells the colours (here
#: PROFILE_EMBEDDED, little-endian), and where the profile is.
_V5, _COLOURS, _PROFILE_AT, _EMBEDDED = 124, 56, 112, b"DEBM"


def segments(data: Bytes, start: int = 0) -> Segments:
    """Yield ``header`` (the picture's own, after that of the file), ``pixels`` and ``profile``."""
    length = little(data[start + _FILE_HEADER : start + _FILE_HEADER + 4])
    header = segment(data, "header", start + _FILE_HEADER, 0, length)
    yield header
    count = _pixel_bytes(header)
    if count is None:
        raise BrokenContainerError(Fault.TRUNCATED, len(data))
    begin = start + little(data[start + 10 : start + 14])
    yield segment(data, "pixels", begin, 0, count)
    end = begin + count
    place = _profile(header)
    if place:
        profile = segment(data, "profile", header.offset + place[0], 0, place[1])
        yield profile
        end = max(end, profile.end)
    if end > len(data):
        raise BrokenContainerError(Fault.TRUNCATED, len(data))
    return end


def size(header: Segment) -> tuple[int, int] | None:
    """Width and height in pixels that the header claims; rows from the top have no sign here."""
    shape = _shape(header)
    return (shape[0], abs(shape[1])) if shape else None


def _profile(header: Segment) -> tuple[int, int] | None:
    """The offset, from the header on, and the length of an ICC profile that a BITMAPV5HEADER says
    to be in the file."""
    is_embedded = header.length >= _V5 and header.payload[_COLOURS : _COLOURS + 4] == _EMBEDDED
    place = fields("<II", header.payload, _PROFILE_AT) if is_embedded else None
    return place if place and all(place) else None


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
