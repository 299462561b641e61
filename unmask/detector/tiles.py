"""Looks at a large picture part by part, so that memory does not grow with the picture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unmask.detector.align import Pixels
from unmask.detector.centerface import CenterFace, FoundFace, suppress

#: Longest side of a part, in pixels.
TILE = 1600
#: Two neighbours share so many pixels: a smaller face lies whole in one of them, a larger one is
#: found when the picture is looked at more coarsely.
SHARED = 160
#: A box that comes so near to the edge between two parts is that of a face cut in two.
EDGE = 2


def look_in_tiles(network: CenterFace, pixels: Pixels) -> list[FoundFace]:
    """The faces of an RGB picture (h, w, 3), looked at as large as it is."""
    height, width = pixels.shape[:2]
    faces: list[FoundFace] = []
    for top, bottom in _spans(height):
        for left, right in _spans(width):
            part = pixels[top:bottom, left:right]
            found = [face.moved(left, top) for face in network.look(part)]
            tile = (left, top, right, bottom)
            faces += [face for face in found if not _is_cut(face, tile, (width, height))]
    return suppress(faces)


def _spans(length: int) -> Iterator[tuple[int, int]]:
    """Where the parts of a side begin and end, all of one length."""
    if length <= TILE:
        yield 0, length
        return
    count = -(-(length - SHARED) // (TILE - SHARED))
    for start in np.linspace(0, length - TILE, count).round().astype(int):
        yield int(start), int(start) + TILE


def _is_cut(face: FoundFace, tile: tuple[int, int, int, int], picture: tuple[int, int]) -> bool:
    """Whether a face ends at an edge between two parts, and lies whole in another part."""
    if face.size >= SHARED:
        return False
    borders = (0, 0, *picture)
    ends = zip(face.box, tile, borders, strict=True)
    return any(abs(end - edge) <= EDGE and edge != border for end, edge, border in ends)
