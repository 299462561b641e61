"""One face, one frame: the same crop however the picture lies, and no trace of the scaling."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from unmask.detector.align import (
    FRAME_SIZE,
    OUTSIDE,
    Floats,
    Pixels,
    align_face,
    frame_matrix,
    frame_quad,
    quad_side,
)

#: The portrait's eyes, nose and mouth corners, in its pixels.
LANDMARKS = np.array([[203, 102], [247, 104], [223, 125], [203, 142], [241, 144]], np.float32)


def moved(
    picture: Pixels, angle: float, scale: float, shift: tuple[float, float] = (0, 0)
) -> tuple[Pixels, Floats]:
    """The picture and its landmarks turned about the face, scaled and shifted."""
    matrix = cv2.getRotationMatrix2D((223.0, 125.0), angle, scale).astype(np.float32)
    matrix[:, 2] += np.array(shift) + 256 * (scale - 1)
    side = round(512 * max(scale, 1))
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    half = matrix.copy()  # pixel centres lie half a pixel from the corner that landmarks count from
    half[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    turned = cv2.warpAffine(picture, half, (side, side), flags=flags)
    return np.asarray(turned, np.uint8), LANDMARKS @ matrix[:, :2].T + matrix[:, 2]


def square(left: float, top: float, side: float) -> Floats:
    corners = [[left, top], [left + side, top], [left + side, top + side], [left, top + side]]
    return np.array(corners, np.float32)


@pytest.mark.parametrize(
    ("angle", "scale", "shift"),
    [
        (0, 1, (0, 0)),
        (0, 1, (37.5, -11.25)),
        (25, 1, (0, 0)),
        (-140, 1, (0, 0)),
        (180, 1, (5, 5)),
        (0, 2, (0, 0)),
        (12, 1.6, (-20.3, 8.1)),
        (0, 4, (0, 0)),
    ],
)
def test_turned_scaled_and_shifted_pictures_give_the_same_crop(
    portrait: Pixels, angle: float, scale: float, shift: tuple[float, float]
) -> None:
    wanted = align_face(portrait, frame_quad(LANDMARKS))
    picture, landmarks = moved(portrait, angle, scale, shift)
    quad = frame_quad(landmarks)
    assert quad_side(quad) == pytest.approx(scale * quad_side(frame_quad(LANDMARKS)), rel=1e-4)
    found = align_face(picture, quad)
    assert found.shape == (FRAME_SIZE, FRAME_SIZE, 3)
    inner = np.s_[30:-30, 30:-30]  # what a turned picture lacks lies outside
    difference = np.abs(found[inner].astype(int) - wanted[inner])
    assert difference.mean() < 3
    shifted = np.abs(np.roll(found, 2, axis=1)[inner].astype(int) - wanted[inner]).mean()
    assert shifted > 1.5 * difference.mean()  # the bound would notice two pixels


def test_the_frame_is_that_of_ffhq() -> None:
    """Eyes level at half the side over 2 x 0.92, the centre a tenth below them."""
    landmarks = [[80, 100], [120, 100], [100, 120], [85, 140], [115, 140]]
    half = 2.0 * 40 * 0.92  # twice the eyes' distance is more than 1.8 times the way to the mouth
    np.testing.assert_allclose(
        frame_quad(landmarks), square(100 - half, 104 - half, 2 * half), atol=1e-3
    )
    landmarks[3], landmarks[4] = [85, 160], [115, 160]
    half = 1.8 * 60 * 0.92  # now the other way about
    np.testing.assert_allclose(
        frame_quad(landmarks), square(100 - half, 106 - half, 2 * half), atol=1e-3
    )


def test_mirrored_landmarks_have_the_mirrored_frame(portrait: Pixels) -> None:
    mirrored = LANDMARKS[[1, 0, 2, 4, 3]] * [-1, 1] + [512, 0]
    wanted = frame_quad(LANDMARKS)[[1, 0, 3, 2]] * [-1, 1] + [512, 0]
    np.testing.assert_allclose(frame_quad(mirrored), wanted, atol=1e-3)
    crop = align_face(portrait, frame_quad(LANDMARKS))
    other = align_face(np.ascontiguousarray(portrait[:, ::-1]), frame_quad(mirrored))
    assert np.abs(crop[:, ::-1].astype(int) - other).mean() < 0.5


@pytest.mark.parametrize(
    "landmarks",
    [
        np.zeros((5, 2)),
        np.full((5, 2), 100.0),
        np.array([[100, 100], [100, 100], [100, 110], [100, 130], [100, 130]]),  # seen from aside
        np.array([[90, 100], [110, 100], [100, 100], [90, 100], [110, 100]]),  # eyes on the mouth
        np.array([[90, 100], [110, 100], [100, 80], [90, 60], [110, 60]]),  # mouth above the eyes
        np.array([[-900, -900], [-800, -900], [-850, -850], [-890, -800], [-810, -800]]),
        np.array([[1e6, 1e6], [1e6 + 50, 1e6], [1e6, 1e6], [1e6, 1e6 + 60], [1e6 + 50, 1e6 + 60]]),
    ],
    ids=["zero", "one spot", "profile", "flat", "upside down", "outside", "far outside"],
)
def test_odd_landmarks_still_have_a_square_frame(portrait: Pixels, landmarks: Floats) -> None:
    quad = frame_quad(landmarks)
    sides = np.roll(quad, -1, axis=0) - quad
    lengths = np.hypot(*sides.T)
    assert np.isfinite(quad).all()
    assert lengths.min() > 1
    np.testing.assert_allclose(lengths, lengths[0], rtol=0.01)
    assert align_face(portrait, quad).shape == (FRAME_SIZE, FRAME_SIZE, 3)


@pytest.mark.parametrize("size", [112, 224])
def test_a_frame_that_is_the_picture_changes_nothing(size: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    quad = square(0, 0, size)
    np.testing.assert_allclose(frame_matrix(quad, size), [[1, 0, 0], [0, 1, 0]], atol=1e-5)
    np.testing.assert_array_equal(align_face(picture, quad, size), picture)


def test_whole_pixels_are_cut_exactly() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    np.testing.assert_array_equal(align_face(picture, square(70, 50, 224)), picture[50:274, 70:294])


@pytest.mark.parametrize("factor", [1.6, 3, 7.3, 12])
def test_a_fine_pattern_becomes_flat_grey(factor: float) -> None:
    """Sampling alone would leave stripes: one pixel in several, black or white."""
    side = round(224 * factor)
    rows, columns = np.mgrid[0 : side + 64, 0 : side + 64]
    board = np.where((rows + columns) % 2, 255, 0).astype(np.uint8)
    picture = np.repeat(board[:, :, None], 3, axis=2)
    crop = align_face(picture, square(32, 32, side)).astype(float)
    assert crop.std() < 13  # sampling alone leaves 42, or all of 127.5
    assert crop.mean() == pytest.approx(127.5, abs=1.5)


def test_a_large_frame_keeps_its_place_when_reduced() -> None:
    """Reducing first must not shift the frame: a soft slope reads the same everywhere."""
    slope = np.linspace(0, 255, 2000)[None, :, None]
    picture = np.broadcast_to(slope, (2000, 2000, 3)).round().astype(np.uint8)
    crop = align_face(picture, square(201.3, 150.7, 1501.9))
    wanted = np.interp(
        201.3 + (np.arange(224) + 0.5) * 1501.9 / 224 - 0.5, range(2000), slope[0, :, 0]
    )
    assert np.abs(crop[100, :, 0] - wanted).max() < 1.5


@pytest.mark.parametrize("side", [100, 224, 1500])
def test_outside_the_picture_is_mid_grey(side: int) -> None:
    picture = np.full((side, side, 3), 255, np.uint8)
    crop = align_face(picture, square(-side / 2, -side / 2, side))
    assert (crop[:108, :] == OUTSIDE).all()
    assert (crop[:, :108] == OUTSIDE).all()
    assert (crop[116:, 116:] == 255).all()
    other = align_face(picture, square(-side / 2, -side / 2, side), outside=(0, 9, 200))
    assert other[0, 0].tolist() == [0, 9, 200]
    away = align_face(picture, square(5 * side, 5 * side, side))
    assert (away == OUTSIDE).all()


def test_the_picture_given_stays_as_it_is(portrait: Pixels) -> None:
    assert not portrait.flags.writeable
    align_face(portrait, square(-10, -10, 500))
    align_face(portrait, square(100, 100, 60))
