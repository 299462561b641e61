"""Files that are no picture, not one that is read, or more than one."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tests import pictures
from tests.pictures import BLUE, FORMATS, GREEN, GREY, RED, corners, encoded, photo
from tests.unmask.images.opened import MOTION, SETTINGS, assert_quarters, code_of, decoded, refusal
from unmask.images import open_picture
from unmask.warning_codes import CodedWarning

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


INNOCENT: dict[str, tuple[Callable[[], bytes], tuple[CodedWarning, ...]]] = {
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
    kind: str, make: Callable[[], bytes], said: tuple[CodedWarning, ...]
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
