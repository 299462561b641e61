"""Looks at the parts of a picture in which there may be a face, and at no others."""

from __future__ import annotations

import cv2
import numpy as np

from unmask.detector.align import Floats, Pixels
from unmask.detector.centerface import CenterFace, FoundFace, suppress

#: Side of a cell of the grid that marks what is looked at, in pixels.
CELL = 64
#: So many cells around that of a hint are looked at too: a face needs its surroundings.
AROUND = 2
#: Where the parts make up a larger share of the picture, it is looked at whole.
MOST = 0.6


def look_around(network: CenterFace, pixels: Pixels, hints: Floats) -> list[FoundFace]:
    """The faces of an RGB picture (h, w, 3) near ``hints`` (n, 2), x and y in its pixels."""
    height, width = pixels.shape[:2]
    parts = parts_around(hints, width, height)
    area = sum((right - left) * (bottom - top) for left, top, right, bottom in parts)
    if area > MOST * width * height:
        return network.look(pixels)
    faces: list[FoundFace] = []
    for left, top, right, bottom in parts:
        seen = network.look(pixels[top:bottom, left:right])
        faces += [face.moved(left, top) for face in seen]
    return suppress(faces)


def parts_around(hints: Floats, width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Left, top, right and bottom of rectangles that hold every hint with its surroundings; hints
    that are near to each other share one."""
    if not len(hints):
        return []
    marked = np.zeros((-(-height // CELL), -(-width // CELL)), np.uint8)
    columns, rows = np.clip(hints // CELL, 0, np.array(marked.shape[::-1]) - 1).astype(int).T
    marked[rows, columns] = 1
    marked = cv2.dilate(marked, np.ones((2 * AROUND + 1, 2 * AROUND + 1), np.uint8))  # type: ignore[assignment]
    _, _, stats, _ = cv2.connectedComponentsWithStats(marked)
    return [
        (x * CELL, y * CELL, min((x + w) * CELL, width), min((y + h) * CELL, height))
        for x, y, w, h, _ in stats[1:].tolist()
    ]
