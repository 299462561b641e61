"""Where a picture's own bytes end, how many frames it has and how large it says it is.

Each walker steps over the marks of one container without decoding. Its number of steps is bounded
by the file's length, so a file made of millions of tiny parts cannot keep a worker busy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import calcsize, unpack_from
from typing import Any

#: An honest part is seldom under this many bytes, on average over a file.
_BYTES_A_PART = 64
_PARTS_ALWAYS = 65_536
#: A progressive JPEG has about ten scans; each costs a pass over the whole picture.
_MAX_SCANS = 100
#: Bytes between two JPEG segments that Pillow would otherwise step over one by one.
_MAX_JUNK = 65_536

#: Top-level boxes of ISO media files; only these are believed when their length runs past the end.
_BOXES = frozenset(
    {b"ftyp", b"meta", b"mdat", b"free", b"skip", b"wide", b"moov", b"moof", b"mpvd", b"uuid"}
)
_ITEM_SIZE = re.compile(rb"ispe\0{4}(.{8})", re.DOTALL)
_JPEG_MARK = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class Layout:
    """The result of a walk over a container.

    ``end`` is the offset just after the picture's own bytes, None where the format does not say;
    ``complete`` is False when the file stops before its last part does; ``size`` is the width and
    height that the container claims, in pixels and before any rotation, None where only Pillow
    tells; ``video`` says that a short video lies among the parts; ``fault`` names a structure that
    no decoder should be given.
    """

    end: int | None
    complete: bool = True
    frames: int = 1
    size: tuple[int, int] | None = None
    video: bool = False
    fault: str | None = None


def layout(data: bytes, kind: str) -> Layout:
    """Walk over ``data``, a file of the format ``kind`` (as ``sniff`` names it). Never raises."""
    return _WALKERS[kind](data)


def jpeg(data: bytes, start: int = 0) -> Layout:
    """Walk over the JPEG that begins at ``start``: segments and scans, up to its end mark."""
    position, scans, size = start + 2, 0, None
    for _ in _steps(data):
        mark = _JPEG_MARK.search(data, position)
        junk = (mark.start() if mark else len(data)) - position
        if not scans and junk > _MAX_JUNK:
            return Layout(position, size=size, fault="holds no picture data where it should")
        if not mark:
            return Layout(len(data), complete=False, size=size)
        code, position = data[mark.end() - 1], mark.end()
        if code == 0xD9:
            return Layout(position, size=size)
        if code in (0x01, 0xD8):
            continue
        if code in _JPEG_FRAMES and size is None and position + 7 <= len(data):
            height, width = unpack_from(">HH", data, position + 3)
            size = (width, height)
        scans += code == 0xDA
        if scans > _MAX_SCANS:
            return Layout(position, size=size, fault="has too many scans")
        position += max(int.from_bytes(data[position : position + 2], "big"), 2)
    return Layout(position, size=size, fault="has too many parts")


def boxes(data: bytes, start: int = 0) -> Layout:
    """Walk over the ISO media boxes (HEIF, AVIF, MP4) that begin at ``start``."""
    position, size, video = start, None, False
    for _ in _steps(data):
        kind = data[position + 4 : position + 8]
        length = _box_length(data, position)
        end = position + length
        if kind in _BOXES and (length == 0 or end > len(data)):
            # Length 0 means "to the end of the file". A box that is too long was cut off.
            return Layout(len(data), complete=length == 0, size=size, video=video)
        if len(kind) < 4 or not kind.isalnum() or length < 8 or end > len(data):
            return Layout(min(position, len(data)), size=size, video=video)
        video = video or kind == b"mpvd" or (kind == b"ftyp" and position > start)
        size = size or (_largest_item(data[position:end]) if kind == b"meta" else None)
        position = end
    return Layout(position, size=size, fault="has too many parts")


def _box_length(data: bytes, position: int) -> int:
    length = int.from_bytes(data[position : position + 4], "big")
    return int.from_bytes(data[position + 8 : position + 16], "big") if length == 1 else length


def _largest_item(meta: bytes) -> tuple[int, int] | None:
    """The largest size that an item claims: that of the whole, not of a tile or a thumbnail."""
    claims = (unpack_from(">II", claim[1]) for claim in _ITEM_SIZE.finditer(meta))
    return max(claims, key=lambda sides: sides[0] * sides[1], default=None)


def _png(data: bytes) -> Layout:
    size = _unpacked(">II", data, 16) if data[12:16] == b"IHDR" else None
    position, frames = 8, 0
    for _ in _steps(data):
        head = _unpacked(">I4s", data, position)
        if not head or position + 12 + head[0] > len(data):
            return Layout(len(data), complete=False, frames=max(frames, 1), size=size)
        position += 12 + head[0]
        frames += head[1] == b"fcTL"
        if head[1] == b"IEND":
            return Layout(position, frames=max(frames, 1), size=size)
    return Layout(position, frames=max(frames, 1), size=size, fault="has too many parts")


def _gif(data: bytes) -> Layout:
    size = _unpacked("<HH", data, 6)
    steps = _steps(data)
    position, frames = 13 + _gif_table(data, 10), 0
    for _ in steps:
        kind = data[position : position + 1]
        if kind == b"!":
            position = _gif_blocks(data, position + 2, steps)
        elif kind == b",":
            if not frames:
                size = _gif_canvas(size, _unpacked("<HHHH", data, position + 1))
            frames += 1
            position = _gif_blocks(data, position + 11 + _gif_table(data, position + 9), steps)
        else:
            unreadable = kind not in (b"", b";") and not frames
            return Layout(
                min(position + (kind == b";"), len(data)),
                complete=kind != b"" and position < len(data),
                frames=max(frames, 1),
                size=size,
                fault="holds no picture data where it should" if unreadable else None,
            )
    return Layout(position, frames=max(frames, 1), size=size, fault="has too many parts")


def _gif_table(data: bytes, flags_at: int) -> int:
    """Bytes of the colour table that the flags at an offset announce."""
    flags = data[flags_at] if flags_at < len(data) else 0
    return 3 << ((flags & 7) + 1) if flags & 128 else 0


def _gif_blocks(data: bytes, position: int, steps: Iterator[int]) -> int:
    """The offset after a chain of sub-blocks; past the end of the data if it is cut off."""
    for _ in steps:
        if position >= len(data):
            return position
        length = data[position]
        position += 1 + length
        if not length:
            return position
    return position


def _gif_canvas(
    screen: tuple[int, int] | None, frame: tuple[int, int, int, int] | None
) -> tuple[int, int] | None:
    """The size that decoders give: the screen, widened to hold the first frame."""
    if not screen or not frame:
        return screen
    left, top, width, height = frame
    return max(screen[0], left + width), max(screen[1], top + height)


def _webp(data: bytes) -> Layout:
    length = int.from_bytes(data[4:8], "little")
    end = 8 + length + length % 2
    stop = min(end, len(data))
    position, frames = 12, 0
    fault: str | None = "has too many parts"
    for _ in _steps(data):
        head = _unpacked("<4sI", data, position)
        if not head or position >= stop:
            fault = None
            break
        frames += head[0] == b"ANMF"
        position += 8 + head[1] + head[1] % 2
    # The padding byte of the last chunk is often left out.
    complete = 8 + length <= len(data)
    return Layout(stop, complete, max(frames, 1), size=_webp_size(data), fault=fault)


def _webp_size(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if len(data) < 30:
        return None
    if kind == b"VP8X":
        return _little(data[24:27]) + 1, _little(data[27:30]) + 1
    if kind == b"VP8L":
        packed = _little(data[21:25])
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF


def _bmp(data: bytes) -> Layout:
    head = _little(data[14:18])
    shape = _unpacked("<HHHH", data, 18) if head == 12 else _unpacked("<iiHH", data, 18)
    if not shape:
        return Layout(len(data), complete=False)
    width, height, _, bits = shape
    packed = head > 12 and _little(data[30:34]) in (1, 2)
    length = _little(data[34:38]) if packed else (width * bits + 31) // 32 * 4 * abs(height)
    end = _little(data[10:14]) + length
    return Layout(min(end, len(data)), end <= len(data), size=(width, abs(height)))


def _tiff(data: bytes) -> Layout:
    """Count the pages along their chain; a page may lie anywhere, so the end is unknown."""
    order = "<" if data.startswith(b"II") else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    offset, count, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    seen: set[int] = set()
    at = _unpacked(order + offset, data, 8 if big else 4)
    for _ in _steps(data):
        if at == (0,) or (at and at[0] in seen):
            return Layout(None, frames=max(len(seen), 1))
        entries = _unpacked(order + count, data, at[0]) if at else None
        if not at or not entries:
            return Layout(None, complete=False, frames=max(len(seen), 1))
        seen.add(at[0])
        at = _unpacked(order + offset, data, at[0] + calcsize(order + count) + entry * entries[0])
    return Layout(None, frames=len(seen), fault="has too many parts")


def _steps(data: bytes) -> Iterator[int]:
    return iter(range(max(_PARTS_ALWAYS, len(data) // _BYTES_A_PART)))


def _little(field: bytes) -> int:
    return int.from_bytes(field, "little")


def _unpacked(form: str, data: bytes, at: int) -> Any:
    """The tuple of fields at an offset, or None when the data ends before them."""
    return unpack_from(form, data, at) if at + calcsize(form) <= len(data) else None


_WALKERS: dict[str, Callable[[bytes], Layout]] = {
    "JPEG": jpeg,
    "PNG": _png,
    "GIF": _gif,
    "WEBP": _webp,
    "BMP": _bmp,
    "TIFF": _tiff,
    "AVIF": boxes,
    "HEIF": boxes,
}
