"""The items of a HEIF or AVIF that carry metadata (ISO/IEC 23008-12): where each lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unmask.images.containers import Segment, walk
from unmask.images.containers.segments import fields

#: Items and parts of items that are read.
_MAX_ITEMS, _MAX_PARTS = 4_096, 64
_IN_FILE, _IN_BOX = 0, 1


@dataclass(frozen=True)
class _Place:
    """Where an item's bytes lie: in the file or in the ``idat`` box, as (offset, length)."""

    method: int
    parts: tuple[tuple[int, int], ...]


def read_items(meta: Segment, data: bytes, most: int) -> Iterator[tuple[str, bytes]]:
    """The type and the bytes, at most ``most``, of each metadata item that a ``meta`` box names.

    The type is ``Exif`` or the MIME type of an item of the type ``mime``. Items that lie outside
    the file are left out.
    """
    boxes = {box.tag: box.payload for box in walk(meta.payload[4:], "HEIF")}
    if "iinf" not in boxes or "iloc" not in boxes:
        return
    places = _places(_Cursor(boxes["iloc"]))
    sources = {_IN_FILE: memoryview(data), _IN_BOX: boxes.get("idat", memoryview(b""))}
    for number, kind in _kinds(boxes["iinf"]):
        place = places.get(number)
        if place is None or place.method not in sources:
            continue
        source = sources[place.method]
        if all(offset + length <= len(source) for offset, length in place.parts):
            yield kind, _joined(source, place.parts, most)


def _joined(source: memoryview, parts: tuple[tuple[int, int], ...], most: int) -> bytes:
    content = b""
    for offset, length in parts:
        content += bytes(source[offset : offset + min(length, most - len(content))])
    return content


def _kinds(iinf: memoryview) -> Iterator[tuple[int, str]]:
    """The number and type of each metadata item."""
    start = 6 if bytes(iinf[:1]) == b"\0" else 8
    for count, box in enumerate(walk(iinf[start:], "HEIF")):
        if count >= _MAX_ITEMS:
            return
        body = box.payload
        wide = bytes(body[:1]) == b"\3"
        head = fields(">4xIH4s" if wide else ">4xHH4s", body)
        if box.tag != "infe" or not head:
            continue
        number, _, kind = head
        if kind == b"Exif":
            yield number, "Exif"
        elif kind == b"mime":
            names = bytes(body[14 if wide else 12 :][:300]).split(b"\0")
            yield number, names[1].decode("latin-1") if len(names) > 1 else ""


def _places(box: _Cursor) -> dict[int, _Place]:
    """The places that an ``iloc`` box tells, by the item's number; as far as the box goes."""
    version, flags = box.number(1), box.number(3)
    sizes = box.number(1), box.number(1)
    offset_size, length_size, base_size = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4
    index_size = sizes[1] & 15 if version in (1, 2) else 0
    wide = 4 if version == 2 else 2
    places: dict[int, _Place] = {}
    for _ in range(min(box.number(wide), _MAX_ITEMS)):
        number = box.number(wide)
        method = box.number(2) & 15 if version in (1, 2) else _IN_FILE
        box.number(2)
        base = box.number(base_size)
        parts = []
        for _ in range(min(box.number(2), _MAX_PARTS)):
            box.number(index_size)
            parts.append((base + box.number(offset_size), box.number(length_size)))
        if box.is_over or flags:
            break
        places.setdefault(number, _Place(method, tuple(parts)))
    return places


class _Cursor:
    """Reads numbers one after another; past the end they are 0."""

    def __init__(self, data: memoryview) -> None:
        self._data, self._at = data, 0

    @property
    def is_over(self) -> bool:
        """Whether more was read than there is."""
        return self._at > len(self._data)

    def number(self, size: int) -> int:
        """The next ``size`` bytes, the highest first."""
        self._at += size
        return int.from_bytes(self._data[self._at - size : self._at], "big")
