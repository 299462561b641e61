"""Strangers' pictures: the good are read as they look, every hostile one gets its own code."""

from __future__ import annotations

import os
import random
import struct
import tracemalloc
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, ImageFile

from tests import pictures
from tests.pictures import BLUE, FORMATS, GREEN, GREY, RED, corners, encoded, photo
from unmask.errors import UnmaskError
from unmask.images import Picture, open_picture, read_picture
from unmask.images.pixels import _OPENERS
from unmask.settings import Settings

SETTINGS = Settings()
WHITE = (255, 255, 255)
MOTION = "The short video that comes with this motion photo was not examined."
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


# ---- good pictures ---------------------------------------------------------------------------


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
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
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


def wide_profile() -> bytes:
    """sRGB with a much redder red, under another name."""
    raw = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    entry = raw.index(b"rXYZ", 128)
    (at,) = struct.unpack_from(">I", raw, entry + 4)
    struct.pack_into(">I", raw, at + 8, int(0.6 * 65_536))
    return bytes(raw).replace("sRGB".encode("utf-16-be"), "Wide".encode("utf-16-be"))


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


def test_a_profile_of_another_colour_space_is_ignored() -> None:
    data = encoded(corners().convert("L"), "JPEG", icc_profile=wide_profile())
    assert_quarters(decoded(data), *GREYS)


def test_pictures_decode_alike_in_threads() -> None:
    opened = [open_picture(encoded(photo(160, 120, n), k), SETTINGS) for n, k in enumerate(FORMATS)]
    alone = [picture.pixels() for picture in opened]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(Picture.pixels, opened * 3))
    assert all(np.array_equal(a, b) for a, b in zip(alone * 3, together, strict=True))


# ---- several frames --------------------------------------------------------------------------

FRAMED = {"GIF": "frames", "PNG": "frames", "WEBP": "frames", "AVIF": "frames", "TIFF": "pages"}


@pytest.mark.parametrize(("kind", "name"), FRAMED.items())
def test_the_first_of_several_frames_is_taken_and_said(kind: str, name: str) -> None:
    picture = open_picture(pictures.animation(kind, 12), SETTINGS)
    assert picture.warnings == (f"Only the first of 12 {name} was examined.",)
    assert np.abs(picture.pixels().astype(int) - 40).max() <= 3


def test_the_main_picture_of_a_heif_is_taken_and_said() -> None:
    picture = open_picture(pictures.animation("HEIF", 3), SETTINGS)
    assert picture.warnings == ("Only the main one of 3 pictures was examined.",)
    assert np.abs(picture.pixels().astype(int) - 40).max() <= 3


@pytest.mark.parametrize("kind", [*FRAMED, "HEIF"])
def test_the_limit_on_frames_is_exact(kind: str) -> None:
    settings = Settings(max_frames=4)
    assert open_picture(pictures.animation(kind, 4), settings).warnings
    assert refusal(pictures.animation(kind, 5), settings) == "too_many_frames"


@pytest.mark.timeout(10)  # decoding so many would take far longer
@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_thousands_of_frames_are_refused(kind: str) -> None:
    assert refusal(pictures.many_frames(kind, 50_000)) == "too_many_frames"


def test_a_tiff_whose_pages_lead_in_a_circle_ends() -> None:
    picture = open_picture(pictures.tiff_pages(3, loop=True), SETTINGS)
    assert picture.warnings == ("Only the first of 3 pages was examined.",)


def test_the_second_view_of_a_camera_is_no_frame() -> None:
    out = BytesIO()
    corners().save(out, "MPO", save_all=True, append_images=[photo(64, 48)])
    picture = open_picture(out.getvalue(), SETTINGS)
    assert (picture.format, picture.warnings) == ("JPEG", ())
    assert_quarters(picture.pixels(), RED, GREEN, BLUE, GREY)


# ---- limits, tested at the header ------------------------------------------------------------


@pytest.fixture
def no_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(self: ImageFile.ImageFile) -> None:
        raise AssertionError("decoded before the limits were tested")

    for opener in _OPENERS.values():
        monkeypatch.setattr(opener, "load", load)


