"""JPEG (ITU-T T.81, Annex B): markers, their segments, and the coded data between them."""

from __future__ import annotations

import re

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

#: A progressive JPEG has about ten scans.
_MAX_SCANS = 100
#: Bytes between two segments that Pillow would otherwise step over one by one.
_MAX_JUNK = 65_536

_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_ALONE = frozenset({0x01, 0xD8, 0xD9})
_NAMES = {
    0x01: "TEM",
    0xC4: "DHT",
    0xC8: "JPG",
    0xCC: "DAC",
    0xD8: "SOI",
    0xD9: "EOI",
    0xDA: "SOS",
    0xDB: "DQT",
    0xDC: "DNL",
    0xDD: "DRI",
    0xDE: "DHP",
    0xDF: "EXP",
    0xFE: "COM",
}


def segments(data: Bytes, start: int = 0) -> Segments:
    """Yield the segments of the JPEG at ``start``, up to its end marker.

    Tags are the standard's (SOI, APP1, SOF0, DHT, SOS, EOI ...); ``ECS`` is the coded data of a
    scan, restart markers included, which runs from its SOS to the next marker.
    """
    budget, scans = Budget(data), 0
    yield segment(data, "SOI", start, 2, 2)
    position, in_scan = start + 2, False
    while True:
        budget.spend(position)
        marker = _MARKER.search(data, position)
        begin = marker.start() if marker else len(data)
        if in_scan:
            yield segment(data, "ECS", position, 0, begin - position)
        elif not scans and begin - position > _MAX_JUNK:
            raise BrokenContainerError(Fault.NO_PICTURE_DATA, position)
        if not marker:
            raise BrokenContainerError(Fault.TRUNCATED, len(data))
        tag, length = _tag(data[begin + 1]), _length(data, begin)
        yield segment(data, tag, begin, 2 if length == 2 else 4, length)
        position = begin + length
        if tag == "EOI":
            return position
        in_scan = tag == "SOS"
        scans += in_scan
        if scans > _MAX_SCANS:
            raise BrokenContainerError(Fault.TOO_MANY_SCANS, position)


def frame_size(frame: Segment) -> tuple[int, int] | None:
    """Width and height in pixels that a SOF segment claims."""
    sides = fields(">xHH", frame.payload) if frame.tag.startswith("SOF") else None
    return (sides[1], sides[0]) if sides else None


def _tag(code: int) -> str:
    if code in _NAMES:
        return _NAMES[code]
    if 0xC0 <= code < 0xD0:
        return f"SOF{code - 0xC0}"
    return f"APP{code - 0xE0}" if 0xE0 <= code < 0xF0 else f"{code:02X}"


def _length(data: Bytes, marker: int) -> int:
    if data[marker + 1] in _ALONE:
        return 2
    return 2 + max(int.from_bytes(data[marker + 2 : marker + 4], "big"), 2)
