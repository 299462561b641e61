"""EXIF (CIPA DC-008, a TIFF structure) -> fields, place and embedded thumbnail.

Pillow reads the values. Before it may, the entries are added up: each may name the same long run
of bytes again, so that a small block would take up gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image

from unmask.evidence.fields import Fault, Field, MetadataError
from unmask.images.containers import walk
from unmask.images.containers.segments import fields as unpacked
from unmask.images.containers.tiff import byte_order

#: Entries of all directories together, and the bytes that they may name.
_MAX_ENTRIES, _MAX_BYTES = 2_000, 8_000_000
#: Characters of one value.
_MAX_TEXT = 100_000
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_IFD = ExifTags.IFD
_POINTERS = (_IFD.Exif, _IFD.GPSInfo, _IFD.Interop)
#: What says how a user's comment is coded.
_CHARSET = 8
_WINDOWS_TEXTS = range(0x9C9B, 0x9CA0)
_MAKER_NOTE, _USER_COMMENT = 0x927C, 0x9286
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_MAX_THUMBNAIL = 200_000


@dataclass(frozen=True)
class Exif:
    """What an EXIF block holds: ``fields``, the place as latitude and longitude in degrees, and
    the JPEG of the embedded thumbnail."""

    fields: tuple[Field, ...] = ()
    place: tuple[float, float] | None = None
    thumbnail: bytes | None = None


def read_exif(block: bytes) -> Exif:
    """Read a block that begins with a TIFF header; raises :class:`MetadataError`."""
    _check_cost(block)
    try:
        exif = Image.Exif()
        exif.load(block)
        groups = [("EXIF", exif), *(("EXIF", exif.get_ifd(ifd)) for ifd in (_IFD.Exif,))]
        gps = exif.get_ifd(_IFD.GPSInfo)
        fields = [
            field for group, tags in groups for field in _named(group, tags, ExifTags.TAGS, block)
        ]
        fields += _named("GPS", gps, ExifTags.GPSTAGS, block)
        return Exif(tuple(fields), _place(gps), _thumbnail(exif, block))
    except Exception as fault:
        raise MetadataError(Fault.UNREADABLE) from fault


def _check_cost(block: bytes) -> None:
    """Refuse directories whose entries are too many or name too many bytes."""
    if block[:4] not in (b"II*\0", b"MM\0*"):
        raise MetadataError(Fault.UNREADABLE)
    order = byte_order(block)
    directories = [segment.payload for segment in walk(block, "TIFF")]
    entries, length = 0, 0
    while directories:
        body = directories.pop()
        entries += len(body) // 12
        if entries > _MAX_ENTRIES:
            raise MetadataError(Fault.OVERSIZED)
        for at in range(0, len(body) - 11, 12):
            tag, form, count, value = unpacked(f"{order}HHII", body, at)
            # what lies past the end is claimed and not there
            length += min(count * _SIZES.get(form, 1), max(len(block) - value, 4))
            if tag in _POINTERS:
                size = unpacked(f"{order}H", block, value)
                directories.append(
                    memoryview(block)[value + 2 : value + 2 + 12 * (size or (0,))[0]]
                )
    if length > _MAX_BYTES + len(block):
        raise MetadataError(Fault.OVERSIZED)


def _named(group: str, tags: Any, names: dict[int, str], block: bytes) -> Iterator[Field]:
    """The tags that are not pointers, as fields; unknown ones under their number."""
    for tag in tags:
        if tag in _POINTERS:
            continue
        value = _text(tag, tags[tag], block)
        if value:
            yield Field(f"{group}:{names.get(tag, f'0x{tag:04X}')}", value)


def _text(tag: int, value: Any, block: bytes) -> str:
    """A value as text: empty where there is nothing to read."""
    if tag == _MAKER_NOTE:
        return f"({len(value)} bytes)"
    if tag == _USER_COMMENT and isinstance(value, bytes):
        return _comment(value[: 2 * _MAX_TEXT])
    if tag in _WINDOWS_TEXTS:
        raw = value if isinstance(value, bytes) else bytes(value)
        return raw[: 2 * _MAX_TEXT].decode("utf-16-le", "replace").strip("\0 ")
    if isinstance(value, tuple):
        return " ".join(str(item) for item in value[:64])
    return _bytes(value) if isinstance(value, bytes) else _utf8(str(value)[:_MAX_TEXT]).strip("\0 ")


def _bytes(value: bytes) -> str:
    """Bytes of no known kind: their text where they are one, else how many there are."""
    readable = value.rstrip(b"\0 ")
    plain = readable.isascii() and readable.decode("ascii").isprintable()
    return readable.decode() if plain else f"({len(value)} bytes)"


def _utf8(text: str) -> str:
    """Pillow reads ASCII fields as Latin-1; most programs write UTF-8 into them."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _comment(value: bytes) -> str:
    """A user's comment: eight bytes that name its code, then the text."""
    code, text = value[:_CHARSET].rstrip(b"\0 "), value[_CHARSET:]
    if code == b"UNICODE":
        # The order of the bytes is that of the block by the standard, and either in practice.
        orders = ("utf-16-be", "utf-16-le")
        best = max(orders, key=lambda order: _ascii_share(text.decode(order, "replace")))
        return text.decode(best, "replace").strip("\0 ")
    if code in (b"ASCII", b""):
        return text.decode("utf-8", "replace").strip("\0 ")
    return value.decode("utf-8", "replace").strip("\0 ")


def _ascii_share(text: str) -> float:
    return sum(character.isascii() for character in text) / max(len(text), 1)


def _place(gps: dict[int, Any]) -> tuple[float, float] | None:
    """Latitude and longitude in degrees, south and west negative."""
    try:
        latitude, longitude = _degrees(gps[2]), _degrees(gps[4])
        latitude = -latitude if str(gps.get(1, "N")).upper().startswith("S") else latitude
        longitude = -longitude if str(gps.get(3, "E")).upper().startswith("W") else longitude
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    inside = -90 <= latitude <= 90 and -180 <= longitude <= 180
    return (round(latitude, 6), round(longitude, 6)) if inside else None


def _degrees(parts: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600


def _thumbnail(exif: Image.Exif, block: bytes) -> bytes | None:
    small = exif.get_ifd(_IFD.IFD1)
    offset, length = small.get(_THUMBNAIL_OFFSET), small.get(_THUMBNAIL_LENGTH)
    if not isinstance(offset, int) or not isinstance(length, int) or length > _MAX_THUMBNAIL:
        return None
    data = block[offset : offset + length]
    return data if data.startswith(b"\xff\xd8\xff") and len(data) == length else None
