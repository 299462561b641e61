"""The colour bar that OpenAI's DALL-E 2 draws into the lower right corner of its pictures.

Five squares side by side, each 1/64 of the picture's width (16 pixels of 1,024), that touch the
right and the lower edge: yellow, turquoise, green, orange, blue.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]

_COLOURS = np.array(
    [(255, 255, 102), (66, 255, 255), (81, 218, 76), (255, 110, 60), (60, 70, 255)], np.float32
)
#: Squares in a row of the picture, and in the bar; the least side of one in pixels.
_IN_ROW, _LEAST_SIDE = 64, 3
#: A square's middle, as a share of its side from each edge: its rim is smeared by JPEG.
_RIM = 0.25
#: How far a square's mean colour may be from its own, and its pixels from their mean, in levels.
_FAR, _UNEVEN = 48.0, 24.0


def find_colour_bar(pixels: _Pixels) -> Box | None:
    """Where DALL-E 2's bar is in (h, w, 3), as x, y, width, height in pixels."""
    height, width = pixels.shape[:2]
    side = width / _IN_ROW
    if side < _LEAST_SIDE or side > height:
        return None
    for number, colour in enumerate(_COLOURS):
        middle = _middle(pixels, side, len(_COLOURS) - number).astype(np.float32)
        mean = middle.reshape(-1, 3).mean(axis=0)
        if np.abs(mean - colour).max() > _FAR or np.abs(middle - mean).mean() > _UNEVEN:
            return None
    long, high = round(side * len(_COLOURS)), round(side)
    return width - long, height - high, long, high


def _middle(pixels: _Pixels, side: float, from_right: int) -> _Pixels:
    """The middle of a square, counted from the right."""
    height, width = pixels.shape[:2]
    left, right = width - side * (from_right - _RIM), width - side * (from_right - 1 + _RIM)
    top, bottom = height - side * (1 - _RIM), height - side * _RIM
    x, y = round(left), round(top)
    return pixels[y : max(round(bottom), y + 1), x : max(round(right), x + 1)]
