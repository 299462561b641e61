"""Pictures whose files say what their colours are, in every way that is read."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image

from tests.pictures import corners, encoded, png_chunk

_D50 = (0.9642, 1.0, 0.8249)
#: The primaries of sRGB and Display P3, adapted to D50, as XYZ of red, green and blue.
SRGB_XYZ = ((0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
P3_XYZ = ((0.5151, 0.2412, -0.0010), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))

#: cHRM of sRGB and of Display P3: white, red, green, blue.
SRGB_XY = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
P3_XY = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65_536)) for value in values)


def _power(exponent: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(exponent * 256), 0)


def _srgb_curve() -> bytes:
    values = _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + values


def profile(
    name: str = "a profile",
    gamma: float | None = None,
    primaries: tuple[tuple[float, float, float], ...] = SRGB_XYZ,
    space: bytes = b"RGB ",
    **more: bytes,
) -> bytes:
    """An ICC profile of that name: curves of a power (None: those of sRGB) and primaries in XYZ;
    ``space`` may be ``GRAY``; ``more`` are further tags."""
    curve = _power(gamma) if gamma else _srgb_curve()
    text = name.encode()
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + bytes(79),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + _fixed(*_D50),
    }
    if space == b"RGB ":
        for letter, colour in zip(b"rgb", primaries, strict=True):
            tags[bytes([letter]) + b"XYZ"] = b"XYZ \0\0\0\0" + _fixed(*colour)
            tags[bytes([letter]) + b"TRC"] = curve
    else:
        tags[b"kTRC"] = curve
    tags |= {tag.encode(): value for tag, value in more.items()}
    table, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for tag, value in tags.items():
        table += tag + struct.pack(">II", at + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I", 128 + len(table) + len(body)) + b"lcms\x02\x10\0\0mntr" + space
    head += b"XYZ " + bytes(12) + b"acsp" + bytes(28) + _fixed(*_D50)
    return head + bytes(128 - len(head)) + table + body


# ---- PNG, chunk by chunk ---------------------------------------------------------------------


def raw_png(
    image: Image.Image, *before: bytes, after: bytes = b"", data: bytes | None = None
) -> bytes:
    """An 8-bit PNG with chunks before its pixels, and after them."""
    kind = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}[image.mode]
    head = struct.pack(">IIBBBBB", *image.size, 8, kind, 0, 0, 0)
    chunks = b"".join(before) + png_chunk(b"IDAT", data or rows_of(image)) + after
    end = png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + chunks + end


def rows_of(image: Image.Image) -> bytes:
    """The compressed, unfiltered rows of an image."""
    return zlib.compress(b"".join(b"\0" + row.tobytes() for row in np.asarray(image)))


def gama(exponent: float) -> bytes:
    """A gAMA chunk; ``exponent`` is that of encoding, as in the chunk."""
    return png_chunk(b"gAMA", struct.pack(">I", round(exponent * 100_000)))


def chrm(*shares: float) -> bytes:
    """A cHRM chunk of x and y of white, red, green and blue."""
    return png_chunk(b"cHRM", struct.pack(">8I", *(round(share * 100_000) for share in shares)))


def cicp(primaries: int, transfer: int) -> bytes:
    """A cICP chunk of full range."""
    return png_chunk(b"cICP", bytes((primaries, transfer, 0, 1)))


def iccp(data: bytes) -> bytes:
    """An iCCP chunk."""
    return png_chunk(b"iCCP", b"name\0\0" + zlib.compress(data))


def light_level(peak: int) -> bytes:
    """A cLLI chunk: the brightest pixel, in cd/m2."""
    return png_chunk(b"cLLI", struct.pack(">II", peak * 10_000, peak * 5_000))


# ---- AVIF and HEIF ---------------------------------------------------------------------------


def coded(
    kind: str, primaries: int, transfer: int, image: Image.Image | None = None, **options: object
) -> bytes:
    """An AVIF or HEIF whose nclx box names these code points; the numbers stay as they are."""
    options |= {"subsampling": "4:4:4"} if kind == "AVIF" else {"chroma": 444}
    data = encoded(image or corners(), kind, quality=100, **options)
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


# ---- BMP -------------------------------------------------------------------------------------


def bitfields(alpha: int, behind: bytes = b"", colours: bytes = b"BGRs") -> bytes:
    """A BMP of 32 bits whose header (BITMAPV5HEADER) names a mask for opacity, and a profile in
    what lies behind the pixels."""
    pixels = np.asarray(corners().convert("RGBA")).copy()
    pixels[..., 3] = alpha
    rows = pixels[::-1, :, [2, 1, 0, 3]].tobytes()
    head = struct.pack("<IiiHHIIiiII", 124, 64, 48, 1, 32, 3, len(rows), 2835, 2835, 0, 0)
    head += struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + colours + bytes(52)
    head += struct.pack("<3I", 124 + len(rows) if behind else 0, len(behind), 0)
    size = 138 + len(rows) + len(behind)
    return b"BM" + struct.pack("<IHHI", size, 0, 0, 138) + head + rows + behind


def profiled_bmp(data: bytes) -> bytes:
    """A BMP with that ICC profile."""
    return bitfields(255, data, b"DEBM")
