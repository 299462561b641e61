"""How a JPEG was saved: its tables, its quality, and whether it was a JPEG before."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from skimage.data import coffee

from unmask.evidence.blocks import read_blocks
from unmask.evidence.jpeg.saving import tell_saving
from unmask.evidence.jpeg.tables import _MOZJPEG, quality_of, read_tables
from unmask.findings import Evidence, Kind, Says, Weight
from unmask.images import open_picture
from unmask.settings import Settings

ROBIDOUX_FIRST_ROW = (16, 16, 16, 18, 25, 37, 56, 85)


@cache
def photograph(side: int = 512) -> Image.Image:
    """A photograph without traces of an earlier saving, and with a little grain."""
    image = Image.fromarray(coffee()).resize((side, side * 2 // 3), Image.Resampling.LANCZOS)
    grain = np.random.default_rng(1).normal(0, 2, (image.height, image.width, 1))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))


def saved(image: Image.Image, quality: int, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality, **options)
    return out.getvalue()


def again(quality: int, *more: int, image: Image.Image | None = None) -> bytes:
    """A picture that was saved at each quality, one after the other."""
    data = saved(image or photograph(), quality)
    return again(*more, image=Image.open(BytesIO(data))) if more else data


def notes(data: bytes, kind: str = "JPEG") -> list[Evidence]:
    return tell_saving(open_picture(data, Settings()), read_blocks(data, kind))


@pytest.mark.parametrize("quality", [1, 25, 49, 50, 75, 88, 95, 100])
def test_the_quality_is_read_from_the_tables(quality: int) -> None:
    tables = read_blocks(saved(photograph(64), quality), "JPEG").tables
    told = quality_of([tables[number] for number in sorted(tables)])
    assert told is not None
    assert (told.quality, told.encoder) == (quality, "libjpeg")


def test_a_grey_picture_has_one_table() -> None:
    tables = read_blocks(saved(photograph(64).convert("L"), 80), "JPEG").tables
    assert list(tables) == [0]
    assert quality_of(list(tables.values())) == quality_of([tables[0]])


@pytest.mark.parametrize("quality", [75, 90])
def test_tables_of_mozjpeg_are_told_from_those_of_libjpeg(quality: int) -> None:
    assert _MOZJPEG[0] == ROBIDOUX_FIRST_ROW
    base = [step for row in _MOZJPEG for step in row]
    scale = 200 - 2 * quality
    table = tuple(min(max((step * scale + 50) // 100, 1), 255) for step in base)
    told = quality_of([table, table])
    assert told is not None
    assert (told.quality, told.encoder) == (quality, "MozJPEG")


def test_tables_of_its_own_are_a_note_with_about_its_quality() -> None:
    tables = [[max(1, step + (n % 2)) for n, step in enumerate(table)] for table in _tables(80)]
    (note,) = notes(saved(photograph(), 50, qtables=tables))  # as they are, at 50
    assert (note.kind, note.code, note.weight) == (Kind.JPEG, "jpeg_own_tables", Weight.NOTE)
    assert note.says is Says.NOTHING
    assert abs(int(note.parameters["quality"]) - 80) <= 4


def _tables(quality: int) -> list[list[int]]:
    tables = Image.open(BytesIO(saved(photograph(64), quality))).quantization
    return [list(tables[number]) for number in sorted(tables)]


@pytest.mark.parametrize("quality", [60, 75, 85, 95])
def test_a_picture_that_was_saved_once_has_no_note(quality: int) -> None:
    assert notes(again(quality)) == []


@pytest.mark.parametrize("qualities", [(60, 90), (75, 90), (75, 95), (60, 75), (70, 80, 92)])
def test_a_picture_that_was_saved_before_has_a_note(qualities: tuple[int, ...]) -> None:
    (note,) = notes(again(*qualities))
    assert (note.kind, note.code, note.weight) == (Kind.JPEG, "jpeg_saved_again", Weight.NOTE)
    assert (note.says, note.parameters) == (Says.NOTHING, {"quality": qualities[-1]})


def test_turned_pictures_are_read_as_they_lie_in_the_file() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    before = Image.open(BytesIO(saved(photograph(510), 70)))
    assert [note.code for note in notes(saved(before, 92, exif=exif))] == ["jpeg_saved_again"]


def test_other_formats_small_pictures_and_flat_ones_have_no_note() -> None:
    out = BytesIO()
    Image.open(BytesIO(again(60))).save(out, "PNG")
    assert notes(out.getvalue(), "PNG") == []
    small, flat = photograph(64), Image.new("RGB", (640, 480), (120, 90, 60))
    assert notes(again(60, 90, image=small)) == notes(again(60, 90, image=flat)) == []


@pytest.mark.parametrize(
    "segment",
    [b"\x00", b"\x00" + b"\0" * 64, b"\x07" + b"\1" * 64, b"\x10" + b"\1" * 64, b"\xff" * 9],
)
def test_broken_tables_are_none(segment: bytes) -> None:
    assert list(read_tables(segment)) == []


def test_tables_after_the_scan_do_not_count() -> None:
    data = again(75)
    late = b"\xff\xdb\x00\x43\x00" + b"\1" * 64
    assert (
        read_blocks(data[:-2] + late + data[-2:], "JPEG").tables == read_blocks(data, "JPEG").tables
    )
