"""ISO base media files (ISO/IEC 14496-12), among them HEIF and AVIF: boxes, and boxes in boxes."""

from __future__ import annotations

import re
from struct import iter_unpack, unpack_from

from unmask.images.containers.segments import (
    BrokenContainerError,
    Budget,
    Bytes,
    Fault,
    Segment,
    Segments,
    Walk,
    fields,
    segment,
)

#: Top-level boxes; only these are believed when their length runs past the end.
_KNOWN = frozenset(
    {b"ftyp", b"meta", b"mdat", b"free", b"skip", b"wide", b"moov", b"moof", b"mpvd", b"uuid"}
)
_ITEM_SIZE = re.compile(rb"ispe\0{4}(.{8})", re.DOTALL)


def segments(data: Bytes, start: int = 0) -> Segments:
    """Yield the boxes from ``start`` on; the tag is the box's type.

    The payload of a box that holds boxes may be walked in the same way. The container ends where
    the bytes are no box.
    """
    budget, position = Budget(data), start
    while True:
        budget.spend(position)
        kind, (header, length) = bytes(data[position + 4 : position + 8]), _length(data, position)
        end = position + length
        if kind in _KNOWN and (length == 0 or end > len(data)):
            # Length 0 means "to the end of the file". A box that is too long was cut off.
            yield segment(data, kind.decode(), position, header, len(data) - position)
            if length:
                raise BrokenContainerError(Fault.TRUNCATED, len(data))
            return len(data)
        if len(kind) < 4 or not kind.isalnum() or length < header or end > len(data):
            return min(position, len(data))
        yield segment(data, kind.decode(), position, header, length)
        position = end


def brands(data: Bytes) -> list[bytes]:
    """The major brand of a file and its compatible ones; none for files without a ``ftyp`` box."""
    if data[4:8] != b"ftyp":
        return []
    end = min(int.from_bytes(data[:4], "big"), 1024)
    return [bytes(data[at : at + 4]) for at in (8, *range(16, end, 4))]


def largest_item(meta: Segment) -> tuple[int, int] | None:
    """The largest width and height that an item claims: that of the whole, not of a tile or a
    thumbnail."""
    claims = (unpack_from(">II", claim[1]) for claim in _ITEM_SIZE.finditer(meta.payload))
    return max(claims, key=lambda sides: sides[0] * sides[1], default=None)


def _length(data: Bytes, position: int) -> tuple[int, int]:
    """The lengths of a box's header and of the whole box."""
    length = int.from_bytes(data[position : position + 4], "big")
    if length == 1:
        return 16, int.from_bytes(data[position + 8 : position + 16], "big")
    return 8, length


def primary_properties(meta: Segment) -> list[Segment]:
    """The properties (``colr``, ``irot``, ``clli`` ...) of the primary item of a ``meta`` box of
    HEIF (ISO/IEC 23008-12); all properties where the box does not say which are its own."""
    boxes = {box.tag: box.payload for box in _inside(meta.payload[4:])}
    parts = {box.tag: box.payload for box in _inside(boxes.get("iprp", memoryview(b"")))}
    properties = _inside(parts.get("ipco", memoryview(b"")))
    item = boxes.get("pitm", memoryview(b""))
    primary = int.from_bytes(item[4:8] if item[:1].tobytes() == b"\1" else item[4:6], "big")
    own = _associated(parts.get("ipma", memoryview(b"")), primary)
    return [properties[index - 1] for index in own if 0 < index <= len(properties)] or properties


def _inside(payload: memoryview) -> list[Segment]:
    return list(Walk(segments(payload)))


def _associated(table: memoryview, item: int) -> list[int]:
    """The numbers, from 1 on, of an item's properties, by an ``ipma`` box."""
    head = fields(">B2xBI", table)
    if not head:
        return []
    version, flags, count = head
    wide, position, budget = flags & 1, 8, Budget(table)
    for _ in range(count):
        budget.spend(position)
        entry = fields(">IB" if version else ">HB", table, position)
        if not entry:
            break
        position += 5 if version else 3
        size = entry[1] * (2 if wide else 1)
        if entry[0] == item:
            numbers = table[position : position + size]
            if not wide:
                return [number & 0x7F for number in numbers]
            whole = numbers[: len(numbers) & ~1]
            return [number & 0x7FFF for (number,) in iter_unpack(">H", whole)]
        position += size
    return []
