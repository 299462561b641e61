"""From the heatmaps of the frames to a heatmap and a binary mask in the size of the picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from unmask.detector.align import Floats, Pixels, frame_matrix

Draw = Callable[[Floats], npt.NDArray[Any]]
#: Parts of a mask smaller than this share of a face's frame are specks, not regions.
MIN_PART = 0.002


def paste_heatmap(
    canvas: npt.NDArray[Any], heatmap: Floats, quad: Floats, draw: Draw | None = None
) -> None:
    """Draw a frame's ``heatmap`` (k, k) into the picture's ``canvas`` (h, w), in place.

    ``draw`` turns the heatmap, once it has the picture's scale, into what the canvas holds: only
    the frame's own part of the picture is ever computed. Where frames overlap the higher value
    stays.
    """
    height, width = canvas.shape
    low = np.clip(np.floor(quad.min(axis=0)).astype(int) - 1, 0, [width, height])
    high = np.clip(np.ceil(quad.max(axis=0)).astype(int) + 2, 0, [width, height])
    x0, y0, x1, y1 = int(low[0]), int(low[1]), int(high[0]), int(high[1])
    if x1 <= x0 or y1 <= y0:
        return
    matrix = frame_matrix(quad - low.astype(np.float32), heatmap.shape[0])
    part = cv2.warpAffine(
        heatmap,
        matrix,
        (x1 - x0, y1 - y0),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    shown = np.asarray(part, np.float32)
    drawn = draw(shown) if draw else shown
    np.maximum(canvas[y0:y1, x0:x1], drawn, out=canvas[y0:y1, x0:x1])


def binary_mask(heatmap: Floats, threshold: float) -> Pixels:
    """The mask of a heatmap of any shape: 255 (tampered) at or above the threshold, else 0."""
    return np.where(heatmap >= threshold, np.uint8(255), np.uint8(0))


def without_specks(mask: Pixels, min_area: float) -> Pixels:
    """Blank the parts of a mask that cover fewer than ``min_area`` pixels."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= min_area
    keep[0] = False
    return np.where(keep[labels], np.uint8(255), np.uint8(0)) if count > 1 else mask


@cache
def face_region(size: int) -> npt.NDArray[np.bool_]:
    """The face itself within its frame (size, size): the ellipse from brow to chin, temple to
    temple. Not to be written to."""
    rows, columns = np.mgrid[0:size, 0:size] / (size - 1)
    region = np.asarray(((columns - 0.5) / 0.30) ** 2 + ((rows - 0.53) / 0.40) ** 2 <= 1.0)
    region.setflags(write=False)
    return region


def outline(mask: Pixels, offset: tuple[int, int] = (0, 0)) -> list[list[tuple[int, int]]]:
    """The outer contours of a mask as polygons of (x, y), simplified to half a pixel and more."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=offset)
    tolerance = max(0.5, 0.003 * max(mask.shape))
    simple = (cv2.approxPolyDP(contour, tolerance, True) for contour in contours)
    return [[(int(x), int(y)) for x, y in part[:, 0]] for part in simple if len(part) >= 3]


def heatmap_picture(heatmap: Floats) -> Pixels:
    """A heatmap in [0, 1] as grey values 0 to 255."""
    return np.round(heatmap * 255).astype(np.uint8)
