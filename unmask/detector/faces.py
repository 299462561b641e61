"""Finds faces and their landmarks in photographs of any size and turn.

A picture is looked at coarsely first and finely only where that can show more. The network knows
upright faces, so a face that is turned is looked at once more, brought upright.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unmask.detector.align import Floats, Pixels
from unmask.detector.centerface import (
    CenterFace,
    FoundFace,
    Glance,
    clipped,
    enlargement,
    overlap,
    reduced,
    rescaled,
    suppress,
)
from unmask.detector.focus import look_around
from unmask.detector.tiles import look_in_tiles
from unmask.detector.turns import (
    LEANING,
    QUARTERS,
    Upright,
    lean,
    points_turned,
    tilt,
    turned_back,
)

#: Long sides, in pixels, at which a picture is looked at, one after the other.
LOOKS = (640, 1600, 3200)
#: A picture that is long and narrow may be looked at larger in the last look: with so many pixels.
FINEST_PIXELS = 8_000_000
#: A face smaller than this in a look asks for the next one: there may be smaller ones still. One
#: that is smaller than the second in its picture will not turn out to be large in a finer look.
SMALL, SURELY_SMALL = 48, 40
#: Faces smaller than this, in the pixels of the last look, are seldom found.
SEEN_FROM = 20
#: What may have been missed is told where it is as large as this, in pixels of the picture.
TOLD_FROM = 40
#: Long side at which a picture without an upright face is looked at for one that is turned, and
#: that of the small look that says where.
TURNED_LOOK, TURNED_GLANCE = 960, 320
#: Long side, with its margin, of a small look for a face that fills the picture.
MARGIN_GLANCE = 320
#: Overlap (intersection over union) from which a box is that of the same face, turned.
SAME = 0.3
NOWHERE = np.empty((0, 2), np.float32)


@dataclass(frozen=True)
class Search:
    """The faces of a picture, the largest first. In a picture too large for a search in all its
    detail, faces of fewer than ``missed_under`` pixels may have been missed; else it is 0.

    ``seen`` is the picture's long side in pixels, and ``looked`` that of its finest look. Where
    ``is_enough``, the same picture with more pixels has no other faces that would be found."""

    faces: list[FoundFace]
    missed_under: int = 0
    seen: int = 0
    looked: int = 0
    is_enough: bool = False


#: The search of a picture that was not looked at.
UNSEEN = Search([])


@dataclass(frozen=True)
class _Looks:
    """What the network sees as a picture stands: faces, and points (n, 2) where there may be one
    that is turned. ``looked`` is the long side of the last look in pixels; ``is_enough`` says that
    a finer one could show no more, had the picture more pixels."""

    faces: list[FoundFace]
    hints: Floats
    looked: int
    is_enough: bool


class FaceFinder:
    """The face detector; safe to use from several threads."""

    def __init__(self, threads: int = 0) -> None:
        self._network = CenterFace(threads)
        self._upright = Upright(self._network)

    def find(self, pixels: Pixels) -> list[FoundFace]:
        """The faces of an RGB picture (h, w, 3), the largest first. Landmarks are those of the
        face brought upright: the left eye of one that stands on its head lies to the right."""
        return self.search(pixels).faces

    def search(
        self, pixels: Pixels, reduced_search: Search | None = None, is_reduced: bool = False
    ) -> Search:
        """The faces, and what a search within the budget may have missed.

        ``reduced_search`` is that of the same picture with fewer pixels: what it saw is not looked
        for again. With ``is_reduced`` this is such a picture, and the whole one follows where the
        search is not enough: its finest look is left to that one.
        """
        before = UNSEEN
        if reduced_search is not None:
            before = _enlarged(reduced_search, pixels)
            if before.is_enough:
                return before
        is_empty = reduced_search is not None and not before.faces
        seen = self._looks(pixels, before, is_reduced)
        faces = seen.faces
        if not faces and not is_empty:
            faces = self._look_with_margin(pixels)
        if faces:
            faces = self._brought_upright(faces, pixels)
        elif not is_empty:
            faces = self._look_turned(pixels, seen.hints)
        longest = max(pixels.shape[:2])
        limit = round(SEEN_FROM * longest / seen.looked)
        missed = limit if limit > TOLD_FROM and not seen.is_enough else 0
        faces = sorted(faces, key=lambda face: -face.size)
        return Search(faces, missed, longest, seen.looked, seen.is_enough)

    def _looks(self, pixels: Pixels, before: Search = UNSEEN, is_reduced: bool = False) -> _Looks:
        """What the network sees as the picture stands, in looks that are finer than those
        ``before``."""
        longest = max(pixels.shape[:2])
        seen = _Looks(before.faces, NOWHERE, before.looked, is_enough=False)
        for look in LOOKS:
            scale = look / longest
            if look == LOOKS[-1]:
                scale = max(scale, (FINEST_PIXELS / (pixels.shape[0] * pixels.shape[1])) ** 0.5)
            scale = min(scale, 1.0)
            if scale * longest <= before.looked:
                continue
            if is_reduced and look == LOOKS[-1] and _smallest(seen.faces) < SURELY_SMALL:
                break  # the whole picture is searched too, in a look that shows more
            glance = self._look(pixels, scale)
            faces = suppress(seen.faces + glance.faces)
            is_enough = _smallest(faces) * scale >= SMALL
            hints = glance.hints if look < LOOKS[-1] else seen.hints
            seen = _Looks(faces, hints, round(scale * longest), is_enough)
            if scale == 1 or is_enough:
                break
        return seen

    def _look(self, pixels: Pixels, scale: float) -> Glance:
        """Look at the picture with its sides times ``scale`` (never enlarged)."""
        small = reduced(pixels, scale)
        glance = look_in_tiles(self._network, small)
        faces = [rescaled(face, small, pixels) for face in glance.faces]
        return Glance(faces, glance.hints * enlargement(small, pixels))

    def _look_with_margin(self, pixels: Pixels) -> list[FoundFace]:
        """Look once more with a margin: a face that fills its picture is missed without one. A
        small look says whether there is something to be seen."""
        if not len(self._glance_with_margin(pixels, MARGIN_GLANCE).hints):
            return []
        return self._glance_with_margin(pixels, LOOKS[0]).faces

    def _glance_with_margin(self, pixels: Pixels, long_side: int) -> Glance:
        height, width = pixels.shape[:2]
        small = reduced(pixels, long_side / 2 / max(height, width))
        pad = max(round(max(small.shape[:2]) / 2), 1)
        framed = np.pad(small, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
        faces = []
        glance = self._network.glance(framed)
        for seen in glance.faces:
            face = rescaled(seen.moved(-pad, -pad), small, pixels)
            inside = (face.landmarks >= 0) & (face.landmarks <= (width, height))
            if inside.all():
                box = clipped(face.box, width, height)
                faces.append(FoundFace(box, face.landmarks, face.score))
        return Glance(faces, glance.hints)

    def _look_turned(self, pixels: Pixels, hints: Floats) -> list[FoundFace]:
        """The faces of a picture in which none stands upright, looked at by quarter turns: near
        ``hints`` (n, 2), and where a small look at the turned picture has others."""
        small = reduced(pixels, TURNED_LOOK / max(pixels.shape[:2]))
        hints = hints / enlargement(small, pixels)
        scores = {turn: self._turned_score(small, turn, hints) for turn in QUARTERS}
        if not any(scores.values()):
            scores = {
                turn: _upright_score(
                    self._glance_with_margin(_turned(small, turn), MARGIN_GLANCE).faces
                )
                for turn in QUARTERS
            }
        best = max(scores, key=lambda turn: scores[turn])
        if not scores[best]:
            return []
        return self._look_by_quarters(pixels, best)

    def _turned_score(self, small: Pixels, turn: int, hints: Floats) -> float:
        """How surely upright faces are seen in a picture that is turned by quarters."""
        turned = _turned(small, turn)
        glance = self._look(turned, TURNED_GLANCE / max(turned.shape[:2]))
        near = np.concatenate([points_turned(hints, turn, small), glance.hints])
        return _upright_score(suppress(glance.faces + look_around(self._network, turned, near)))

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
        whole = _turned(pixels, turn)
        faces = self._looks(whole).faces or self._look_with_margin(whole)
        return [turned_back(self._upright.bring(face, whole), turn, pixels) for face in faces]


def _smallest(faces: list[FoundFace]) -> float:
    """The size of the smallest face; 0 without one."""
    return min((face.size for face in faces), default=0.0)


def _turned(pixels: Pixels, turn: int) -> Pixels:
    return np.ascontiguousarray(np.rot90(pixels, turn))


def _enlarged(search: Search, pixels: Pixels) -> Search:
    """A search of the picture reduced, as that of the picture itself."""
    longest = max(pixels.shape[:2])
    factor = np.float32(longest / search.seen)
    faces = [face.scaled(factor) for face in search.faces]
    return replace(search, faces=faces, seen=longest)


def _upright_score(faces: list[FoundFace]) -> float:
    return sum(face.score for face in faces if lean(face) <= LEANING)
