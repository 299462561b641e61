"""What people see is what is judged: frames that show something, on white and on black."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.pictures import BLUE, GREEN, GREY, RED, corners, encoded, photo, png_chunk, stored_as
from tests.unmask.images.animated import (
    CLEAR_PAGE,
    FORMATS,
    OTHER,
    WHITE_PAGE,
    animation,
    apng,
    gif_with_small_first_frame,
)
from tests.unmask.images.opened import SETTINGS, WHITE, assert_quarters, deep_grey
from unmask.images import Appearance, open_picture
from unmask.images import frames as choosing
from unmask.warning_codes import warn

BLACK = (0, 0, 0)
COLOURS = (RED, GREEN, BLUE, GREY)
#: Those of ``OTHER``: the four quarters turned upside down.
OTHERS = COLOURS[::-1]
HIDDEN, TRANSPARENT = warn("hidden_picture"), warn("transparent")


def appearances(data: bytes) -> list[Appearance]:
    return list(open_picture(data, SETTINGS).appearances())


def shows(appearance: Appearance, *colours: tuple[int, int, int]) -> None:
    assert_quarters(appearance.pixels, *colours, within=6)


@pytest.mark.parametrize("blank", ["white", "black", "clear"])
@pytest.mark.parametrize("kind", FORMATS)
def test_blank_frames_at_the_beginning_are_passed_over(kind: str, blank: str) -> None:
    page = CLEAR_PAGE if blank == "clear" else Image.new("RGB", (64, 48), blank)
    picture = corners().convert(page.mode)
    opened = open_picture(animation(kind, page, page, picture, milliseconds=500), SETTINGS)
    assert opened.warnings == (warn("some_frames", number=opened.warnings[0].parameters["number"]),)
    shows(next(opened.appearances()), *COLOURS)
    assert_quarters(opened.pixels(), *COLOURS, within=6)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_frame_that_stays_is_examined_beside_the_one_that_flashes_by(kind: str) -> None:
    first, second = appearances(animation(kind, corners(), OTHER, milliseconds=[20, 5000]))
    shows(first, *COLOURS)
    shows(second, *OTHERS)
    assert first.warnings == second.warnings == ()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_still_that_is_cut_into_many_frames_stays_too(kind: str) -> None:
    stills = [OTHER.copy() for _ in range(20)]
    for number, still in enumerate(stills):
        still.putpixel((0, 0), (number * 10, 0, 0))
    shown = appearances(animation(kind, corners(), *stills, milliseconds=40))
    shows(shown[0], *COLOURS)
    shows(shown[1], *OTHERS)


def test_two_frames_are_examined_whatever_their_time() -> None:
    first, second = appearances(animation("WEBP", corners(), OTHER, milliseconds=[5000, 20]))
    shows(first, *COLOURS)
    shows(second, *OTHERS)


def test_frames_that_differ_in_one_place_alone_are_two() -> None:
    """As a swapped face does in a large picture."""
    image, other = photo(640, 480), photo(640, 480)
    other.paste(other.crop((300, 200, 330, 230)).point(lambda level: level + 20), (300, 200))
    assert len(appearances(animation("WEBP", image, other))) == 2
    assert len(appearances(apng(image, other))) == 2


def test_no_more_than_three_frames_are_examined() -> None:
    frames = [corners().rotate(90 * n).resize((64, 48)) for n in range(4)] + [OTHER, WHITE_PAGE]
    assert len(appearances(animation("PNG", *frames))) == 3


def test_an_animation_that_stops_is_examined_where_it_stops() -> None:
    first, last = appearances(animation("PNG", corners(), OTHER, milliseconds=[60_000, 20], loop=1))
    shows(first, *COLOURS)
    shows(last, *OTHERS)


def test_only_so_many_frames_are_decoded_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [WHITE_PAGE.copy() for _ in range(9)]
    for number, frame in enumerate(frames):
        frame.putpixel((0, 0), (255, 255, 255 - number))  # or they would be written as one
    data = animation("PNG", *frames, corners())
    shows(appearances(data)[0], *COLOURS)
    monkeypatch.setattr(choosing, "_BUDGET", 5 * 64 * 48)
    shows(appearances(data)[0], *[WHITE] * 4)


def test_an_animation_of_blank_frames_shows_its_first() -> None:
    black = Image.new("RGB", (64, 48))
    (only,) = appearances(animation("WEBP", WHITE_PAGE, black, milliseconds=500))
    shows(only, *[WHITE] * 4)


@pytest.mark.parametrize("number", [1, 2])
def test_an_apng_is_examined_as_shown_and_so_is_its_hidden_picture(number: int) -> None:
    shown, hidden = appearances(apng(WHITE_PAGE, *[corners()] * number))
    shows(shown, *COLOURS)
    shows(hidden, *[WHITE] * 4)
    assert (shown.warnings, hidden.warnings) == ((), (HIDDEN,))


def test_a_hidden_picture_like_the_one_that_is_shown_is_no_matter() -> None:
    assert [shown.warnings for shown in appearances(apng(corners(), corners()))] == [()]


def test_a_hidden_still_of_an_avif_sequence_is_examined() -> None:
    data = animation("AVIF", corners(), OTHER)
    sequence, still = data.index(b"moov"), encoded(WHITE_PAGE, "AVIF", quality=100)
    meta = still[still.index(b"meta") - 4 : still.index(b"mdat") - 4]
    pixels = still[still.index(b"mdat") - 4 :]
    # The still's boxes take the place of those of the sequence, at the same offsets.
    place = data.index(b"meta") - 4
    old = data[place : sequence - 4]
    assert len(meta) <= len(old) - 8 or len(meta) == len(old)
    item = bytearray(meta + _free(len(old) - len(meta)))
    at = meta.index(int.to_bytes(still.index(pixels) + 8, 4, "big"))
    item[at : at + 4] = int.to_bytes(len(data) + 8, 4, "big")
    shown = appearances(data[:place] + bytes(item) + data[sequence - 4 :] + pixels)
    assert [appearance.warnings for appearance in shown] == [(), (), (HIDDEN,)]
    shows(shown[0], *COLOURS)
    shows(shown[2], *[WHITE] * 4)


def _free(length: int) -> bytes:
    return length.to_bytes(4, "big") + b"free" + bytes(length - 8) if length else b""


def test_the_first_frame_of_a_gif_may_leave_its_screen_clear() -> None:
    white, black = appearances(gif_with_small_first_frame())
    assert white.pixels[12, 16].tolist() == [255] * 3
    assert black.pixels[12, 16].tolist() == [0] * 3
    assert np.array_equal(white.pixels[24:, 32:], black.pixels[24:, 32:])


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_another_picture_on_black_than_on_white_is_examined_on_both(kind: str) -> None:
    """Its colours are black, and its opacity is the picture: on white it shows its negative."""
    opacity = corners().convert("L")
    image = Image.merge(
        "RGBA", [Image.new("L", (64, 48)), *[Image.new("L", (64, 48))] * 2, opacity]
    )
    options = {"lossless": True} if kind == "WEBP" else {}
    white, black = appearances(encoded(image, kind, **options))
    assert white.warnings == black.warnings == (TRANSPARENT,)
    negatives = [
        (255 - opacity.getpixel(at),) * 3 for at in ((16, 12), (48, 12), (16, 36), (48, 36))
    ]
    shows(white, *negatives)
    shows(black, *[BLACK] * 4)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_few_clear_pixels_are_no_other_picture(kind: str) -> None:
    image = corners().convert("RGBA")
    image.putpixel((0, 0), (0, 0, 0, 0))
    (only,) = appearances(encoded(image, kind, lossless=True))
    assert only.warnings == ()


def test_a_small_clear_place_in_a_large_picture_counts() -> None:
    image = photo(2000, 1500).convert("RGBA")
    image.paste((0, 0, 0, 0), (900, 700, 940, 740))
    assert len(appearances(encoded(image, "PNG", compress_level=1))) == 2


def test_a_picture_has_the_appearance_that_is_asked_for() -> None:
    picture = open_picture(apng(WHITE_PAGE, corners()), SETTINGS)
    assert_quarters(picture.pixels(appearance=1), *[WHITE] * 4)


def test_a_webp_is_shown_as_stored_and_says_that_some_turn_it() -> None:
    image, exif = stored_as(corners(), 3)
    picture = open_picture(encoded(image, "WEBP", exif=exif, lossless=True), SETTINGS)
    assert picture.warnings == (warn("turned_by_some"),)
    assert_quarters(picture.pixels(), *OTHERS)
    image, exif = stored_as(corners(), 6)
    picture = open_picture(encoded(image, "WEBP", exif=exif, lossless=True), SETTINGS)
    assert (picture.width, picture.height) == (48, 64) == picture.pixels().shape[1::-1]


@pytest.mark.filterwarnings("ignore:Invalid APNG")
def test_an_apng_that_is_announced_twice_is_examined_as_shown() -> None:
    data = apng(WHITE_PAGE, corners())
    announcement = data[33:53]
    assert announcement[4:8] == b"acTL"
    shown, hidden = appearances(data[:33] + announcement + data[33:])
    shows(shown, *COLOURS)
    assert hidden.warnings == (HIDDEN,)


def test_a_damaged_animation_shows_its_default_picture() -> None:
    data = apng(corners(), OTHER, WHITE_PAGE)
    at = data.index(b"fcTL") + 4
    spoiled = data[:at] + bytes(26) + data[at + 26 :]
    shows(next(open_picture(spoiled, SETTINGS).appearances()), *COLOURS)


def test_the_longest_of_many_frames_is_examined() -> None:
    """The first is one of many that flash by."""
    flashes = [corners().point(lambda level, n=n: min(level + 25 * n, 255)) for n in range(9)]
    times = [50] * 9 + [80]
    first, _, last = appearances(animation("WEBP", *flashes, OTHER, milliseconds=times))
    shows(first, *COLOURS)
    shows(last, *OTHERS)


def test_deep_grey_may_have_a_transparent_level() -> None:
    data = deep_grey("PNG", "u2")
    levels = np.asarray(corners().convert("L")).astype(int) * 256
    key = png_chunk(b"tRNS", int(levels[12, 16]).to_bytes(2, "big"))
    white, black = appearances(data[:33] + key + data[33:])
    assert (white.pixels[12, 16, 0], black.pixels[12, 16, 0]) == (255, 0)
    assert white.pixels[12, 48, 0] == black.pixels[12, 48, 0] == levels[12, 48] >> 8


@pytest.mark.parametrize(("bits", "levels"), [(2, (0, 1, 2, 3)), (4, (0, 5, 10, 15))])
def test_grey_of_few_bits_may_have_a_transparent_level(bits: int, levels: tuple[int, ...]) -> None:
    rows = np.repeat(np.array(levels, np.uint8), 16)[None].repeat(48, axis=0)
    packed = np.packbits(
        np.unpackbits(rows[..., None], axis=-1)[..., -bits:].reshape(48, -1), axis=1
    )
    lines = zlib.compress(b"".join(b"\0" + row.tobytes() for row in packed))
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 48, bits, 0, 0, 0, 0))
    chunks = head + png_chunk(b"tRNS", struct.pack(">H", levels[1])) + png_chunk(b"IDAT", lines)
    white, black = appearances(b"\x89PNG\r\n\x1a\n" + chunks + png_chunk(b"IEND", b""))
    assert white.pixels[20, 8::16, 0].tolist() == [0, 255, 170, 255]
    assert black.pixels[20, 8::16, 0].tolist() == [0, 0, 170, 255]
