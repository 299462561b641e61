"""Animations of every format, made frame by frame."""

from __future__ import annotations

import struct
from io import BytesIO

from PIL import Image

from tests.pictures import corners, png_chunk
from tests.unmask.images.coloured import rows_of

WHITE_PAGE = Image.new("RGB", (64, 48), "white")
CLEAR_PAGE = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
#: The four quarters, upside down: another picture.
OTHER = corners().transpose(Image.Transpose.ROTATE_180)
FORMATS = ("GIF", "PNG", "WEBP", "AVIF")


def animation(
    kind: str, *frames: Image.Image, milliseconds: list[int] | int = 60_000, **options: object
) -> bytes:
    """An animation of these frames that repeats for ever, unless the options say otherwise."""
    out = BytesIO()
    durations = milliseconds if isinstance(milliseconds, list) else [milliseconds] * len(frames)
    usual: dict[str, object] = {"lossless": True} if kind == "WEBP" else {}
    usual |= {"quality": 100, "subsampling": "4:4:4"} if kind == "AVIF" else {"loop": 0}
    first, *others = frames
    usual |= {"save_all": True, "append_images": others, "duration": durations}
    first.save(out, kind, **usual | options)
    return out.getvalue()


def apng(default: Image.Image, *frames: Image.Image, milliseconds: int = 60_000) -> bytes:
    """An APNG whose ``default`` is no frame of it, so that only other viewers show it."""
    width, height = default.size
    head = struct.pack(">IIBBBBB", width, height, 8, {"RGB": 2, "RGBA": 6}[default.mode], 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head)
    data += png_chunk(b"acTL", struct.pack(">II", len(frames), 0))
    data += png_chunk(b"IDAT", rows_of(default))
    for number, frame in enumerate(frames):
        place = (2 * number, width, height, 0, 0, milliseconds, 1000, 0, 0)
        data += png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", *place))
        data += png_chunk(b"fdAT", struct.pack(">I", 2 * number + 1) + rows_of(frame))
    return data + png_chunk(b"IEND", b"")


def gif_with_small_first_frame() -> bytes:
    """A GIF whose first frame covers the lower right quarter of its screen alone."""
    out = BytesIO()
    corners(32, 24).save(out, "GIF")
    data = bytearray(out.getvalue())
    struct.pack_into("<HH", data, 6, 64, 48)
    struct.pack_into("<HH", data, data.index(b",\0\0\0\0") + 1, 32, 24)
    return bytes(data)
