"""A file -> the blocks of metadata inside its container, each bounded in size and still unread.

The walk stops where the picture ends. A container that is broken holds no evidence: a decoder may
show what its author wants and a reader of metadata another thing.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from unmask.evidence.fields import Fault
from unmask.evidence.items import read_items
from unmask.evidence.jpeg.tables import read_tables
from unmask.images.containers import Segment, walk
from unmask.images.containers.segments import fields as unpacked
from unmask.images.containers.tiff import byte_order

#: Bytes of one block that are read. XMP that is longer holds pictures, not facts.
MAX_BLOCK = 1_000_000
#: Text chunks of a PNG that are read.
MAX_TEXTS = 64

_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_GIF_XMP, _GIF_TRAILER = b"\x0bXMP DataXMP", 258
_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_TIFF_XMP, _TIFF_IPTC, _TIFF_C2PA = 700, 33_723, 0xCD41
#: Bytes of each type of a TIFF's entries, by the type's number.
_TYPE_SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)


@dataclass
class Blocks:
    """What a container holds: the first block of each kind, as viewers read it.

    ``exif`` is a TIFF structure; ``extended`` are the parts of an extended XMP: (identifier, whole
    length, offset, bytes); ``photoshop`` are Photoshop's resources, ``iptc`` is an IIM record;
    ``texts`` are a PNG's texts; ``tables`` a JPEG's quantisation tables by their number, each of 64
    steps, row by row. ``credentials`` tells whether there is a C2PA manifest;
    ``broken`` whether the container is. ``faults`` names blocks that were not taken, and why.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    extended: list[tuple[bytes, int, int, bytes]] = field(default_factory=list)
    photoshop: bytes = b""
    iptc: bytes | None = None
    texts: list[tuple[str, str]] = field(default_factory=list)
    tables: dict[int, tuple[int, ...]] = field(default_factory=dict)
    credentials: bool = False
    broken: bool = False
    faults: dict[str, Fault] = field(default_factory=dict)

    def take(self, name: str, data: bytes | memoryview) -> None:
        """Keep a block as ``exif``, ``xmp`` or ``iptc``, unless there is one or it is too long."""
        if getattr(self, name) is not None:
            return
        if len(data) > MAX_BLOCK:
            self.faults[name.upper()] = Fault.OVERSIZED
            return
        setattr(self, name, bytes(data))


def read_blocks(data: bytes, kind: str) -> Blocks:
    """The blocks of ``data``, a file of the format ``kind`` (as ``sniff`` names it). Never raises.

    A broken container yields none.
    """
    container = walk(data, kind)
    blocks = Blocks()
    _READERS[kind](blocks, container, data)
    return Blocks(broken=True) if container.finish().fault else blocks


def _jpeg(blocks: Blocks, segments: Iterable[Segment], _: bytes) -> None:
    for segment in segments:
        body = segment.payload
        if segment.tag == "SOS":
            return
        if segment.tag == "APP1":
            _jpeg_app1(blocks, bytes(body))
        elif segment.tag == "DQT":
            blocks.tables.update(read_tables(bytes(body)))
        elif segment.tag == "APP13" and bytes(body[:14]) == _PHOTOSHOP:
            blocks.photoshop = (blocks.photoshop + bytes(body[14:]))[:MAX_BLOCK]
        elif segment.tag == "APP11" and bytes(body[:2]) == b"JP" and bytes(body[12:16]) == b"jumb":
            blocks.credentials = True


def _jpeg_app1(blocks: Blocks, body: bytes) -> None:
    if body.startswith(_EXIF):
        blocks.take("exif", body[len(_EXIF) :])
    elif body.startswith(_XMP):
        blocks.take("xmp", body[len(_XMP) :])
    elif body.startswith(_EXTENDED_XMP) and len(body) > len(_EXTENDED_XMP) + 40:
        part = body[len(_EXTENDED_XMP) :]
        whole, offset = int.from_bytes(part[32:36], "big"), int.from_bytes(part[36:40], "big")
        if whole > MAX_BLOCK or offset + len(part) - 40 > whole:
            blocks.faults["extended XMP"] = Fault.OVERSIZED
        else:
            blocks.extended.append((part[:32], whole, offset, part[40:]))


def _png(blocks: Blocks, segments: Iterable[Segment], data: bytes) -> None:
    for segment in segments:
        if segment.tag not in ("eXIf", "caBX", "tEXt", "zTXt", "iTXt"):
            continue
        stored = data[segment.end - 4 : segment.end]
        if zlib.crc32(data[segment.offset + 4 : segment.end - 4]) != int.from_bytes(stored, "big"):
            continue
        if segment.tag == "eXIf":
            blocks.take("exif", segment.payload)
        elif segment.tag == "caBX":
            blocks.credentials = True
        elif len(blocks.texts) < MAX_TEXTS:
            _png_text(blocks, segment)


