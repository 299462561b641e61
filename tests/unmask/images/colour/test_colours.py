"""Colours come out as browsers show them; tests/browser/test_appearances.py asks a browser."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.pictures import corners, encoded, png_chunk
from tests.unmask.images.coloured import (
    P3_XY,
    P3_XYZ,
    chrm,
    cicp,
    coded,
    gama,
    iccp,
    light_level,
    profile,
    profiled_bmp,
    raw_png,
)
from tests.unmask.images.opened import COLOURS, SETTINGS, assert_quarters, decoded
from unmask.images import open_picture
from unmask.images.colour import in_srgb, signalling
from unmask.images.containers import walk
from unmask.warning_codes import warn

Colour = tuple[int, int, int]
#: The quarters of ``corners()`` as they look where their numbers are light, are in Display P3, or
#: in PQ and HLG with the primaries of BT.2020.
LINEAR = ((239, 96, 96), (96, 229, 110), (110, 110, 234), (188, 188, 188))
DISPLAY_P3 = ((240, 0, 0), (0, 204, 0), (40, 40, 219), (128, 128, 128))
PQ = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (132, 132, 132))
HLG = ((255, 0, 0), (0, 209, 0), (0, 18, 192), (99, 99, 99))
SRGB_CHUNK = png_chunk(b"sRGB", b"\0")

FILES: dict[str, tuple[Callable[[], bytes], tuple[Colour, ...]]] = {
    "cICP P3": (lambda: raw_png(corners(), cicp(12, 13)), DISPLAY_P3),
    "cICP PQ": (lambda: raw_png(corners(), cicp(9, 16)), PQ),
    "cICP HLG": (lambda: raw_png(corners(), cicp(9, 18)), HLG),
    "cICP linear": (lambda: raw_png(corners(), cicp(1, 8)), LINEAR),
    "cICP unknown": (lambda: raw_png(corners(), cicp(200, 201)), COLOURS),
    "cICP before iCCP": (
        lambda: raw_png(corners(), cicp(12, 13), iccp(profile(gamma=1.0))),
        DISPLAY_P3,
    ),
    "iCCP before gAMA": (
        lambda: raw_png(corners(), iccp(profile("P3", None, P3_XYZ)), gama(1)),
        DISPLAY_P3,
    ),
    "sRGB before gAMA": (lambda: raw_png(corners(), SRGB_CHUNK, gama(1)), COLOURS),
    "gAMA": (lambda: raw_png(corners(), gama(1)), LINEAR),
    "gAMA 0": (lambda: raw_png(corners(), gama(0)), COLOURS),
    "gAMA, grey": (
        lambda: raw_png(corners().convert("L"), gama(1)),
        tuple((v,) * 3 for v in (158, 190, 132, 188)),
    ),
    "gAMA and cHRM": (
        lambda: raw_png(corners(), gama(0.45455), chrm(*P3_XY)),
        ((241, 0, 0), (0, 205, 0), (35, 35, 220), (129, 129, 129)),
    ),
    "cHRM alone": (lambda: raw_png(corners(), chrm(*P3_XY)), COLOURS),
    "cHRM of nothing": (lambda: raw_png(corners(), gama(1), chrm(*[0.0] * 8)), COLOURS),
    "cut chunks": (
        lambda: raw_png(corners(), png_chunk(b"cICP", b"\1"), png_chunk(b"cLLI", b"\1")),
        COLOURS,
    ),
    "AVIF P3": (lambda: coded("AVIF", 12, 13), DISPLAY_P3),
    "AVIF PQ": (lambda: coded("AVIF", 9, 16), PQ),
    "AVIF HLG": (lambda: coded("AVIF", 9, 18), HLG),
    "AVIF BT.709": (lambda: coded("AVIF", 1, 1), COLOURS),
    "HEIF P3": (lambda: coded("HEIF", 12, 13), DISPLAY_P3),
    "HEIF PQ": (lambda: coded("HEIF", 9, 16), PQ),
    "HEIF HLG": (lambda: coded("HEIF", 9, 18), HLG),
}


@pytest.mark.parametrize(("make", "colours"), FILES.values(), ids=FILES)
def test_signalled_colours(make: Callable[[], bytes], colours: tuple[Colour, ...]) -> None:
    assert_quarters(decoded(make()), *colours, within=7)


@pytest.mark.parametrize("name", ["linear", "sRGB-elle-V2-g10.icc", "sRGB IEC61966-2.1"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_a_profile_is_heeded_by_its_curves_and_not_by_its_name(kind: str, name: str) -> None:
    data = encoded(corners(), kind, icc_profile=profile(name, 1.0), quality=100)
    assert_quarters(decoded(data), *LINEAR, within=7)


def test_a_bitmap_may_carry_a_profile() -> None:
    data = profiled_bmp(profile(gamma=1.0))
    assert_quarters(decoded(data), *LINEAR)
    assert walk(data, "BMP").finish().end == len(data)
    assert open_picture(data[:-4], SETTINGS).warnings == (warn("end_missing"),)


def test_a_profile_that_does_what_srgb_does_leaves_every_level() -> None:
    levels = Image.fromarray(np.arange(3072, dtype=np.uint8).reshape(32, 32, 3))
    data = encoded(levels, "PNG", icc_profile=profile("another name"))
    assert np.array_equal(decoded(data), np.asarray(levels))


def test_a_code_inside_a_profile_speaks_for_it() -> None:
    code = b"cicp\0\0\0\0" + bytes((9, 16, 0, 1))
    data = encoded(corners(), "JPEG", icc_profile=profile(cicp=code), quality=100, subsampling=0)
    assert_quarters(decoded(data), *PQ, within=8)


def test_the_brightest_light_of_pq_sets_its_range() -> None:
    white = Image.new("RGB", (32, 32), (148,) * 3)  # the light of white paper, 203 cd/m2
    shown = [
        decoded(raw_png(white, cicp(9, 16), light_level(peak)))[0, 0, 0] for peak in (203, 1000)
    ]
    assert shown[0] >= 250
    assert 180 <= shown[1] <= 190


def test_transparent_colours_are_converted_before_they_are_mixed() -> None:
    image = corners().convert("RGBA")
    image.putalpha(128)
    mixed = [tuple(round((c * 128 + 255 * 127) / 255) for c in colour) for colour in LINEAR]
    data = encoded(image, "PNG", icc_profile=profile(gamma=1.0))
    assert_quarters(decoded(data), *mixed)


def test_a_large_picture_is_converted_in_strips() -> None:
    tall = corners(64, 48).resize((64, 20_000), Image.Resampling.NEAREST)
    pixels = decoded(raw_png(tall, cicp(12, 13)))
    small = decoded(raw_png(corners(), cicp(12, 13)))
    assert np.array_equal(pixels[::417][:48, ::8], small[: len(pixels[::417]), ::8])


@pytest.mark.parametrize(("bits", "photometric"), [(12, 1), (16, 1), (16, 0)])
def test_deep_grey_is_as_bright_as_shallow(bits: int, photometric: int) -> None:
    """Whatever its bits, and whether 0 is black (1) or white (0)."""
    values = np.asarray(corners().convert("L")).astype("<u2") << (bits - 8)
    values = values if photometric else 65_535 - values
    rows = _packed(values) if bits == 12 else values.tobytes()
    tags = {
        256: 64,
        257: 48,
        258: bits,
        259: 1,
        262: photometric,
        273: 8,
        277: 1,
        278: 48,
        279: len(rows),
    }
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    head = struct.pack("<2sHI", b"II", 42, 8 + len(rows))
    data = head + rows + struct.pack("<H", len(tags)) + entries + bytes(4)
    greys = np.asarray(corners().convert("L"))
    assert np.abs(decoded(data)[..., 0].astype(int) - greys).max() <= 1


def _packed(values: np.ndarray) -> bytes:
    """Two samples of twelve bits in three bytes."""
    first, second = values[:, ::2].astype(int), values[:, 1::2].astype(int)
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=-1)
    return packed.astype(np.uint8).tobytes()


def test_what_is_srgb_already_is_not_copied() -> None:
    data = encoded(corners(), "JPEG")
    image = Image.open(BytesIO(data))
    assert in_srgb(image, signalling(data, "JPEG", None)) is image


def test_a_picture_is_changed_in_place_only_where_that_is_allowed() -> None:
    data = encoded(corners(), "PNG", icc_profile=profile(primaries=P3_XYZ))
    colours = signalling(data, "PNG", profile(primaries=P3_XYZ))
    image = Image.open(BytesIO(data))
    copied = in_srgb(image, colours)
    assert copied is not image
    assert np.array_equal(np.asarray(image), np.asarray(corners()))
    assert in_srgb(image, colours, in_place=True) is image
    assert np.array_equal(np.asarray(image), np.asarray(copied))


def test_each_frame_keeps_its_own_colours() -> None:
    """The second frame changes a part of the first, which must not have been brought to sRGB."""
    first, second = corners(), corners()
    second.paste((120, 90, 60), (0, 0, 40, 40))
    out, embedded = BytesIO(), profile(primaries=P3_XYZ)
    frames = {"save_all": True, "append_images": [second], "duration": [2000, 2000]}
    first.save(out, "PNG", icc_profile=embedded, **frames)
    appearances = list(open_picture(out.getvalue(), SETTINGS).appearances())
    assert len(appearances) == 2
    for appearance, image in zip(appearances, (first, second), strict=True):
        still = encoded(image, "PNG", icc_profile=embedded)
        assert np.array_equal(appearance.pixels, decoded(still))


def test_what_a_profile_does_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    transform = ImageCms.profileToProfile

    def counted(*arguments: Any, **options: Any) -> Any:
        asked.append(arguments[0].mode)
        return transform(*arguments, **options)

    monkeypatch.setattr(ImageCms, "profileToProfile", counted)
    embedded = profile("asked once")
    data = encoded(corners(), "JPEG", icc_profile=embedded)
    before = decoded(data)
    assert len(asked) == 1
    assert np.array_equal(decoded(data), before) and len(asked) == 1
    padded = profile("too long to be kept", more=bytes(40_000))
    for number in (1, 2):
        decoded(encoded(corners(), "JPEG", icc_profile=padded))
        assert len(asked) == 1 + number
