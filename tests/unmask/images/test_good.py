"""The good are read as they look."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image

from tests import pictures
from tests.pictures import BLUE, FORMATS, GREEN, GREY, RED, corners, encoded, photo
from tests.unmask.images.coloured import profile
from tests.unmask.images.opened import (
    COLOURS,
    GREYS,
    SETTINGS,
    WHITE,
    assert_quarters,
    decoded,
    deep_alpha,
    deep_colour,
    deep_grey,
    deep_heic,
    lab_tiff,
    palette_picture,
    wide_profile,
    with_alpha,
)
from unmask.images import Picture, open_picture


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_read(kind: str) -> None:
    data = encoded(corners(), kind)
    picture = open_picture(data, SETTINGS)
    assert (picture.format, picture.width, picture.height) == (kind, 64, 48)
    assert (picture.sha256, picture.warnings) == (sha256(data).hexdigest(), ())
    pixels = picture.pixels()
    assert (pixels.shape, pixels.dtype) == ((48, 64, 3), np.uint8)
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable
    assert_quarters(pixels, RED, GREEN, BLUE, GREY)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "AVIF", "HEIF"])
def test_every_orientation_comes_upright_once(kind: str, orientation: int) -> None:
    image, exif = pictures.stored_as(corners(), orientation)
    picture = open_picture(encoded(image, kind, exif=exif), SETTINGS)
    assert (picture.width, picture.height) == (64, 48)
    assert_quarters(picture.pixels(), RED, GREEN, BLUE, GREY)


def test_a_heif_that_names_its_turn_twice_is_turned_once() -> None:
    image, exif = pictures.stored_as(corners(), 6)
    data = encoded(image, "HEIF", exif=exif)
    assert b"irot" in data
    assert b"Exif" in data
    assert_quarters(decoded(data), RED, GREEN, BLUE, GREY)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_an_orientation_in_broken_exif_is_ignored() -> None:
    for exif in (b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + b"\xff" * 40):
        assert_quarters(decoded(encoded(corners(), "JPEG", exif=exif)), RED, GREEN, BLUE, GREY)


def test_xmp_alone_turns_no_picture() -> None:
    # No viewer does, and Pillow would turn a TIFF's pixels but not the size in its header.
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    for kind in ("JPEG", "TIFF", "WEBP"):
        options = {"tiffinfo": {700: xmp}} if kind == "TIFF" else {"xmp": xmp}
        assert_quarters(decoded(encoded(corners(), kind, **options)), RED, GREEN, BLUE, GREY)


CLEAR_GREYS = (WHITE, *GREYS[1:])
CLEAR = (WHITE, GREEN, BLUE, GREY)
MODES: dict[str, tuple[Callable[[], bytes], tuple[tuple[int, int, int], ...]]] = {
    "CMYK JPEG (Adobe, inverted)": (lambda: encoded(corners().convert("CMYK"), "JPEG"), COLOURS),
    "CMYK TIFF": (lambda: encoded(corners().convert("CMYK"), "TIFF"), COLOURS),
    "grey JPEG": (lambda: encoded(corners().convert("L"), "JPEG"), GREYS),
    "grey PNG": (lambda: encoded(corners().convert("L"), "PNG"), GREYS),
    "grey and alpha": (lambda: encoded(corners().convert("LA"), "PNG"), GREYS),
    "two levels": (
        lambda: encoded(
            corners().convert("L").point(lambda v: 255 * (v > 100)).convert("1"), "PNG"
        ),
        ((0, 0, 0), WHITE, (0, 0, 0), WHITE),
    ),
    "palette": (palette_picture, COLOURS),
    "palette, one colour clear": (lambda: palette_picture(clear_red=True), CLEAR),
    "palette, GIF, one colour clear": (lambda: palette_picture("GIF", clear_red=True), CLEAR),
    "palette with alpha": (lambda: palette_picture(transparency=bytes(256)), (WHITE,) * 4),
    "colour key": (lambda: encoded(corners(), "PNG", transparency=RED), CLEAR),
    "alpha, PNG": (lambda: with_alpha("PNG"), CLEAR),
    "alpha, WebP": (lambda: with_alpha("WEBP"), CLEAR),
    "alpha, TIFF": (lambda: with_alpha("TIFF"), CLEAR),
    "alpha, AVIF": (lambda: with_alpha("AVIF"), CLEAR),
    "alpha, HEIC": (lambda: with_alpha("HEIF"), CLEAR),
    "16-bit grey PNG": (lambda: deep_grey("PNG", "u2"), GREYS),
    "16-bit grey TIFF": (lambda: deep_grey("TIFF", "u2"), GREYS),
    "16-bit grey TIFF, big-endian": (lambda: deep_grey("TIFF", ">u2"), GREYS),
    "32-bit grey TIFF": (lambda: deep_grey("TIFF", "i4"), GREYS),
    "float grey TIFF, 0 to 1": (lambda: deep_grey("TIFF", "f4", 1 / 255), GREYS),
    "float grey TIFF, 0 to 255": (lambda: deep_grey("TIFF", "f4", 1), GREYS),
    "16-bit colour PNG": (deep_colour, COLOURS),
    "16-bit grey and alpha PNG": (deep_alpha, CLEAR_GREYS),
    "LAB TIFF": (lab_tiff, COLOURS),
    "YCbCr TIFF": (lambda: encoded(corners().convert("YCbCr"), "TIFF"), COLOURS),
    "TIFF, LZW": (lambda: encoded(corners(), "TIFF", compression="tiff_lzw"), COLOURS),
    "TIFF, JPEG": (lambda: encoded(corners(), "TIFF", compression="jpeg"), COLOURS),
    "progressive JPEG": (lambda: encoded(corners(), "JPEG", progressive=True), COLOURS),
    "10-bit HEIC": (deep_heic, COLOURS),
}


@pytest.mark.parametrize(("make", "colours"), MODES.values(), ids=MODES)
def test_every_mode_becomes_rgb(make: Callable[[], bytes], colours: tuple) -> None:
    assert_quarters(decoded(make()), *colours, within=6)


def test_floats_that_are_no_numbers_are_black() -> None:
    values = np.full((48, 64), 0.5, np.float32)
    values[0, :3] = (np.nan, np.inf, -np.inf)
    pixels = decoded(encoded(Image.fromarray(values), "TIFF"))
    assert pixels[0, :4, 0].tolist() == [0, 0, 0, 128]


@pytest.mark.parametrize(
    ("shrink", "size"), [(1, (77, 101)), (2, (39, 51)), (4, (20, 26)), (8, (10, 13))]
)
def test_a_jpeg_is_decoded_at_reduced_scale(shrink: int, size: tuple[int, int]) -> None:
    data = encoded(photo(101, 77), "JPEG", quality=95)
    pixels = open_picture(data, SETTINGS).pixels(shrink)
    assert pixels.shape == (*size, 3)
    whole = Image.fromarray(decoded(data)).resize(size[::-1], Image.Resampling.BOX)
    assert np.abs(np.asarray(whole).astype(int) - pixels).mean() < 6


def test_a_turned_jpeg_shrinks_upright() -> None:
    image, exif = pictures.stored_as(corners(512, 384), 6)
    pixels = open_picture(encoded(image, "JPEG", exif=exif), SETTINGS).pixels(8)
    assert pixels.shape == (48, 64, 3)
    assert_quarters(pixels, RED, GREEN, BLUE, GREY)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "JPEG"])
def test_other_formats_come_at_full_size(kind: str) -> None:
    assert open_picture(encoded(corners(), kind), SETTINGS).pixels(4).shape == (48, 64, 3)


def test_an_unknown_shrink_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="shrink"):
        open_picture(encoded(corners(), "JPEG"), SETTINGS).pixels(3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_colour_profile_is_heeded(kind: str) -> None:
    pixels = decoded(encoded(corners(), kind, icc_profile=wide_profile()))
    assert pixels[12, 16, 0] > RED[0] + 20
    assert np.abs(pixels[36, 48].astype(int) - GREY).max() < 30


@pytest.mark.parametrize(
    "profile",
    [b"no profile at all", bytes(200), wide_profile()[:300], wide_profile()[:-400] + bytes(400)],
    ids=["text", "zeros", "cut", "blank end"],
)
def test_a_broken_colour_profile_spoils_nothing(profile: bytes) -> None:
    assert decoded(encoded(corners(), "JPEG", icc_profile=profile)).shape == (48, 64, 3)


def test_a_colour_profile_on_grey_is_heeded_and_a_grey_one_on_colours_is_not() -> None:
    grey = decoded(encoded(corners().convert("L"), "JPEG", icc_profile=wide_profile()))
    assert grey[12, 16, 0] > GREYS[0][0] + 10
    one = profile(gamma=1.0, space=b"GRAY")
    assert_quarters(decoded(encoded(corners(), "JPEG", icc_profile=one)), *COLOURS)


def test_pictures_decode_alike_in_threads() -> None:
    opened = [open_picture(encoded(photo(160, 120, n), k), SETTINGS) for n, k in enumerate(FORMATS)]
    alone = [picture.pixels() for picture in opened]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(Picture.pixels, opened * 3))
    assert all(np.array_equal(a, b) for a, b in zip(alone * 3, together, strict=True))
