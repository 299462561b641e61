"""Faces are found, small and large, many and none, and only by the model that is meant."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from unmask.detector import centerface
from unmask.detector.align import Floats, Pixels
from unmask.detector.centerface import FoundFace, Glance, suppress
from unmask.detector.faces import NOWHERE, FaceFinder
from unmask.detector.session import open_session
from unmask.errors import UnmaskError

#: The portrait's eyes, nose and mouth corners as a person sets them, and its face's width.
TRUE = np.array([[203, 102], [247, 104], [223, 125], [204, 142], [241, 145]], np.float32)
WIDTH = 88
#: A look that shows no face, and no place where one might be.
NOTHING = Glance([], NOWHERE)


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder(threads=2)


def error_of(found: Floats, true: Floats) -> float:
    """The farthest that a landmark lies from its place, in distances between the eyes."""
    return float(np.hypot(*(found - true).T).max() / np.hypot(*(true[1] - true[0])))


def test_a_portrait(finder: FaceFinder, portrait: Pixels) -> None:
    (face,) = finder.find(portrait)
    assert face.score > 0.8
    assert error_of(face.landmarks, TRUE) < 0.1
    x0, y0, x1, y1 = face.box
    assert (face.landmarks > [x0, y0]).all()
    assert (face.landmarks < [x1, y1]).all()
    assert face.size == max(x1 - x0, y1 - y0)
    assert 70 < x1 - x0 < 110


@pytest.mark.parametrize(
    ("scale", "angle"), [(0.15, 0), (0.4, 0), (3, 0), (6, 0), (1, 20), (1, -20), (1, 45), (2, 30)]
)
def test_a_portrait_of_any_size_and_tilt(
    finder: FaceFinder, portrait: Pixels, scale: float, angle: float
) -> None:
    matrix = cv2.getRotationMatrix2D((256.0, 200.0), angle, 1).astype(np.float32)
    turned = cv2.warpAffine(portrait, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = np.asarray(cv2.resize(turned, None, fx=scale, fy=scale, interpolation=method))
    (face,) = finder.find(picture)
    true = (TRUE @ matrix[:, :2].T + matrix[:, 2]) * scale
    assert error_of(face.landmarks, true) < (0.2 if angle < 40 else 0.3)


def group_photo(portrait: Pixels, face: int) -> tuple[Pixels, list[Floats]]:
    """Eighteen people in 4000 x 3000 pixels, every second one mirrored, and their landmarks."""
    random = np.random.default_rng(1)
    scene = cv2.resize(skimage.data.coffee(), (4000, 3000), interpolation=cv2.INTER_CUBIC)
    side = round(512 * face / WIDTH)
    person = np.asarray(cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA))
    true = []
    for number in range(18):
        x = 60 + number % 6 * 640 + int(random.integers(60))
        y = 100 + number // 6 * 950 + int(random.integers(60))
        marks = TRUE
        if number % 2:
            marks = (TRUE * [-1, 1] + [512, 0])[[1, 0, 2, 4, 3]]
        shown = person[:, ::-1] if number % 2 else person
        scene[y : y + side, x : x + side] = shown
        true.append(marks * (side / 512) + [x, y])
    return np.asarray(scene, np.uint8), true


def test_small_faces_of_a_large_group(finder: FaceFinder, portrait: Pixels) -> None:
    picture, true = group_photo(portrait, 40)
    found = finder.find(picture)
    assert len(found) == 18
    for marks in true:
        assert min(error_of(face.landmarks, marks) for face in found) < 0.2


def test_the_largest_come_first(portrait: Pixels) -> None:
    head = portrait[20:220, 120:320]
    small = cv2.resize(head, (80, 80), interpolation=cv2.INTER_AREA)
    large = cv2.resize(head, (160, 160), interpolation=cv2.INTER_AREA)
    crowd = np.tile(small, (6, 8, 1))
    crowd[160:320, 240:400] = large  # the last of 45
    sizes = [face.size for face in FaceFinder(threads=2).find(crowd)]
    assert len(sizes) > 40
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 1.5 * sizes[1]


@pytest.mark.parametrize("scale", [0.5, 1, 3, 12])
def test_a_face_that_fills_its_picture(finder: FaceFinder, portrait: Pixels, scale: float) -> None:
    tight = portrait[74:168, 184:266]
    picture = np.asarray(cv2.resize(tight, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))
    (face,) = finder.find(picture)
    assert error_of(face.landmarks, (TRUE - [184, 74]) * scale) < 0.3
    assert (face.box >= 0).all()
    assert face.box[2] <= picture.shape[1]
    assert face.box[3] <= picture.shape[0]


def test_the_look_with_a_margin_finds_what_the_others_miss(
    monkeypatch: pytest.MonkeyPatch, finder: FaceFinder, portrait: Pixels
) -> None:
    plain = finder._network.glance
    shapes: list[tuple[int, ...]] = []

    def blind_at_first(pixels: Pixels) -> Glance:
        shapes.append(pixels.shape)
        return plain(pixels) if len(shapes) > 1 else NOTHING

    monkeypatch.setattr(finder._network, "glance", blind_at_first)
    tight = np.ascontiguousarray(portrait[54:188, 164:290])
    (face,) = finder.find(tight)
    assert min(shapes[2][:2]) > min(shapes[0][:2])
    assert error_of(face.landmarks, TRUE - [164, 54]) < 0.15


PEOPLELESS = ("brick", "chelsea", "clock", "coffee", "coins", "grass", "gravel", "moon", "page")
PEOPLELESS += ("rocket", "text", "hubble_deep_field")


@pytest.mark.parametrize("name", PEOPLELESS)
def test_no_face_in_pictures_without_people(finder: FaceFinder, name: str) -> None:
    picture = getattr(skimage.data, name)()
    if picture.ndim == 2:
        picture = np.repeat(picture[:, :, None], 3, axis=2)
    assert finder.find(np.ascontiguousarray(picture[:, :, :3], np.uint8)) == []


@pytest.mark.parametrize("name", ["brick", "grass"])
def test_a_picture_without_a_face_is_looked_at_little_more_than_once(
    finder: FaceFinder, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    plain = finder._network.glance
    areas: list[int] = []

    def measured(pixels: Pixels) -> Glance:
        areas.append(pixels.shape[0] * pixels.shape[1])
        return plain(pixels)

    monkeypatch.setattr(finder._network, "glance", measured)
    picture = getattr(skimage.data, name)()
    picture = picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, axis=2)
    assert finder.find(np.ascontiguousarray(picture)) == []
    assert sum(areas) < 4 * picture.shape[0] * picture.shape[1]


@pytest.mark.parametrize("shape", [(16, 16), (16, 2000), (1500, 700)])
def test_no_face_in_noise_or_nothing(finder: FaceFinder, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert finder.find(noise) == []
    assert finder.find(np.full_like(noise, 255)) == []


def test_boxes_that_overlap_are_one_face() -> None:
    def face(x: float, score: float) -> FoundFace:
        return FoundFace(np.array([x, 0, x + 10, 10], np.float32), TRUE, score)

    kept = suppress([face(0, 0.6), face(4, 0.9), face(8, 0.7), face(20, 0.5)])
    assert [(other.box[0], other.score) for other in kept] == [(4, 0.9), (20, 0.5)]
    assert len(suppress([face(0, 0.6), face(6, 0.9)])) == 2  # 4 of 16 shared
    assert suppress([]) == []


@pytest.mark.parametrize("fault", ["missing", "changed", "directory"])
def test_only_the_model_that_is_meant(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "centerface.onnx"
    if fault == "changed":
        path.write_bytes(centerface.MODEL.read_bytes() + b"\0")
    elif fault == "directory":
        path.mkdir()
    monkeypatch.setattr(centerface, "MODEL", path)
    with pytest.raises(UnmaskError) as refusal:
        FaceFinder()
    assert refusal.value.code == ("model_mismatch" if fault == "changed" else "model_missing")
    assert "centerface.onnx" in refusal.value.message
    assert centerface.SHA256 in refusal.value.detail.values() or fault != "changed"


def test_the_run_time_keeps_to_its_threads() -> None:
    session = open_session(centerface.MODEL, centerface.SHA256, threads=1)
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