@pytest.mark.usefixtures("no_decoding")
@pytest.mark.parametrize(
    ("width", "height", "code"),
    [
        (20_000, 20_000, "too_many_pixels"),
        (7_100, 7_100, "too_many_pixels"),
        (1, 3_000, "bad_dimensions"),
        (3_000, 15, "bad_dimensions"),
        (30_001, 16, "bad_dimensions"),
    ],
)
@pytest.mark.parametrize("kind", FORMATS)
def test_sizes_beyond_the_limits_are_refused_at_the_header(
    kind: str, width: int, height: int, code: str
) -> None:
    assert refusal(pictures.claiming(kind, width, height)) == code


@pytest.mark.usefixtures("no_decoding")
@pytest.mark.parametrize("kind", FORMATS)
def test_sizes_at_the_limits_pass(kind: str) -> None:
    data = encoded(corners(64, 64), kind)
    exact = Settings(max_pixels=64 * 64, min_side=64, max_side=64, max_bytes=len(data))
    assert open_picture(data, exact).width == 64
    for change, code in {
        "max_pixels": "too_many_pixels",
        "max_side": "bad_dimensions",
        "max_bytes": "too_many_bytes",
    }.items():
        lower = exact.model_copy(update={change: getattr(exact, change) - 1})
        assert refusal(data, lower) == code
    assert refusal(data, exact.model_copy(update={"min_side": 65})) == "bad_dimensions"


@pytest.mark.parametrize("kind", FORMATS)
def test_a_bomb_costs_next_to_nothing(kind: str) -> None:
    data = pictures.claiming(kind, 20_000, 20_000)
    tracemalloc.start()
    try:
        refusal(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(data) + 1_000_000  # decoded it takes 1,200,000,000 bytes


def test_no_warning_of_pillow_leaks_where_the_limit_is_raised() -> None:
    roomy = Settings(max_pixels=170_000_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF"):
            assert open_picture(pictures.claiming(kind, 12_000, 12_000), roomy).width == 12_000


def test_pillow_is_left_as_it_was() -> None:
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, set(Image.OPEN))
    for kind in FORMATS:
        decoded(encoded(corners(), kind))
    after = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, set(Image.OPEN))
    assert before == after


# ---- files that are no picture, or not one that is read --------------------------------------

NO_PICTURES = {
    "one byte": b"\xff",
    "text": b"Dear all, here is the picture.\n",
    "text like a BMP": b"BM stands for bitmap, and this is a text",
    "page": pictures.PAGE,
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48"></svg>',
    "PDF": pictures.DOCUMENT,
    "zip": pictures.archive(),
    "program": pictures.program(),
    "MP4": pictures.video(),
    "MP4 that calls itself compatible": b"\0\0\0\x18ftypisom\0\0\0\0avifmif1" + bytes(64),
    "WAV": b"RIFF\x24\0\0\0WAVEfmt " + bytes(32),
    "zeros": bytes(5000),
}


