"""Looks at a large picture part by part, so that memory does not grow with the picture."""

from __future__ import annotations

import numpy as np

from unmask.detector.align import Pixels
from unmask.detector.centerface import CenterFace, FoundFace, Glance, suppress

#: A picture of up to so many pixels is looked at in one: a photo in all looks but the finest.
WHOLE = 2_000_000
#: Longest side of a part of a larger one, in pixels.
TILE = 1024
#: Two neighbours share so many pixels: a smaller face lies whole in one of them, a larger one is
#: found when the picture is looked at more coarsely.
SHARED = 160
#: A box that comes so near to the edge between two parts is that of a face cut in two.
EDGE = 2


def look_in_tiles(network: CenterFace, pixels: Pixels) -> Glance:
    """The faces of an RGB picture (h, w, 3), looked at as large as it is, and where others may
    be."""
    height, width = pixels.shape[:2]
    if height * width <= WHOLE:
        return network.glance(pixels)
    faces: list[FoundFace] = []
    hints = []
    for top, bottom in spans(height):
        for left, right in spans(width):
            seen = network.glance(pixels[top:bottom, left:right])
            tile = (left, top, right, bottom)
            moved = (face.moved(left, top) for face in seen.faces)
            faces += [face for face in moved if not _is_cut(face, tile, (width, height))]
            hints.append(seen.hints + np.array([left, top], np.float32))
    return Glance(suppress(faces), np.concatenate(hints))


def spans(length: int) -> list[tuple[int, int]]:
    """Where the parts of a side begin and end: as few as there can be, all of about one length."""
    count = max(-(-(length - SHARED) // (TILE - SHARED)), 1)
    part = -(-(length + (count - 1) * SHARED) // count)
    starts = np.linspace(0, length - part, count).round().astype(int).tolist()
    return [(start, start + part) for start in starts]


def _is_cut(face: FoundFace, tile: tuple[int, int, int, int], picture: tuple[int, int]) -> bool:
    """Whether a face ends at an edge between two parts, and lies whole in another part."""
    if face.size >= SHARED:
        return False
    borders = (0, 0, *picture)
    ends = zip(face.box, tile, borders, strict=True)
    return any(abs(end - edge) <= EDGE and edge != border for end, edge, border in ends)
