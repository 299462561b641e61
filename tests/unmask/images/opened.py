"""Unusual pictures, opened as the gate does, and what came of them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from tests import pictures
from tests.pictures import BLUE, GREEN, GREY, RED, corners, encoded
from unmask.errors import UnmaskError
from unmask.images import open_picture
from unmask.settings import Settings
from unmask.warning_codes import warn

SETTINGS = Settings()


WHITE = (255, 255, 255)


MOTION = warn("video_left_out")


#: Middles of the four quarters of ``corners()``: what lies there, as (y, x).
QUARTERS = {"red": (12, 16), "green": (12, 48), "blue": (36, 16), "grey": (36, 48)}


def code_of(action: Callable[[], object]) -> str:
    """The code that the action is refused with."""
    with pytest.raises(UnmaskError) as refusal:
        action()
    return refusal.value.code


def refusal(data: bytes, settings: Settings = SETTINGS) -> str:
    """The code that a picture's header is refused with."""
    return code_of(lambda: open_picture(data, settings))


def decoded(data: bytes) -> np.ndarray:
    return open_picture(data, SETTINGS).pixels()


def assert_quarters(pixels: np.ndarray, *colours: tuple[int, int, int], within: int = 4) -> None:
    for (name, at), colour in zip(QUARTERS.items(), colours, strict=True):
        assert np.abs(pixels[at].astype(int) - colour).max() <= within, (name, pixels[at], colour)


def grey_of(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    return (Image.new("RGB", (1, 1), colour).convert("L").getpixel((0, 0)),) * 3


GREYS = tuple(grey_of(colour) for colour in (RED, GREEN, BLUE, GREY))


COLOURS = (RED, GREEN, BLUE, GREY)


def palette_picture(kind: str = "PNG", **options: object) -> bytes:
    image = corners().convert("P", palette=Image.Palette.ADAPTIVE)
    if options.pop("clear_red", False):
        options["transparency"] = image.getpixel((5, 5))
    return encoded(image, kind, **options)


def with_alpha(kind: str) -> bytes:
    image = corners().convert("RGBA")
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 32, 24))
    image.putalpha(alpha)
    return encoded(image, kind, **({"lossless": True} if kind == "WEBP" else {}))


def deep_grey(kind: str, dtype: str, scale: float = 256.0) -> bytes:
    values = np.asarray(corners().convert("L")).astype(np.float64) * scale
    return encoded(Image.fromarray(values.astype(dtype)), kind)


def deep_png(colour_type: int, samples: np.ndarray) -> bytes:
    """A PNG of 16-bit samples, (h, w, channels), which Pillow cannot write."""
    height, width, channels = samples.shape
    rows = samples.astype(">u2").tobytes()
    stride = 2 * width * channels
    lines = b"".join(b"\0" + rows[y * stride : (y + 1) * stride] for y in range(height))
    data = bytearray(pictures.png(width, height, pixels=lines))
    head = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    data[8:33] = pictures.png_chunk(b"IHDR", head)
    return bytes(data)


def deep_colour() -> bytes:
    return deep_png(2, np.asarray(corners()).astype(np.uint16) * 256)


def deep_alpha() -> bytes:
    grey = np.asarray(corners().convert("L")).astype(np.uint16) * 256
    alpha = np.full_like(grey, 65_535)
    alpha[:24, :32] = 0
    return deep_png(4, np.dstack([grey, alpha]))


def lab_tiff() -> bytes:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    return encoded(ImageCms.profileToProfile(corners(), srgb, lab, outputMode="LAB"), "TIFF")


def deep_heic() -> bytes:
    samples = (np.asarray(corners()).astype(np.uint16) * 256).tobytes()
    out = BytesIO()
    pillow_heif.encode("RGB;16", (64, 48), samples, out)
    return out.getvalue()


def wide_profile() -> bytes:
    """sRGB with a much redder red, under another name."""
    raw = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    entry = raw.index(b"rXYZ", 128)
    (at,) = struct.unpack_from(">I", raw, entry + 4)
    struct.pack_into(">I", raw, at + 8, int(0.6 * 65_536))
    return bytes(raw).replace("sRGB".encode("utf-16-be"), "Wide".encode("utf-16-be"))


FRAMED = dict.fromkeys(("GIF", "PNG", "WEBP", "AVIF"), "some_frames") | {"TIFF": "first_page"}
