"""A face is cut out upright however it lies in its picture, and so judged alike."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.unmask.detector.test_faces import TRUE, error_of
from unmask.detector.align import Floats, Pixels
from unmask.detector.centerface import FoundFace, Glance
from unmask.detector.detector import Detector
from unmask.detector.faces import FaceFinder
from unmask.detector.turns import lean, points_turned, tilt, turned_back
from unmask.settings import Settings


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder(threads=2)


def turned(pixels: Pixels, angle: float) -> tuple[Pixels, Floats]:
    """The portrait turned clockwise around its face, and where its landmarks then lie."""
    matrix = cv2.getRotationMatrix2D((256.0, 150.0), -angle, 1).astype(np.float32)
    matrix[:, 2] += (0, 100)
    picture = cv2.warpAffine(pixels, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(picture, np.uint8), TRUE @ matrix[:, :2].T + matrix[:, 2]


@pytest.mark.parametrize("angle", [0, 40, 65, 90, 120, 150, 180, 210, 245, 270, 310])
def test_landmarks_are_those_of_the_face_brought_upright(
    finder: FaceFinder, portrait: Pixels, angle: float
) -> None:
    picture, true = turned(portrait, angle)
    (face,) = finder.find(picture)
    assert error_of(face.landmarks, true) < 0.2
    assert abs((tilt(face) - angle + 180) % 360 - 180) < 15
    inside = (face.landmarks > face.box[:2]) & (face.landmarks < face.box[2:])
    assert inside.all()


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize(
    ("top", "bottom", "left", "right"),
    [(0, 512, 0, 512), (30, 220, 130, 320), (74, 168, 184, 266)],
    ids=["portrait", "head", "face alone"],
)
def test_the_judges_see_the_same_crop(
    colour_model: Path,
    portrait: Pixels,
    quarters: int,
    top: int,
    bottom: int,
    left: int,
    right: int,
) -> None:
    detector = Detector(Settings(model=colour_model, threads=2))
    pixels = np.ascontiguousarray(portrait[top:bottom, left:right])
    (upright,) = detector.find(pixels).crops
    (other,) = detector.find(np.ascontiguousarray(np.rot90(pixels, quarters))).crops
    middle = np.s_[48:176, 48:176]
    differ = np.abs(upright.pixels[middle].astype(int) - other.pixels[middle])
    assert differ.mean() < 10  # 40 and more where the crop is turned


def test_of_two_people_the_one_on_the_head_is_brought_upright(
    finder: FaceFinder, portrait: Pixels
) -> None:
    head = portrait[20:260, 110:350]
    pair = np.hstack([head, head[::-1, ::-1]])
    faces = sorted(finder.find(pair), key=lambda face: face.box[0])
    assert len(faces) == 2
    marks = TRUE - [110, 20]
    assert error_of(faces[0].landmarks, marks) < 0.15
    assert error_of(faces[1].landmarks, [480, 240] - marks) < 0.15


def test_an_upright_face_costs_no_further_look(
    finder: FaceFinder, portrait: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    plain = finder._network.glance

    def counted(pixels: Pixels) -> Glance:
        looks.append(pixels.shape)
        return plain(pixels)

    monkeypatch.setattr(finder._network, "glance", counted)
    finder.find(portrait)
    assert len(looks) == 1


def test_turning_back_undoes_quarter_turns() -> None:
    picture = np.zeros((30, 50, 3), np.uint8)
    marks = np.array([[10, 4], [14, 4], [12, 6], [10, 8], [14, 8]], np.float32)
    face = FoundFace(np.array([8, 2, 16, 11], np.float32), marks, 0.9)
    for quarters in (1, 2, 3):
        seen = face
        for done in range(quarters):  # what np.rot90 does to a point, step by step
            width = (50, 30)[done % 2]
            points = np.stack([seen.landmarks[:, 1], width - seen.landmarks[:, 0]], axis=1)
            x0, y0, x1, y1 = seen.box
            seen = FoundFace(np.array([y0, width - x1, y1, width - x0], np.float32), points, 0.9)
        back = turned_back(seen, quarters, picture)
        np.testing.assert_allclose(back.landmarks, marks)
        np.testing.assert_allclose(back.box, face.box)


def test_points_turn_with_their_picture() -> None:
    for quarters in range(4):
        picture = np.zeros((30, 50, 3), np.uint8)
        picture[4, 10] = 255
        ((row, column),) = np.argwhere(np.rot90(picture, quarters)[..., 0])
        point = points_turned(np.array([[10.5, 4.5]], np.float32), quarters, picture)
        np.testing.assert_allclose(point, [[column + 0.5, row + 0.5]])


def test_how_far_a_face_leans() -> None:
    upright = FoundFace(np.zeros(4, np.float32), TRUE, 0.9)
    assert lean(upright) < 10
    on_its_head = FoundFace(np.zeros(4, np.float32), -TRUE, 0.9)
    assert lean(on_its_head) > 170
    right = FoundFace(np.zeros(4, np.float32), TRUE[:, ::-1] * [-1, 1], 0.9)
    assert tilt(right) == pytest.approx(90 + tilt(upright), abs=1)
