"""Small faces in very large pictures, which are looked at part by part."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from tests.unmask.detector.test_faces import NOTHING, TRUE, WIDTH, error_of
from unmask.detector.align import Floats, Pixels
from unmask.detector.centerface import Glance
from unmask.detector.faces import FaceFinder
from unmask.detector.tiles import SHARED, TILE, WHOLE, look_in_tiles, spans


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder(threads=2)


def page(
    portrait: Pixels, width: int, height: int, face: int, places: list[tuple[int, int]]
) -> tuple[Pixels, list[Floats]]:
    """A plain page with the portrait, its face so many pixels wide, and where its landmarks lie."""
    pixels = np.full((height, width, 3), (229, 221, 236), np.uint8)
    side = round(512 * face / WIDTH)
    person = np.asarray(cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA))
    true = []
    for x, y in places:
        pixels[y : y + side, x : x + side] = person
        true.append(TRUE * np.float32(side / 512) + [x, y])
    return pixels, true


@pytest.mark.parametrize(
    ("width", "height", "x", "y"),
    [(1080, 20_000, 400, 11_234), (20_000, 1200, 9_000, 500), (1080, 29_000, 10, 27_500)],
)
def test_a_small_face_in_a_long_picture(
    finder: FaceFinder, portrait: Pixels, width: int, height: int, x: int, y: int
) -> None:
    pixels, (true,) = page(portrait, width, height, 50, [(x, y)])
    (face,) = finder.find(pixels)
    assert error_of(face.landmarks, true) < 0.2


@pytest.mark.parametrize("is_wide", [False, True])
def test_a_face_that_two_parts_share_is_found_once(
    finder: FaceFinder, portrait: Pixels, is_wide: bool
) -> None:
    """Wherever the edge between the parts cuts it."""
    places = [(300 * number % 800, 1100 + 260 * number + 7 * number**2) for number in range(5)]
    size = (1080, 3400)
    if is_wide:
        places, size = [(y, x) for x, y in places], (3400, 1080)
    pixels, true = page(portrait, *size, 45, places)
    faces = look_in_tiles(finder._network, pixels).faces
    assert len(faces) == len(true)
    for marks in true:
        assert min(error_of(face.landmarks, marks) for face in faces) < 0.2


def test_parts_cover_a_side_and_share_enough() -> None:
    for length in (1, TILE, TILE + 1, 3 * TILE, 30_000):
        parts = spans(length)
        assert (parts[0][0], parts[-1][1]) == (0, length)
        for (_, end), (start, _) in pairwise(parts):
            assert end - start >= SHARED - 1
        assert all(0 < end - start <= TILE for start, end in parts)


def test_no_part_is_larger_than_memory_allows(
    finder: FaceFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[tuple[int, ...]] = []

    def measured(pixels: Pixels) -> Glance:
        shapes.append(pixels.shape)
        return NOTHING

    monkeypatch.setattr(finder._network, "glance", measured)
    finder.find(np.zeros((5000, 6000, 3), np.uint8))
    assert len(shapes) > 5
    assert max(height * width for height, width, _ in shapes) <= WHOLE


def test_an_ordinary_photo_is_looked_at_in_one(
    finder: FaceFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it was before there were parts: they share what would then be looked at twice."""
    shapes: list[tuple[int, ...]] = []

    def measured(pixels: Pixels) -> Glance:
        shapes.append(pixels.shape)
        return NOTHING

    monkeypatch.setattr(finder._network, "glance", measured)
    finder._looks(np.zeros((1200, 1600, 3), np.uint8))
    assert shapes == [(480, 640, 3), (1200, 1600, 3)]


@pytest.mark.parametrize(
    ("size", "under"),
    [((900, 600), 0), ((4000, 3000), 0), ((1080, 20_000), 0), ((7000, 7000), 44)],
)
def test_what_a_search_may_have_missed(
    finder: FaceFinder, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], under: int
) -> None:
    """A picture of 50 megapixels is not looked at in all its detail, and the report says so."""
    monkeypatch.setattr(finder._network, "glance", lambda pixels: NOTHING)
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    assert finder.search(pixels).missed_under == under


def test_a_large_face_ends_the_search(
    finder: FaceFinder, portrait: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is missed where a coarse look showed large faces: others would have shown too."""
    pixels, _ = page(portrait, 7000, 7000, 1100, [(100, 100)])
    assert finder.search(pixels).missed_under == 0
