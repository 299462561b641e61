"""Files that stop early: what lacks only its end is shown whole, what lacks more is truncated."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageChops
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile

from unmask.images.containers import Fault, Segment, jpeg, walk
from unmask.images.containers.segments import fields

#: Share of a picture that may be missing before its end mark: the end of a strip at the bottom.
_UNSEEN = 0.02
_END = b"\xff\xd9"
#: Sides of a block, of a unit of blocks, and of what colours from beside a unit never reach, in
#: pixels; the level that decoders fill in, in CMYK from above.
_BLOCK, _UNIT, _CORNER, _FILLED = 8, 16, 4, (127, 128)
#: Tags of a TIFF: bits of a sample, compression, colour space, samples of a pixel.
_BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES = 258, 259, 262, 277
_PLAIN, _YCBCR = 1, 6


def closed(data: bytes, kind: str) -> bytes:
    """``data`` with the end mark that it lacks; a file that lacks none, or has none, as it is."""
    if kind == "JPEG" and walk(data, kind).finish().fault is Fault.TRUNCATED:
        return data.rstrip(b"\xff") + _END
    if kind == "PNG" and walk(data, kind).finish().fault is Fault.TRUNCATED:
        return _closed_png(data)
    return data


def _closed_png(data: bytes) -> bytes:
    end, chunks = 8, list(walk(data, "PNG"))
    for chunk in chunks:
        if chunk.end > len(data):
            break
        end = chunk.end
    rest = _chunk(b"IDAT", bytes(chunk.payload)) if chunks and chunk.tag == "IDAT" else b""
    return data[:end] + (rest if end < len(data) else b"") + _chunk(b"IEND", b"")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def stops_short(image: ImageFile, data: bytes, shrink: int, *, end_missing: bool) -> bool:
    """Whether the file of a decoded picture holds far less of it than its header says.

    ``image`` is as its decoder gave it, at 1/``shrink`` of its sides, ``data`` its file with an
    end; ``end_missing`` says that the end was added. Most decoders notice by themselves; those of
    JPEG and plain TIFF fill in what is missing.
    """
    if isinstance(image, TiffImageFile):
        return _lacks_bytes(image, len(data))
    if not isinstance(image, JpegImageFile):
        return False
    if not end_missing and not _has_empty_corner(image, max(_CORNER // shrink, 1)):
        return False
    parts = list(walk(data, "JPEG"))
    if end_missing and not _has_every_scan(parts):
        return True
    scale = 1 if end_missing and _is_progressive(parts) else _BLOCK
    return _missing_share(data, parts, scale) > (0 if end_missing else _UNSEEN)


def _lacks_bytes(image: TiffImageFile, length: int) -> bool:
    """Whether an uncompressed TIFF is shorter than its pixels are."""
    tags = image.tag_v2
    if tags.get(_COMPRESSION, _PLAIN) != _PLAIN or tags.get(_PHOTOMETRIC) == _YCBCR:
        return False  # YCbCr may hold fewer samples than pixels
    bits = np.max(tags.get(_BITS, 1)) * np.max(tags.get(_SAMPLES, 1))
    return float(bits) / 8 * image.width * image.height > (1 + _UNSEEN) * length


def _has_empty_corner(image: Image.Image, side: int) -> bool:
    """Whether the last corner is of the grey that a decoder fills in for want of data."""
    width, height = image.size
    box = (max(width - side, 0), max(height - side, 0), width, height)
    return bool(np.isin(np.asarray(image.crop(box)), _FILLED).all())


def _is_progressive(parts: list[Segment]) -> bool:
    return any(part.tag in ("SOF2", "SOF6", "SOF10", "SOF14") for part in parts)


def _has_every_scan(parts: list[Segment]) -> bool:
    """Whether the scans bring every coefficient of every component to its last bit."""
    frame = next((part.payload for part in parts if jpeg.frame_size(part)), None)
    if frame is None or len(frame) < 6 + 3 * frame[5]:
        return False
    missing = {(frame[6 + 3 * n], k) for n in range(frame[5]) for k in range(64)}
    for scan in (part.payload for part in parts if part.tag == "SOS"):
        count = scan[0] if len(scan) else 0
        last = fields(">BBB", scan, 1 + 2 * count)
        if not last or last[2] & 15:
            continue
        spectrum = range(last[0], (last[1] if _is_progressive(parts) else 63) + 1)
        missing -= {(scan[1 + 2 * n], k) for n in range(count) for k in spectrum}
    return not missing


def _missing_share(data: bytes, parts: list[Segment], shrink: int) -> float:
    """The share of a JPEG from the first unit on that it holds no data for.

    With noise at the end of every scan the file is decoded again. Where a scan is whole, a decoder
    skips what follows it; where it is not, the noise becomes pixels.
    """
    noisy = b"".join(
        data[part.offset : part.end] + (_noise() if part.tag == "ECS" else b"") for part in parts
    )
    one, other = _reduced(data, shrink), _reduced(noisy, shrink)
    width, height = one.size
    unit = max(_UNIT // shrink, 1)
    for top in range(0, height, unit):
        bottom = min(top + unit, height)
        band = (0, top, width, bottom)
        box = ImageChops.difference(one.crop(band), other.crop(band)).getbbox()
        if box:
            return 1 - (top * width + (bottom - top) * box[0]) / (height * width)
    return 0.0


@cache
def _noise() -> bytes:
    """Coded data that no JPEG holds: decoded, it makes pixels unlike those that a decoder fills
    in. NumPy loads its generators when they are first asked for, which takes a while."""
    return np.random.default_rng(0).integers(1, 255, 256, np.uint8).tobytes()


def _reduced(data: bytes, shrink: int) -> Image.Image:
    image = JpegImageFile(BytesIO(data))
    if shrink > 1:
        image.draft(None, (max(image.width // shrink, 1), max(image.height // shrink, 1)))
    image.load()
    return image
