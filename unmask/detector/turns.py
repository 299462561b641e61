"""Brings faces upright that lie turned in their picture.

The network was made for upright faces: it finds a turned one less surely, and places its landmarks
badly, so that the frame cut out by them stands askew or on its head. Whether that is so shows in
the landmarks themselves, or in a low score.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from unmask.detector.align import Floats, Pixels, align_face, frame_matrix
from unmask.detector.centerface import CenterFace, FoundFace, clipped

#: The quarter turns that a face may be turned by.
QUARTERS = (1, 2, 3)
#: A face that is turned by more than so many degrees, or of a lower score, is looked at again.
UPRIGHT, CERTAIN = 30.0, 0.9
#: Seen alone with such a score it stands upright; with less, another turn must gain so much.
CONFIRMED, GAIN = 0.75, 0.1
#: A face that is brought upright may still lean by so many degrees.
LEANING = 45.0
#: Side of the square that is looked at again, in pixels, and in sizes of the face.
SIDE, AROUND = 256, 2.5


class Upright:
    """Looks again at faces that seem to be turned."""

    def __init__(self, network: CenterFace) -> None:
        self._network = network

    def bring(self, face: FoundFace, pixels: Pixels) -> FoundFace:
        """The face with the landmarks that it has upright; an upright one as it is."""
        stands = lean(face) <= UPRIGHT
        if stands and face.score >= CERTAIN:
            return face
        upright = self._look(face, pixels, 0.0)
        rival = upright.score if upright else 0.0
        if stands and rival >= CONFIRMED:
            return face
        views = [(self._look(face, pixels, 90.0 * turn), 90.0 * turn) for turn in QUARTERS]
        best, turn = max(views, key=lambda view: view[0].score if view[0] else 0.0)
        if best is None or best.score < rival + GAIN:
            best, turn = upright, 0.0
        if best is None or (stands and not turn):
            return face
        angle = tilt(best)
        if abs((angle - turn + 180) % 360 - 180) <= UPRIGHT:
            return best
        again = self._look(face, pixels, angle)
        return again if again and again.score >= best.score else best

    def _look(self, face: FoundFace, pixels: Pixels, angle: float) -> FoundFace | None:
        """The face seen when the picture is turned back by ``angle`` degrees; None where the
        network sees none there that is upright."""
        quad = _square(face, angle)
        view = align_face(pixels, quad, SIDE)
        seen = [other for other in self._network.look(view) if _in_the_middle(other)]
        seen = [other for other in seen if lean(other) <= LEANING]
        if not seen:
            return None
        best = max(seen, key=lambda other: other.score)
        return _mapped(best, cv2.invertAffineTransform(frame_matrix(quad, SIDE)), pixels)


def tilt(face: FoundFace) -> float:
    """The turn of a face in degrees, clockwise as people see it, by the line from eyes to mouth."""
    eyes, mouth = face.landmarks[:2].mean(axis=0), face.landmarks[3:].mean(axis=0)
    right, down = mouth - eyes
    return math.degrees(math.atan2(-right, down))


def lean(face: FoundFace) -> float:
    """How far a face is from upright, in degrees from 0 to 180: by its eyes, or by the line from
    eyes to mouth, whichever says more."""
    right, down = face.landmarks[1] - face.landmarks[0]
    return max(abs(math.degrees(math.atan2(down, right))), abs(tilt(face)))


def turned_back(face: FoundFace, quarters: int, picture: Pixels) -> FoundFace:
    """A face of ``np.rot90(picture, quarters)`` in the pixels of ``picture``."""
    height, width = picture.shape[:2]
    for done in range(quarters, 0, -1):
        side = width if done % 2 else height
        face = FoundFace(_quarter(face.box, side, True), _quarter(face.landmarks, side), face.score)
    return face


def points_turned(points: Floats, quarters: int, picture: Pixels) -> Floats:
    """Points (n, 2) of ``picture`` in the pixels of ``np.rot90(picture, quarters)``."""
    height, width = picture.shape[:2]
    for done in range(quarters):
        x, y = points.T
        points = np.stack([y, (height if done % 2 else width) - x], axis=1)
    return points


def _quarter(points: Floats, side: int, is_box: bool = False) -> Floats:
    """Points (n, 2), or a box, after a quarter turn clockwise of a picture ``side`` high."""
    x, y = points.reshape(-1, 2).T
    turned = np.stack([side - y, x], axis=1)
    if not is_box:
        return np.asarray(turned, np.float32)
    return np.concatenate([turned.min(axis=0), turned.max(axis=0)]).astype(np.float32)


def _square(face: FoundFace, angle: float) -> Floats:
    """The corners (4, 2) of a square around the face that stands turned by ``angle`` degrees."""
    centre = face.box.reshape(2, 2).mean(axis=0)
    half = face.size * AROUND / 2
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    right, down = np.array([cos, sin]) * half, np.array([-sin, cos]) * half
    corners = [centre - right - down, centre + right - down, centre + right + down]
    return np.asarray([*corners, centre - right + down], np.float32)


def _in_the_middle(face: FoundFace) -> bool:
    """Whether a face of the square is the one that the square was cut around."""
    middle = face.box.reshape(2, 2).mean(axis=0)
    return bool(np.abs(middle - SIDE / 2).max() < SIDE / AROUND / 2)


def _mapped(face: FoundFace, matrix: np.ndarray, pixels: Pixels) -> FoundFace:
    """A face of the square in the pixels of the picture."""
    x0, y0, x1, y1 = face.box
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    corners, marks = (
        points @ matrix[:, :2].T + matrix[:, 2] for points in (corners, face.landmarks)
    )
    box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    box = clipped(box, pixels.shape[1], pixels.shape[0])
    return FoundFace(box, np.asarray(marks, np.float32), face.score)