@pytest.mark.parametrize("data", NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_is_no_picture_is_named_so(data: bytes) -> None:
    assert refusal(data) == "not_a_picture"


def other_format(kind: str) -> bytes:
    return encoded(corners(), kind)


UNSUPPORTED: dict[str, Callable[[], bytes]] = {
    **{
        kind: (lambda kind=kind: other_format(kind))  # type: ignore[misc]
        for kind in ("ICO", "PCX", "EPS", "DDS", "JPEG2000", "PPM", "SGI", "QOI", "ICNS")
    },
    "TGA with a footer": lambda: other_format("TGA"),
    "PSD": lambda: b"8BPS\0\1" + bytes(40),
    "JPEG XL": lambda: b"\xff\x0a" + bytes(40),
    "CR2": lambda: b"II*\0\x10\0\0\0CR\2\0" + bytes(40),
    "CR3": lambda: b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(40),
    "DICOM": lambda: bytes(128) + b"DICM" + bytes(40),
    "BMP of 7 bits": lambda: encoded(corners(), "BMP").replace(b"\1\0\x18\0", b"\1\0\7\0", 1),
    "JPEG of 12 bits": lambda: encoded(corners(), "JPEG").replace(
        b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"
    ),
    "DNG": lambda: encoded(corners(), "TIFF", tiffinfo={0xC612: b"\1\4\0\0"}),
    "NEF": lambda: encoded(corners(), "TIFF", tiffinfo={0xFE: 1}),
}


@pytest.mark.parametrize("make", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_other_picture_formats_are_unsupported(make: Callable[[], bytes]) -> None:
    data = make()
    if data[-18:-1] == b"TRUEVISION-XFILE.":
        assert data[-1:] == b"\0"
    assert refusal(data) == "unsupported_format"


def test_no_bytes_are_an_empty_file() -> None:
    assert refusal(b"") == "empty_file"


# ---- truncated and damaged -------------------------------------------------------------------


@pytest.mark.parametrize("part", [0.03, 0.1, 0.3, 0.5, 0.8, 0.97])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_that_was_cut_off_is_truncated(kind: str, part: float) -> None:
    data = encoded(photo(160, 120), kind)
    assert code_of(lambda: decoded(data[: int(len(data) * part)])) == "truncated"


def spoiled(kind: str, mark: bytes) -> bytes:
    """A picture with a few bytes overwritten just behind a mark."""
    data = bytearray(encoded(photo(160, 120), kind))
    at = data.index(mark) + len(mark)
    data[at : at + 12] = b"\xff" * 12
    return bytes(data)


def scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes that many times."""
    data = encoded(corners(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"


DAMAGED: dict[str, Callable[[], bytes]] = {
    "PNG pixels": lambda: spoiled("PNG", b"IDAT"),
    "WebP pixels": lambda: spoiled("WEBP", b"VP8 "),
    "AVIF pixels": lambda: spoiled("AVIF", b"mdat"),
    "HEIC pixels": lambda: spoiled("HEIF", b"mdat"),
    "PNG without a header": lambda: b"\x89PNG\r\n\x1a\n" + pictures.png_chunk(b"IEND", b""),
    "PNG text that inflates": lambda: pictures.text_bomb(b"zTXt"),
    "PNG international text that inflates": lambda: pictures.text_bomb(b"iTXt"),
    "PNG profile that inflates": lambda: pictures.text_bomb(b"iCCP"),
    "PNG of a million parts": lambda: pictures.png(
        32, 32, pictures.png_chunk(b"abCd", b"") * 1_000_000
    ),
    "JPEG of a thousand scans": lambda: scans(1000),
    "JPEG of a million segments": lambda: b"\xff\xd8" + b"\xff\xe5\0\2" * 1_000_000,
    "JPEG that begins with junk": lambda: b"\xff\xd8\xff\xe0\0\4ab" + bytes(1_000_000),
    "JPEG of fill bytes": lambda: b"\xff\xd8" + b"\xff" * 1_000_000,
    "JPEG without a frame": lambda: b"\xff\xd8\xff\xe0\0\4ab\xff\xd9",
    "GIF of a million blocks": lambda: b"GIF89a\x20\0\x20\0\0\0\0!\xfe" + b"\1a" * 1_000_000,
    "GIF that begins with junk": lambda: b"GIF89a\x20\0\x20\0\0\0\0" + b"x" * 1_000_000,
    "GIF without a frame": lambda: b"GIF89a\x20\0\x20\0\0\0\0;",
    "TIFF without tags": lambda: b"II*\0\x08\0\0\0\0\0" + bytes(40),
}


@pytest.mark.timeout(20)  # some would keep a naive reader busy for hours
@pytest.mark.parametrize("make", DAMAGED.values(), ids=DAMAGED)
def test_data_that_cannot_be_decoded_is_damaged(make: Callable[[], bytes]) -> None:
    data = make()
    assert code_of(lambda: decoded(data)) == "damaged"


def test_many_scans_within_reason_are_read() -> None:
    assert_quarters(decoded(scans(20)), RED, GREEN, BLUE, GREY)


# ---- second files ----------------------------------------------------------------------------

#: A TIFF does not say where it ends, so short marks just behind it cannot be looked for.
UNSEEN_BEHIND_TIFF = {"shell", "elf", "pe"}


@pytest.mark.parametrize(
    ("kind", "second"),
    [
        (kind, second)
        for kind in FORMATS
        for second in pictures.SECOND_FILES
        if kind != "TIFF" or second not in UNSEEN_BEHIND_TIFF
    ],
)
def test_a_second_file_behind_the_picture_is_refused(kind: str, second: str) -> None:
    data = encoded(photo(160, 120), kind)
    for padding in (b"", b"\r\n", bytes(300)):
        assert refusal(data + padding + pictures.SECOND_FILES[second]) == "polyglot"


def jpeg_with_comment(comment: bytes) -> bytes:
    return encoded(corners(), "JPEG", comment=comment)


POLYGLOTS: dict[str, Callable[[], bytes]] = {
    "PDF in a JPEG comment": lambda: jpeg_with_comment(pictures.DOCUMENT),
    "PHP in a JPEG comment": lambda: jpeg_with_comment(b"<?php echo 1; ?>"),
    "page in a PNG text": lambda: pictures.png(
        32, 32, pictures.png_chunk(b"tEXt", b"a\0" + pictures.PAGE), pixels=bytes(33 * 32)
    ),
    "zip in a JPEG comment": lambda: jpeg_with_comment(pictures.archive()),
    "zip behind a second picture": lambda: (
        encoded(corners(), "JPEG") + encoded(corners(), "JPEG") + pictures.archive()
    ),
    "page behind a motion photo's video": lambda: (
        encoded(corners(), "JPEG") + pictures.video() + pictures.PAGE
    ),
    "JavaScript and GIF": lambda: pictures.gif(0x2A2F, 32) + b"*/=1;alert(1)",
    "page behind leftovers": lambda: (
        encoded(corners(), "PNG") + pictures.cropped_leftovers() + pictures.PAGE
    ),
}


@pytest.mark.parametrize("make", POLYGLOTS.values(), ids=POLYGLOTS)
def test_a_second_file_elsewhere_is_refused(make: Callable[[], bytes]) -> None:
    assert refusal(make()) == "polyglot"


def gain_map() -> bytes:
    return encoded(photo(32, 24).convert("L"), "JPEG")


INNOCENT: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "zeros": (lambda: bytes(4096), ()),
    "line ends": (lambda: b"\r\n\n", ()),
    "Samsung's trailer": (pictures.samsung_trailer, ()),
    "a gain map": (gain_map, ()),
    "pictures and zeros": (lambda: bytes(9) + gain_map() + bytes(99) + gain_map(), ()),
    "compressed leftovers": (pictures.cropped_leftovers, ()),
    "two letters": (lambda: b"MZ and nothing else of a program", ()),
    "a motion photo's video": (pictures.video, (MOTION,)),
    "a gain map and a video": (lambda: gain_map() + pictures.video(), (MOTION,)),
    "Samsung's video": (
        lambda: b"\0\0\x30\n\x10\0\0\0MotionPhoto_Data" + pictures.video(),
        (MOTION,),
    ),
}


@pytest.mark.parametrize(("make", "said"), INNOCENT.values(), ids=INNOCENT)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "HEIF"])
def test_what_phones_and_editors_append_is_no_second_file(
    kind: str, make: Callable[[], bytes], said: tuple[str, ...]
) -> None:
    picture = open_picture(encoded(corners(), kind) + make(), SETTINGS)
    assert picture.warnings == said
    assert_quarters(picture.pixels(), RED, GREEN, BLUE, GREY)


def test_the_video_inside_a_motion_heic_is_mentioned() -> None:
    video = pictures.video()
    box = struct.pack(">I", len(video) + 8) + b"mpvd" + video
    assert open_picture(encoded(corners(), "HEIF") + box, SETTINGS).warnings == (MOTION,)


def test_marks_inside_compressed_data_mean_nothing() -> None:
    grain = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    for mark in (b"<script>", b"PK\3\4", b"%PDF-1.7", b"PK\5\6" + bytes(18), b"\x7fELF"):
        bmp = bytearray(encoded(Image.fromarray(grain), "BMP"))
        bmp[4000 : 4000 + len(mark)] = mark
        assert open_picture(bytes(bmp), SETTINGS).width == 64


# ---- whatever comes, only our own errors -----------------------------------------------------


def mutated(data: bytes, chance: random.Random) -> bytes:
    """``data`` after one to six small accidents, mostly near its head, where they hurt most."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = int(len(out) * chance.random() ** chance.choice((1, 4)))
        length = chance.choice((1, 1, 2, 4, 16))
        accident = chance.randrange(6)
        if accident == 0:
            out[at : at + 1] = bytes([chance.randrange(256)])
        elif accident == 1:
            out[at : at + length] = chance.randbytes(length)
        elif accident == 2:
            out[at : at + length] = chance.choice((b"\0", b"\xff", b"\x7f", b"\x80")) * length
        elif accident == 3:
            del out[at : at + length]
        elif accident == 4:
            out[at:at] = out[at // 2 : at // 2 + length]
        elif chance.random() < 0.3:
            del out[at:]
    return bytes(out)


def seeds(kind: str) -> list[bytes]:
    image, exif = pictures.stored_as(corners(), 6)
    options = {} if kind in ("GIF", "BMP") else {"exif": exif}
    made = [encoded(image, kind, **options), encoded(photo(48, 40), kind)]
    if kind == "JPEG":
        made.append(encoded(image.convert("CMYK"), kind, progressive=True))
        made.append(encoded(image, kind, icc_profile=wide_profile()))
    if kind == "PNG":
        made += [palette_picture(clear_red=True), deep_colour(), with_alpha("PNG")]
        made.append(encoded(image, kind, icc_profile=wide_profile()))
    if kind == "TIFF":
        made += [encoded(image, kind, compression=c) for c in ("jpeg", "tiff_deflate", "packbits")]
        made += [deep_grey("TIFF", "f4"), lab_tiff(), pictures.tiff_pages(3)]
    if kind in FRAMED:
        made.append(pictures.animation(kind, 3))
    return made


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_mutated_pictures_raise_only_our_own_errors(kind: str) -> None:
    chance = random.Random(f"unmask {kind}")
    made, ends = seeds(kind), []
    small = Settings(max_pixels=1_000_000)
    for number in range(150):
        data = mutated(made[number % len(made)], chance)
        try:
            picture = open_picture(data, small)
            shape = picture.pixels(chance.choice((1, 2, 4, 8))).shape
        except UnmaskError as error:
            ends.append(error.code)
        else:
            ends.append("read")
            assert kind == "JPEG" or shape == (picture.height, picture.width, 3)
    # The mutations must reach deep: some pictures survive them and some do not.
    assert ends.count("read") >= 5
    assert len(set(ends)) >= 3


# ---- files -----------------------------------------------------------------------------------


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "said to be.png"
    path.write_bytes(encoded(corners(), "JPEG"))
    assert read_picture(path, SETTINGS).format == "JPEG"


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for name in ("nothing.jpg", "file/inside.jpg", "zero\0byte.jpg"):
        path = tmp_path / name
        assert code_of(lambda path=path: read_picture(path, SETTINGS)) == "file_not_found"


def test_what_is_no_file_is_unreadable(tmp_path: Path) -> None:
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    for path in (tmp_path, pipe, loop, Path("/dev/zero"), Path("/dev/null")):
        assert code_of(lambda path=path: read_picture(path, SETTINGS)) == "file_unreadable"


def test_a_file_without_permission_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.jpg"
    path.write_bytes(b"x")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, whom no mode stops
    assert code_of(lambda: read_picture(path, SETTINGS)) == "file_unreadable"


def test_a_file_over_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(SETTINGS.max_bytes + 1)

    def never(*_: object) -> None:
        raise AssertionError("the file was opened")

    monkeypatch.setattr(Path, "open", never)
    assert code_of(lambda: read_picture(path, SETTINGS)) == "too_many_bytes"


def test_an_empty_file_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    assert code_of(lambda: read_picture(path, SETTINGS)) == "empty_file"


def test_a_refusal_says_what_broke_which_limit() -> None:
    with pytest.raises(UnmaskError) as caught:
        open_picture(pictures.claiming("PNG", 20_000, 10_000), SETTINGS)
    assert caught.value.detail == {"width": 20_000, "height": 10_000, "limit": 50_000_000}
    assert "20000 x 10000" in caught.value.message