def _png_text(blocks: Blocks, segment: Segment) -> None:
    keyword, _, rest = bytes(segment.payload[: MAX_BLOCK + 200]).partition(b"\0")
    key = keyword.decode("latin-1")
    packed = segment.tag == "zTXt"
    if segment.tag == "zTXt":
        rest = rest[1:]
    elif segment.tag == "iTXt":
        packed = rest[:1] == b"\1"
        rest = rest[2:].split(b"\0", 2)[-1]
    text = _inflated(rest) if packed else rest
    if text is None or len(text) > MAX_BLOCK:
        blocks.faults[f"PNG {segment.tag}"] = Fault.UNREADABLE if text is None else Fault.OVERSIZED
    elif key == "XML:com.adobe.xmp":
        blocks.take("xmp", text)
    else:
        latin = segment.tag != "iTXt"
        blocks.texts.append((key, _decoded(text, latin)))


def _inflated(packed: bytes) -> bytes | None:
    """At most one byte more than is read of a compressed text, None if it is damaged."""
    try:
        return zlib.decompressobj().decompress(packed, MAX_BLOCK + 1)
    except zlib.error:
        return None


def _decoded(text: bytes, latin: bool) -> str:
    """A PNG's text: Latin-1 by the standard, yet many programs write UTF-8 in its place."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1" if latin else "utf-8", "replace")


def _webp(blocks: Blocks, segments: Iterable[Segment], _: bytes) -> None:
    for segment in segments:
        if segment.tag == "EXIF":
            blocks.take("exif", bytes(segment.payload).removeprefix(_EXIF))
        elif segment.tag == "XMP ":
            blocks.take("xmp", segment.payload)
        blocks.credentials = blocks.credentials or segment.tag == "C2PA"


def _gif(blocks: Blocks, segments: Iterable[Segment], _: bytes) -> None:
    for segment in segments:
        body = segment.payload
        if segment.tag == "extension FF" and bytes(body[:12]) == _GIF_XMP:
            blocks.take("xmp", body[12:-_GIF_TRAILER])
        elif segment.tag == "extension FF" and bytes(body[:9]) == b"\x0bC2PA_GIF":
            blocks.credentials = True


def _bmp(_: Blocks, segments: Iterable[Segment], __: bytes) -> None:
    """A BMP holds no metadata."""


def _tiff(blocks: Blocks, segments: Iterable[Segment], data: bytes) -> None:
    """Of a TIFF the first page's: the file itself is the EXIF structure."""
    page = next(iter(segments), None)
    if page is None or data[2:4] not in (b"*\0", b"\0*"):
        return
    blocks.exif = data
    order = byte_order(data)
    for at in range(0, len(page.payload) - 11, 12):
        tag, form, count, offset = unpacked(f"{order}HHII", page.payload, at)
        length = count * (_TYPE_SIZES[form] if form < len(_TYPE_SIZES) else 0)
        is_text = tag in (_TIFF_XMP, _TIFF_IPTC) and length > 4
        if is_text and offset + length <= len(data):
            blocks.take("xmp" if tag == _TIFF_XMP else "iptc", data[offset : offset + length])
        blocks.credentials = blocks.credentials or tag == _TIFF_C2PA


def _isobmff(blocks: Blocks, segments: Iterable[Segment], data: bytes) -> None:
    for number, segment in enumerate(segments):
        if segment.tag == "ftyp" and number:
            return  # another file, behind this one
        uuid = bytes(segment.payload[:16]) if segment.tag == "uuid" else b""
        if segment.tag == "meta":
            _items(blocks, segment, data)
        elif uuid == _XMP_UUID:
            blocks.take("xmp", segment.payload[16:])
        blocks.credentials = blocks.credentials or uuid == _C2PA_UUID


def _items(blocks: Blocks, meta: Segment, data: bytes) -> None:
    for kind, content in read_items(meta, data, MAX_BLOCK + 1):
        if kind == "Exif" and len(content) > 4:
            # The item begins with the offset of the TIFF header after itself.
            start = 4 + int.from_bytes(content[:4], "big")
            blocks.take("exif", content[start:])
        elif kind == "application/rdf+xml":
            blocks.take("xmp", content)


_READERS: dict[str, Callable[[Blocks, Iterable[Segment], bytes], None]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "GIF": _gif,
    "BMP": _bmp,
    "TIFF": _tiff,
    "AVIF": _isobmff,
    "HEIF": _isobmff,
}
