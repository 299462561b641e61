"""Finds faces and their landmarks in photographs of any size and turn.

A picture is looked at coarsely first and finely only where that can show more. The network knows
upright faces, so a face that is turned is looked at once more, brought upright.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unmask.detector.align import Pixels
from unmask.detector.centerface import (
    CenterFace,
    FoundFace,
    clipped,
    overlap,
    reduced,
    rescaled,
    suppress,
)
from unmask.detector.tiles import look_in_tiles
from unmask.detector.turns import LEANING, QUARTERS, Upright, lean, tilt, turned_back

#: Long sides, in pixels, at which a picture is looked at, one after the other.
LOOKS = (640, 1600, 3200)
#: A picture that is long and narrow may be looked at larger in the last look: with so many pixels.
FINEST_PIXELS = 8_000_000
#: A face smaller than this in a look asks for the next one: there may be smaller ones still.
SMALL = 48
#: Faces smaller than this, in the pixels of the last look, are seldom found.
SEEN_FROM = 20
#: What may have been missed is told where it is as large as this, in pixels of the picture.
TOLD_FROM = 40
#: Long side at which a picture without an upright face is looked at for one that is turned.
TURNED_LOOK = 960
#: The same, with its margin, where a turned face may fill the picture.
TURNED_MARGIN = 320
#: Overlap (intersection over union) from which a box is that of the same face, turned.
SAME = 0.3


@dataclass(frozen=True)
class Search:
    """The faces of a picture, the largest first. In a picture too large for a search in all its
    detail, faces of fewer than ``missed_under`` pixels may have been missed; else it is 0."""

    faces: list[FoundFace]
    missed_under: int = 0


class FaceFinder:
    """The face detector; safe to use from several threads."""

    def __init__(self, threads: int = 0) -> None:
        self._network = CenterFace(threads)
        self._upright = Upright(self._network)

    def find(self, pixels: Pixels) -> list[FoundFace]:
        """The faces of an RGB picture (h, w, 3), the largest first. Landmarks are those of the
        face brought upright: the left eye of one that stands on its head lies to the right."""
        return self.search(pixels).faces

    def search(self, pixels: Pixels) -> Search:
        """The faces, and what a search within the budget may have missed."""
        faces, scale = self._looks(pixels)
        faces = self._brought_upright(faces, pixels) if faces else self._look_turned(pixels)
        limit = round(SEEN_FROM / scale)
        missed = limit if limit > TOLD_FROM else 0
        return Search(sorted(faces, key=lambda face: -face.size), missed)

    def _looks(self, pixels: Pixels) -> tuple[list[FoundFace], float]:
        """The faces that the network sees as the picture stands, and the scale of the last look:
        1.0 where a finer one could show no more."""
        longest = max(pixels.shape[:2])
        faces: list[FoundFace] = []
        for look in LOOKS:
            scale = look / longest
            if look == LOOKS[-1]:
                scale = max(scale, (FINEST_PIXELS / (pixels.shape[0] * pixels.shape[1])) ** 0.5)
            faces = suppress(faces + self._look(pixels, scale))
            smallest = min((face.size for face in faces), default=0.0) * scale
            if scale >= 1 or smallest >= SMALL:
                return faces or self._look_with_margin(pixels), 1.0
        return faces or self._look_with_margin(pixels), scale

    def _look(self, pixels: Pixels, scale: float) -> list[FoundFace]:
        """Look at the picture with its sides times ``scale`` (never enlarged)."""
        small = reduced(pixels, scale)
        faces = look_in_tiles(self._network, small)
        return [rescaled(face, small, pixels) for face in faces]

    def _look_with_margin(self, pixels: Pixels, long_side: int = LOOKS[0]) -> list[FoundFace]:
        """Look once more with a margin: a face that fills its picture is missed without one."""
        height, width = pixels.shape[:2]
        small = reduced(pixels, long_side / 2 / max(height, width))
        pad = max(round(max(small.shape[:2]) / 2), 1)
        framed = np.pad(small, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
        faces = []
        for seen in self._network.look(framed):
            face = rescaled(seen.moved(-pad, -pad), small, pixels)
            inside = (face.landmarks >= 0) & (face.landmarks <= (width, height))
            if inside.all():
                box = clipped(face.box, width, height)
                faces.append(FoundFace(box, face.landmarks, face.score))
        return faces

    def _look_turned(self, pixels: Pixels) -> list[FoundFace]:
        """The faces of a picture in which none stands upright, looked at by quarter turns."""
        small = reduced(pixels, TURNED_LOOK / max(pixels.shape[:2]))
        turned = {turn: np.ascontiguousarray(np.rot90(small, turn)) for turn in QUARTERS}
        scores = {turn: _upright_score(self._network.look(turned[turn])) for turn in QUARTERS}
        if not any(scores.values()):
            scores = {
                turn: _upright_score(self._look_with_margin(turned[turn], TURNED_MARGIN))
                for turn in QUARTERS
            }
        best = max(scores, key=lambda turn: scores[turn])
        if not scores[best]:
            return []
        return self._look_by_quarters(pixels, best)

    def _brought_upright(self, faces: list[FoundFace], pixels: Pixels) -> list[FoundFace]:
        """The faces with the landmarks that they have upright. One that is turned by quarters is
        taken from a search of the turned picture, which is that of the picture upright."""
        faces = [self._upright.bring(face, pixels) for face in faces]
        for turn in {round(tilt(face) / 90) % 4 for face in faces} - {0}:
            seen = self._look_by_quarters(pixels, turn)
            faces = [
                next((other for other in seen if overlap(other.box, face.box) > SAME), face)
                if round(tilt(face) / 90) % 4 == turn
                else face
                for face in faces
            ]
        return faces

    def _look_by_quarters(self, pixels: Pixels, turn: int) -> list[FoundFace]:
        """The faces seen when the picture is turned back by quarters."""
        whole = np.ascontiguousarray(np.rot90(pixels, turn))
        faces, _ = self._looks(whole)
        return [turned_back(self._upright.bring(face, whole), turn, pixels) for face in faces]


def _upright_score(faces: list[FoundFace]) -> float:
    return sum(face.score for face in faces if lean(face) <= LEANING)
