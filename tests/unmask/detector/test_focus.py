"""Only the parts of a picture in which there may be a face are looked at."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unmask.detector.test_faces import NOTHING, error_of
from tests.unmask.detector.test_tiles import page
from unmask.detector.align import Floats, Pixels
from unmask.detector.centerface import CenterFace, Glance
from unmask.detector.faces import NOWHERE
from unmask.detector.focus import AROUND, CELL, look_around, parts_around


@pytest.fixture(scope="module")
def network() -> CenterFace:
    return CenterFace(threads=2)


def points(*places: tuple[float, float]) -> Floats:
    return np.array(places, np.float32)


def test_parts_hold_hints_with_their_surroundings() -> None:
    width, height, room = 1000, 700, CELL * AROUND
    hints = points((500, 350), (520, 360), (3, 698), (999.9, 0))
    parts = parts_around(hints, width, height)
    assert len(parts) == 3  # two hints are near to each other
    for x, y in hints:
        assert any(
            left <= max(x - room, 0)
            and top <= max(y - room, 0)
            and right >= min(x + room, width)
            and bottom >= min(y + room, height)
            for left, top, right, bottom in parts
        )
    assert all(0 <= left < right <= width for left, _, right, _ in parts)
    assert all(0 <= top < bottom <= height for _, top, _, bottom in parts)


def test_without_a_hint_nothing_is_looked_at(
    network: CenterFace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "glance", None)
    assert look_around(network, np.zeros((500, 700, 3), np.uint8), NOWHERE) == []


def test_a_face_is_found_where_the_hint_is(network: CenterFace, portrait: Pixels) -> None:
    pixels, true = page(portrait, 1600, 1200, 40, [(300, 200), (1100, 700)])
    faces = look_around(network, pixels, points(tuple(true[1].mean(axis=0))))
    (face,) = faces
    assert error_of(face.landmarks, true[1]) < 0.2


def test_where_hints_are_everywhere_the_picture_is_looked_at_whole(
    network: CenterFace, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []

    def measured(pixels: Pixels) -> Glance:
        shapes.append(pixels.shape[:2])
        return NOTHING

    monkeypatch.setattr(network, "glance", measured)
    grid = points(*((x, y) for x in range(50, 1000, 200) for y in range(50, 700, 200)))
    look_around(network, np.zeros((700, 1000, 3), np.uint8), grid)
    assert shapes == [(700, 1000)]
