"""Files that stop early: whole without an end mark, or truncated."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from tests import pictures
from tests.pictures import corners, encoded, photo
from tests.unmask.images.opened import SETTINGS, code_of, decoded
from unmask.images import open_picture
from unmask.warning_codes import warn

END_MISSING = (warn("end_missing"),)


def jpeg(image: Image.Image, **options: object) -> bytes:
    return encoded(image, "JPEG", **{"quality": 90} | options)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}], ids=str)
@pytest.mark.parametrize("missing", [1, 2])
def test_a_jpeg_that_lacks_only_its_end_mark_is_read(
    missing: int, options: dict[str, object]
) -> None:
    data = jpeg(photo(340, 300), **options)
    picture = open_picture(data[:-missing], SETTINGS)
    assert picture.warnings == END_MISSING
    assert np.array_equal(picture.pixels(), decoded(data))
    assert picture.pixels(8).shape == (38, 43, 3)


@pytest.mark.parametrize("missing", [1, 4, 12, 14])
def test_a_png_that_lacks_only_its_end_is_read(missing: int) -> None:
    data = encoded(photo(340, 300), "PNG")
    picture = open_picture(data[:-missing], SETTINGS)
    assert picture.warnings == END_MISSING
    assert np.array_equal(picture.pixels(), decoded(data))


def test_a_gif_without_its_end_is_read() -> None:
    data = encoded(photo(64, 48), "GIF")
    picture = open_picture(data[:-1], SETTINGS)
    assert picture.warnings == END_MISSING
    assert np.array_equal(picture.pixels(), decoded(data))


@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.9, 0.96])
@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"restart_marker_rows": 1}], ids=str)
def test_a_jpeg_whose_data_ends_early_is_truncated_though_it_has_an_end(
    part: float, options: dict[str, object]
) -> None:
    data = jpeg(photo(340, 300), **options)
    scan = data.index(b"\xff\xda")
    cut = data[: scan + int((len(data) - scan) * part)].rstrip(b"\xff") + b"\xff\xd9"
    for shrink in (1, 8):
        picture = open_picture(cut, SETTINGS)
        assert code_of(lambda picture=picture, shrink=shrink: picture.pixels(shrink)) == "truncated"


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=str)
def test_a_small_jpeg_that_says_it_is_huge_is_truncated(options: dict[str, object]) -> None:
    data = bytearray(jpeg(photo(340, 300), **options))
    at = data.index(b"\xff\xc2" if options else b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, 7000, 7000)
    picture = open_picture(bytes(data), SETTINGS)
    assert code_of(lambda: picture.pixels(8)) == "truncated"


def test_a_small_plain_tiff_that_says_it_is_tall_is_truncated() -> None:
    data = bytearray(encoded(photo(340, 300), "TIFF"))
    at = data.index(struct.pack("<HHI", 257, 4, 1))
    struct.pack_into("<HHII", data, at, 257, 4, 1, 3000)
    assert code_of(lambda: decoded(bytes(data))) == "truncated"


def test_progressive_scans_that_are_missing_count() -> None:
    data = jpeg(photo(340, 300), progressive=True)
    scans = [at for at in range(len(data)) if data.startswith(b"\xff\xda", at)]
    assert len(scans) > 4
    assert code_of(lambda: decoded(data[: scans[3]])) == "truncated"


@pytest.mark.parametrize("grey", [127, 128])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_that_is_grey_at_its_end_is_whole(grey: int, mode: str) -> None:
    """Decoders fill in this very grey, so it is looked at twice."""
    image = photo(160, 120)
    image.paste((grey,) * 3, (0, 60, 160, 120))
    for shrink in (1, 8):
        picture = open_picture(jpeg(image.convert(mode)), SETTINGS)
        assert picture.pixels(shrink).shape[2] == 3
        assert picture.warnings == ()


def test_whole_files_of_every_format_say_nothing() -> None:
    for kind in pictures.FORMATS:
        assert open_picture(encoded(corners(), kind), SETTINGS).warnings == ()
