"""The decoded picture -> the strokes along its upper and lower edge, and the parts they form.

A stroke is lighter or darker than the ground at both of its sides, however light the ground is:
what a morphological opening removes (the top-hat of Meyer, 1979).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from unmask.evidence.visible.glyphs import Floats

_Pixels = npt.NDArray[np.uint8]

#: The picture's shorter side is brought to at most this, and to no less than this, in pixels.
_SIDE, _LEAST = 640, 160
#: How many samples of the picture at least make one pixel of a strip, along each side.
_FINER = 2
#: The channel that is looked at: nearly brightness, and cheaper.
_GREEN = 1
#: How far from the edge a label is looked for, as a share of the shorter side.
_REACH = 0.16
#: The widest stroke, and how far around a pixel the strongest stroke is looked for, in pixels.
_STROKE, _AROUND = 13, 25
#: The least difference of a stroke from its ground in levels, and of a part from the strongest
#: stroke around it as a share.
_FAINT, _PARTS = 10.0, (0.5, 0.7)
#: Parts that are letters: their height in pixels.
_HEIGHTS = (9, 60)
#: Most parts of a strip that are read: several times a dense page's. A pattern has more.
_MOST_PARTS = 5000


@dataclass(frozen=True)
class Strip:
    """A strip along an edge. ``strokes`` (h, w) tells how much of the strongest stroke around each
    pixel has, 0 to 1; ``parts`` (n, 5) are x, y, width, height and area of its connected parts;
    ``top`` is its first row, and ``scale`` its pixels for one of the picture's."""

    strokes: Floats
    parts: npt.NDArray[np.int32]
    top: int
    scale: float


def strips(pixels: _Pixels) -> Iterator[Strip]:
    """The strips along both edges of (h, w, 3), each once for light strokes and for dark ones."""
    height, width = pixels.shape[:2]
    short = min(height, width)
    if short < _LEAST:
        return
    scale = min(_SIDE / short, 1.0)
    rows = round(_REACH * short)
    step = max(int(1 / scale / _FINER), 1)
    for top in (height - rows, 0):
        band = np.ascontiguousarray(pixels[top : top + rows : step, ::step, _GREEN])
        if scale < 1:
            size = round(width * scale), round(rows * scale)
            band = cv2.resize(band, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        yield from _both_kinds(band, top, scale)


def _both_kinds(band: npt.NDArray[np.uint8], top: int, scale: float) -> Iterator[Strip]:
    for kind in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        strokes = _strokes(band, kind)
        yield Strip(strokes, _parts(strokes), top, scale)


def _strokes(band: npt.NDArray[np.uint8], kind: int) -> Floats:
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (_STROKE, _STROKE))
    hat = cv2.morphologyEx(band, kind, kernel)
    around = cv2.dilate(hat, cv2.getStructuringElement(cv2.MORPH_RECT, (_AROUND, _AROUND)))
    strongest = np.maximum(around.astype(np.float32), np.float32(_FAINT / _PARTS[0]))
    return np.asarray(hat.astype(np.float32) / strongest, np.float32)


def _parts(strokes: Floats) -> npt.NDArray[np.int32]:
    """The parts at each share: ground that touches a letter is often a little weaker.

    Of OpenCV's algorithms that of Grana et al. (2010) numbers the parts as its default does, and
    measures them twice as fast.
    """
    found = []
    for share in _PARTS:
        stroke = (strokes > share).view(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
            stroke, 8, cv2.CV_32S, cv2.CCL_GRANA
        )
        heights = stats[:, cv2.CC_STAT_HEIGHT]
        found.append(stats[(heights >= _HEIGHTS[0]) & (heights <= _HEIGHTS[1])])
    return np.concatenate(found)[:_MOST_PARTS].astype(np.int32)
