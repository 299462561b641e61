"""Several frames, and limits that are tested at the header."""

from __future__ import annotations

import struct
import subprocess
import sys
import tracemalloc
import warnings
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFile

from tests import pictures
from tests.pictures import BLUE, FORMATS, GREEN, GREY, RED, corners, encoded, photo
from tests.unmask.images.opened import FRAMED, SETTINGS, assert_quarters, decoded, refusal
from unmask.images import open_picture
from unmask.images.opening import _OPENERS
from unmask.settings import Settings
from unmask.warning_codes import warn

# ---- several frames --------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "code"), FRAMED.items())
def test_the_first_of_several_frames_is_taken_and_said(kind: str, code: str) -> None:
    picture = open_picture(pictures.animation(kind, 12), SETTINGS)
    assert picture.warnings == (warn(code, number=12),)
    assert np.abs(picture.pixels().astype(int) - 40).max() <= 3


def test_the_main_picture_of_a_heif_is_taken_and_said() -> None:
    picture = open_picture(pictures.animation("HEIF", 3), SETTINGS)
    assert picture.warnings == (warn("main_picture", number=3),)
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
    assert picture.warnings == (warn("first_page", number=3),)


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


def tiled(width: int, tile: int, *odd: int) -> bytes:
    """A grey TIFF of that width and height in one tile; ``odd`` tags hold what they should not."""
    tags = {256: width, 257: width, 258: 8, 259: 1, 262: 1, 277: 1, 322: tile, 323: tile}
    tags |= {324: 8, 325: 64} | dict.fromkeys(odd, 1)
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    head = struct.pack("<2sHI", b"II", 42, 72) + bytes(64)
    return head + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_tiles_far_larger_than_the_picture_are_refused() -> None:
    """The decoder makes room for a whole tile: 64 megabytes for the 4,096 pixels of this one."""
    assert refusal(tiled(64, 8_192)) == "damaged"
    for width, tile in ((64, 256), (3_000, 4_096)):
        assert open_picture(tiled(width, tile), SETTINGS).width == width


def test_odd_tags_write_nothing_to_the_log() -> None:
    """Pillow warns of each; a file may hold thousands of them."""
    program = "import sys; from unmask.images import open_picture; from unmask.settings import *; "
    program += "open_picture(sys.stdin.buffer.read(), Settings())"
    data = tiled(64, 256).replace(struct.pack("<HHI", 277, 4, 1), struct.pack("<HHI", 277, 4, 3))
    command = [sys.executable, "-W", "default", "-c", program]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    assert b"Warning" not in done.stderr


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
