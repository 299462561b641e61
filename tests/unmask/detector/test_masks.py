"""From the frames' heatmaps to one heatmap and one mask in the size of the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from unmask.detector.align import Floats, Pixels
from unmask.detector.masks import (
    binary_mask,
    heatmap_picture,
    outline,
    paste_heatmap,
    without_specks,
)


def square(left: float, top: float, side: float, turn: float = 0) -> Floats:
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * side / 2
    angle = np.deg2rad(turn)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (corners @ matrix.T + [left + side / 2, top + side / 2]).astype(np.float32)


def pasted(heatmap: Floats, quad: Floats, shape: tuple[int, int] = (100, 140)) -> Floats:
    canvas = np.zeros(shape, np.float32)
    paste_heatmap(canvas, heatmap, quad)
    return canvas


@pytest.mark.parametrize(
    ("threshold", "wanted"), [(0.5, [0, 255, 255]), (0.0, [255] * 3), (1.0, [0, 0, 255])]
)
def test_the_threshold_itself_is_tampered(threshold: float, wanted: list[int]) -> None:
    mask = binary_mask(np.array([0.4999, 0.5, 1.0], np.float32), threshold)
    assert mask.dtype == np.uint8
    assert mask.tolist() == wanted


def test_a_heatmap_as_grey_values() -> None:
    grey = heatmap_picture(np.array([[0, 0.5, 1]], np.float32))
    assert grey.dtype == np.uint8
    assert grey.tolist() == [[0, 128, 255]]


def test_a_frame_of_its_own_size_is_copied() -> None:
    heatmap = np.random.default_rng(0).random((40, 40), np.float32)
    canvas = pasted(heatmap, square(30, 20, 40))
    np.testing.assert_allclose(canvas[20:60, 30:70], heatmap, atol=1e-4)
    canvas[20:60, 30:70] = 0
    assert (canvas == 0).all()


@pytest.mark.parametrize("turn", [0, 30, 90, -135])
@pytest.mark.parametrize("side", [20, 60, 300])
def test_a_spot_comes_back_where_it_was_seen(turn: float, side: float) -> None:
    """A spot right of the frame's middle, whatever the frame's size and tilt. Pixel (84, 56) has
    its centre at (84.5, 56.5), which half a pixel of the frame, or of the picture, would show."""
    heatmap = np.zeros((112, 112), np.float32)
    cv2.circle(heatmap, (84, 56), 8, 1.0, -1)
    canvas = pasted(heatmap, square(200 - side / 2, 200 - side / 2, side, turn), (400, 400))
    rows, columns = np.nonzero(canvas > 0.5)
    angle = np.deg2rad(turn)
    right, down = (84.5 / 112 - 0.5) * side, (56.5 / 112 - 0.5) * side
    axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    wanted = 200 + np.array([right, down]) @ axes
    found = columns.mean() + 0.5, rows.mean() + 0.5
    np.testing.assert_allclose(found, wanted, atol=0.35)
    share = len(rows) / side**2
    assert share == pytest.approx(np.mean(heatmap), rel=0.4)


def test_where_frames_overlap_the_higher_value_stays() -> None:
    canvas = np.zeros((60, 60), np.float32)
    for left, value in ((0, 0.3), (20, 0.9), (30, 0.6)):
        paste_heatmap(canvas, np.full((30, 30), value, np.float32), square(left, 10, 30))
    np.testing.assert_allclose(canvas[25, [5, 25, 45, 55]], [0.3, 0.9, 0.9, 0.6], atol=1e-4)


@pytest.mark.parametrize(
    ("left", "top", "side"),
    [
        (-20, -20, 40),
        (130, 90, 40),
        (-500, 10, 40),
        (10, 900, 40),
        (-300, -300, 900),
        (60, 99.7, 1),
    ],
)
def test_frames_may_leave_the_picture(left: float, top: float, side: float) -> None:
    canvas = pasted(np.ones((112, 112), np.float32), square(left, top, side))
    rows, columns = np.mgrid[0:100, 0:140] + 0.5
    inside = (columns > left) & (columns < left + side) & (rows > top) & (rows < top + side)
    deep = cv2.erode(np.pad(inside, 3, mode="edge").astype(np.uint8), np.ones((3, 3)))[3:-3, 3:-3]
    assert (canvas[deep > 0] > 0.99).all()
    near = cv2.dilate(inside.astype(np.uint8), np.ones((5, 5)))
    assert (canvas[near == 0] == 0).all()


def spots(*sides: int) -> Pixels:
    mask = np.zeros((40, 120), np.uint8)
    for number, side in enumerate(sides):
        left = 5 + 30 * number
        mask[5 : 5 + side, left : left + side] = 255
    return mask


@pytest.mark.parametrize(
    ("least", "kept"), [(0, (2, 5, 10)), (5, (0, 5, 10)), (25, (0, 5, 10)), (26, (0, 0, 10))]
)
def test_small_parts_are_specks(least: float, kept: tuple[int, ...]) -> None:
    np.testing.assert_array_equal(without_specks(spots(2, 5, 10), least), spots(*kept))


def test_a_speck_that_touches_a_region_is_part_of_it() -> None:
    mask = spots(10)
    mask[15, 15] = 255  # by its corner
    np.testing.assert_array_equal(without_specks(mask, 50), mask)


@pytest.mark.parametrize("value", [0, 255])
def test_empty_and_full_masks_stay(value: int) -> None:
    mask = np.full((30, 30), value, np.uint8)
    np.testing.assert_array_equal(without_specks(mask, 10), mask)
    assert len(outline(mask)) == value // 255


def test_outlines_enclose_the_regions() -> None:
    mask = np.zeros((112, 112), np.uint8)
    cv2.ellipse(mask, (40, 60), (25, 12), 30, 0, 360, 255, -1)
    cv2.circle(mask, (90, 20), 9, 255, -1)
    mask[60, 40] = 0  # a hole has no outline of its own
    polygons = outline(mask)
    assert len(polygons) == 2
    assert all(type(value) is int for polygon in polygons for point in polygon for value in point)
    again = np.zeros_like(mask)
    for polygon in polygons:
        assert 3 <= len(polygon) < 40
        cv2.fillPoly(again, [np.array(polygon)], 255)
    shared = np.count_nonzero((mask > 0) & (again > 0)) / np.count_nonzero((mask > 0) | (again > 0))
    assert shared > 0.93


def test_outlines_are_shifted_by_their_offset_and_lines_have_none() -> None:
    mask = spots(10)
    plain, shifted = outline(mask)[0], outline(mask, (100, 7))[0]
    assert shifted == [(x + 100, y + 7) for x, y in plain]
    line = np.zeros((20, 20), np.uint8)
    line[10, 3:9] = 255
    assert outline(line) == []
