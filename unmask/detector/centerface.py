"""CenterFace: one look of the face network at a picture.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point" (2019). The network
sees an upright face well when it is some 20 to 500 pixels wide.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from unmask.detector.align import Floats, Pixels
from unmask.detector.session import giving_back, open_session

MODEL = Path(__file__).parent / "models" / "centerface.onnx"
SHA256 = "5b3cd64d39a14b646dea514b6e8fc9b28538abaf6d57faa801d1897ba4adfd3c"

#: Least score of a face; a lone weak response is more often a pattern than a face.
MIN_SCORE = 0.5
#: Least score of what may be a face that is seen badly, as turned ones are. Of 31 turned faces of
#: validation pictures, each gave 0.08 or more; scenes without people seldom do.
FAINT = 0.05
#: Overlap (intersection over union) above which two boxes are one face.
MAX_OVERLAP = 0.3
#: The memory for an input of more pixels is given back after the look: half a gigabyte for 2
#: megapixels.
KEPT_INPUT = 1_050_000
#: The network's output has one cell for so many pixels, and its input whole multiples of STEP.
STRIDE, STEP = 4, 32


@dataclass(frozen=True)
class FoundFace:
    """A face in picture pixels: box (x0, y0, x1, y1), landmarks (5, 2), score in [0, 1]."""

    box: Floats
    landmarks: Floats
    score: float

    @property
    def size(self) -> float:
        """The longer side of the box, in pixels."""
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))

    def scaled(self, factor: np.float32) -> FoundFace:
        """The same face in a picture that is ``factor`` times as large."""
        return FoundFace(self.box * factor, self.landmarks * factor, self.score)

    def moved(self, right: float, down: float) -> FoundFace:
        """The same face in a picture that begins so many pixels to the left and above."""
        shift = np.array([right, down], np.float32)
        return FoundFace(self.box + np.tile(shift, 2), self.landmarks + shift, self.score)


@dataclass(frozen=True)
class Glance:
    """What one look shows: the faces, and the points (n, 2), x and y in pixels, at which there may
    be one."""

    faces: list[FoundFace]
    hints: Floats


class CenterFace:
    """The network; safe to use from several threads."""

    def __init__(self, threads: int = 0) -> None:
        self._session = open_session(MODEL, SHA256, threads)

    def look(self, pixels: Pixels) -> list[FoundFace]:
        """The faces of an RGB picture (h, w, 3), looked at as large as it is."""
        return self.glance(pixels).faces

    def glance(self, pixels: Pixels) -> Glance:
        """The faces of an RGB picture (h, w, 3), and where a finer look may show others."""
        height, width = pixels.shape[:2]
        canvas = np.zeros((_up(height), _up(width), 3), np.uint8)
        canvas[:height, :width] = pixels
        blob = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], np.float32)
        names = ["score", "size", "offset", "landmarks"]
        options = giving_back() if height * width > KEPT_INPUT else None
        outputs = self._session.run(names, {"image": blob}, options)
        maps = _Maps(*(output[0] for output in outputs))
        rows, columns = _peaks(maps.score[0], FAINT)
        hints = np.stack([columns, rows], axis=1).astype(np.float32) * STRIDE + STRIDE / 2
        return Glance(suppress(_decode(maps, (width, height))), hints)


def reduced(pixels: Pixels, scale: float) -> Pixels:
    """The picture with both sides times ``scale`` by area averaging; never enlarged."""
    if scale >= 1.0:
        return pixels
    height, width = pixels.shape[:2]
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def enlargement(small: Pixels, picture: Pixels) -> Floats:
    """How many times as wide and as high (2,) the picture is as its reduced self."""
    width, height = picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]
    return np.array([width, height], np.float32)


def rescaled(face: FoundFace, small: Pixels, picture: Pixels) -> FoundFace:
    """A face of a reduced picture in the pixels of the whole one."""
    factor = enlargement(small, picture)
    return FoundFace(face.box * np.tile(factor, 2), face.landmarks * factor, face.score)


def suppress(faces: list[FoundFace]) -> list[FoundFace]:
    """Keep the best-scored of faces that overlap (non-maximum suppression)."""
    kept: list[FoundFace] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(overlap(face.box, other.box) <= MAX_OVERLAP for other in kept):
            kept.append(face)
    return kept


def overlap(a: Floats, b: Floats) -> float:
    """Intersection over union of two boxes."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    shared = float(np.prod(np.maximum(high - low, 0)))
    total = float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - shared
    return shared / total if total > 0 else 0.0


def clipped(box: Floats, width: int, height: int) -> Floats:
    """The part of a box that lies in the picture."""
    limits = np.array([width, height, width, height], np.float32)
    return np.clip(box, 0, limits).astype(np.float32)


@dataclass(frozen=True)
class _Maps:
    """What the network gives for one picture, each (c, h, w)."""

    score: Floats
    size: Floats
    offset: Floats
    landmarks: Floats


def _decode(maps: _Maps, picture: tuple[int, int]) -> list[FoundFace]:
    """Turn the network's maps into the faces of a picture of (width, height)."""
    rows, columns = _peaks(maps.score[0], MIN_SCORE)
    scores = maps.score[0, rows, columns]
    sides = np.exp(maps.size[:, rows, columns]) * STRIDE  # height, width
    centre_x = (columns + maps.offset[1, rows, columns] + 0.5) * STRIDE
    centre_y = (rows + maps.offset[0, rows, columns] + 0.5) * STRIDE
    left, top = centre_x - sides[1] / 2, centre_y - sides[0] / 2
    boxes = np.stack([left, top, left + sides[1], top + sides[0]], axis=1)
    points = maps.landmarks[:, rows, columns].T.reshape(-1, 5, 2)  # y, x in units of the box
    points_x = points[:, :, 1] * sides[1][:, None] + left[:, None]
    points_y = points[:, :, 0] * sides[0][:, None] + top[:, None]
    marks = np.stack([points_x, points_y], axis=2)
    return [
        FoundFace(clipped(box, *picture), mark.astype(np.float32), float(value))
        for box, mark, value in zip(boxes, marks, scores, strict=True)
    ]


def _peaks(score: Floats, least: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Cells that score at least so much and are the highest among their neighbours."""
    highest = cv2.dilate(score, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero((score >= least) & (score >= highest))
    return rows, columns


def _up(value: int) -> int:
    """The next multiple of STEP."""
    return -(-value // STEP) * STEP
