"""Pictures as files: JPEG for photographs, PNG for masks and heatmaps."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np

from unmask.detector.align import Pixels
from unmask.errors import UnmaskError

#: Orders of a pixel's colours, as slices of RGB.
Order = slice
RGB, BGR = slice(None), slice(None, None, -1)

QUALITY = 90
#: Blank rows of a PNG are compressed once for so many, and written as often as there are.
_BLANK_ROWS = 64
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Of a zlib stream: its head, and an empty last block.
_HEAD, _LAST_BLOCK = b"\x78\x01", b"\x03\x00"
_ADLER_BASE = 65521


def in_bgr(pixels: Pixels) -> Pixels:
    """A copy of an RGB picture (h, w, 3), its colours in the order that OpenCV encodes."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)


def encode_jpeg(pixels: Pixels, order: Order = RGB) -> bytes:
    """A picture (h, w, 3), its colours in ``order``, as JPEG of quality 90."""
    bgr = in_bgr(pixels) if order is RGB else pixels
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise UnmaskError("internal", "The picture could not be encoded as JPEG.")
    return data.tobytes()


def encode_png(grey: Pixels) -> bytes:
    """A grey picture (h, w), uint8, as PNG (ISO/IEC 15948).

    Masks and heatmaps are blank except for the faces, and blank rows take as long to compress as
    others: those above and below the faces are compressed once for all. The rest has light
    compression; choosing a filter for each row would take four times as long.
    """
    height, width = grey.shape
    marked = np.flatnonzero(cv2.reduce(grey, 1, cv2.REDUCE_MAX))
    top, bottom = (int(marked[0]), int(marked[-1]) + 1) if len(marked) else (0, 0)
    above, below = top, height - bottom
    rows = np.zeros((bottom - top, 1 + width), np.uint8)  # each begins with its filter: none
    rows[:, 1:] = grey[top:bottom]
    raw = rows.tobytes()
    checksum = zlib.adler32(raw, _checksum_of_blank(above * (1 + width), 1))
    checksum = _checksum_of_blank(below * (1 + width), checksum)
    blocks = [*_blank(above, width), _deflated(raw, 1), *_blank(below, width), _LAST_BLOCK]
    header = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)  # 8 bits of grey, not interlaced
    data = _HEAD + b"".join(blocks) + struct.pack(">I", checksum)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(name, body) for name, body in chunks)


def _blank(rows: int, width: int) -> list[bytes]:
    """Blocks of a zlib stream that hold so many blank rows."""
    whole, rest = divmod(rows, _BLANK_ROWS)
    piece = _deflated(bytes(_BLANK_ROWS * (width + 1)), 9) if whole else b""
    return [piece] * whole + [_deflated(bytes(rest * (width + 1)), 9)]


def _deflated(raw: bytes, level: int) -> bytes:
    """Blocks of a zlib stream that can stand anywhere in it."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(raw) + compressor.flush(zlib.Z_FULL_FLUSH)


def _checksum_of_blank(count: int, before: int) -> int:
    """Adler-32 of so many zeros after what has the checksum ``before`` (RFC 1950)."""
    low, high = before & 0xFFFF, before >> 16
    return (high + count * low) % _ADLER_BASE << 16 | low


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
