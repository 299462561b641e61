"""The star that Google's Gemini draws into the lower right corner of its pictures.

A four-pointed sparkle of white, half clear: 48 pixels wide and 32 from both edges, or 96 and 64
where both sides of the picture are over 1,024 (read in pictures of 2025 and 2026). Resized
pictures keep the ratio of size and margin, so that the star is looked for at many sizes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

_Pixels = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]
#: Columns and rows of points, and of the points that they are compared with.
_Pairs = tuple[tuple[_Floats, _Floats], tuple[_Floats, _Floats]]

#: The outline is a superellipse |x|^p + |y|^p = r^p: its power and reach, as a share of the side.
_POWER, _REACH = 0.70, 0.52
#: Sides of a star looked for, as shares of the picture's shorter side, and in pixels.
_SHARES = tuple(0.019 * 1.09**step for step in range(20))
_LEAST_SIDE = 12
#: The best of them is looked at again at these sizes.
_FINER = (0.95, 0.975, 1.025, 1.05)
#: Margins between star and edges, as shares of the star's side; it is drawn with 2/3.
_MARGINS = (0.4, 0.95)
#: A star is brought to this side to be compared, with a rim around it, in pixels.
_SIDE, _RIM = 32, 5
#: Points of the outline at which inside and outside are compared, and how far apart, in pixels.
_POINTS, _APART = 96, 2.0
#: How far a point's veil of white may lie from the median, as a share of it and in all; how clear
#: the veil may be.
_EVEN, _CLEAR = (0.4, 0.02), (0.15, 0.95)
#: Levels below white that a veil is measured against at least.
_LEAST_ROOM = np.float32(24)
#: The arms; how far out they are told from the gaps between them, as a share of their reach; how
#: much of the veil has to be there, and in how many of them.
_ARMS, _OUT, _ARM, _LEAST_ARMS = 4, 0.62, 0.4, 3
#: Bounds, set on half of the photographs of benchmarks/visible_marks.py and measured on the other:
#: the least sum of likeness and evenness; and the least likeness of small stars, with sides below
#: this many pixels, which many a spot of light resembles.
_LEAST_SCORE, _LEAST_LIKENESS_OF_SMALL, _SMALL = 1.35, 0.85, 20
#: What adds up the three colours.
_SUM = np.ones((1, 3), np.float32)


@dataclass(frozen=True)
class StarMatch:
    """The best match: ``box`` is x, y, width, height in pixels; ``likeness`` the correlation with
    the drawn star; ``evenness`` the share of the outline where the same veil of white begins;
    ``veil`` how much of the white there is, 0 to 1."""

    box: Box
    likeness: float
    evenness: float
    veil: float


@dataclass(frozen=True)
class _Place:
    """The best place of one size, and the picture's colours there at :func:`_points`."""

    box: Box
    likeness: float
    samples: _Floats


def find_star(pixels: _Pixels) -> Box | None:
    """Where Gemini's star is in (h, w, 3) RGB, as x, y, width, height in pixels."""
    match = match_star(pixels)
    if match is None or _score(match) < _LEAST_SCORE:
        return None
    is_small = match.box[2] < _SMALL
    return None if is_small and match.likeness < _LEAST_LIKENESS_OF_SMALL else match.box


def match_star(pixels: _Pixels) -> StarMatch | None:
    """What looks most like the star in the lower right corner of (h, w, 3); None in tiny ones."""
    height, width = pixels.shape[:2]
    sides = [share * min(height, width) for share in _SHARES]
    matches = _matches(pixels, [side for side in sides if side >= _LEAST_SIDE])
    if not matches:
        return None
    side = max(matches, key=_score).box[2]
    matches += _matches(pixels, [side * factor for factor in _FINER])
    return max(matches, key=_score)


def _score(match: StarMatch) -> float:
    return match.likeness + match.evenness


def _matches(pixels: _Pixels, sides: list[float]) -> list[StarMatch]:
    """The best match of each size, in pixels of the picture."""
    if not sides:
        return []
    places = [_best_place(pixels, side) for side in sides]
    evenness, veils = _evenness(np.concatenate([place.samples for place in places]))
    return [
        StarMatch(place.box, place.likeness, even, veil)
        for place, even, veil in zip(places, evenness.tolist(), veils.tolist(), strict=True)
    ]


def _best_place(pixels: _Pixels, side: float) -> _Place:
    """Where a star of one size would be most like the drawn one."""
    height, width = pixels.shape[:2]
    scale = _SIDE / side
    span = min(round((1 + _MARGINS[1]) * side + _RIM / scale), height, width)
    corner = pixels[height - span :, width - span :]
    target = max(round(span * scale), _SIDE + 2 * _RIM)
    last = target - round(_MARGINS[0] * _SIDE) - _SIDE - _RIM + 1
    reach = max(last, 1) + _SIDE + 2 * _RIM - 1  # of what is beyond no star can have a part
    kept, factor = min(math.ceil((reach + 1) * span / target), span), target / span
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(corner[:kept, :kept], None, fx=factor, fy=factor, interpolation=method)
    small = small[:reach, :reach].astype(np.float32)
    grey = cv2.transform(small, _SUM) / np.float32(3)
    likeness = cv2.matchTemplate(grey, _template(), cv2.TM_CCOEFF_NORMED)
    _, value, _, (x, y) = cv2.minMaxLoc(likeness)
    x, y = x + _RIM, y + _RIM
    ratio = span / target
    left, top = width - span + round(x * ratio), height - span + round(y * ratio)
    columns, rows = _points()
    samples = cv2.remap(small, columns + x, rows + y, cv2.INTER_LINEAR).astype(np.float32)
    return _Place((left, top, round(side), round(side)), float(value), samples)


def _evenness(samples: _Floats) -> tuple[_Floats, _Floats]:
    """How evenly a veil of white begins at the outline of each place, and how much of white it
    is, (n,) each; ``samples`` (n, points, 3) are the colours at :func:`_points`."""
    outline, arms = samples[:, : -2 * _ARMS], samples[:, -2 * _ARMS :]
    veils = _veils(outline)
    veil = np.median(veils.reshape(len(veils), -1), axis=1)
    in_arms = np.median(_veils(arms), axis=-1)
    is_star = (in_arms > _bounds(_ARM, veil, 0.0)[:, None]).sum(axis=1) >= _LEAST_ARMS
    is_star &= (_CLEAR[0] <= veil) & (veil <= _CLEAR[1])
    most = _bounds(_EVEN[0], veil, _EVEN[1])
    even = (np.abs(veils - veil[:, None, None]).max(axis=-1) < most[:, None]).mean(axis=1)
    return np.where(is_star, even, 0.0), veil


def _bounds(share: float, veil: _Floats, more: float) -> _Floats:
    """A share of each veil and a little more."""
    return (share * veil.astype(np.float64) + more).astype(np.float32)


def _veils(samples: _Floats) -> _Floats:
    """How much of white each point of the first half has more than that of the second."""
    middle = samples.shape[1] // 2
    inside, outside = samples[:, :middle], samples[:, middle:]
    veils: _Floats = (inside - outside) / np.maximum(np.float32(255) - outside, _LEAST_ROOM)
    return veils


@cache
def _points() -> tuple[_Floats, _Floats]:
    """Columns and rows, (1, n), of the points inside the outline, of those outside, of those in
    the arms and of those in the gaps."""
    pairs = [points for pair in (_outline(), _arms()) for points in pair]
    columns, rows = (np.concatenate(places, axis=1) for places in zip(*pairs, strict=True))
    return columns, rows


@cache
def _template() -> _Floats:
    """The star with its rim, (n, n): how much of each pixel it covers."""
    fine, side = 8, _SIDE + 2 * _RIM
    grid = np.abs((np.arange(side * fine) + 0.5) / fine - side / 2) / (_REACH * _SIDE)
    star = (grid[None] ** _POWER + grid[:, None] ** _POWER <= 1).astype(np.float32)
    return cv2.resize(star, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)


@cache
def _arms() -> _Pairs:
    """A point in each of the four arms, and one as far from the middle in the gap beside it."""
    angles = np.arange(_ARMS) * np.pi / 2
    middle, far = (_SIDE - 1) / 2, _OUT * _REACH * _SIDE

    def at(turn: float) -> tuple[_Floats, _Floats]:
        x, y = middle + far * np.cos(angles + turn), middle + far * np.sin(angles + turn)
        return x.astype(np.float32)[None], y.astype(np.float32)[None]

    return at(0.0), at(np.pi / 4)


@cache
def _outline() -> _Pairs:
    """Columns and rows of points just inside the outline, and of those just outside.

    The tips, which are thinner than the way between the two, are left out.
    """
    angles = (np.arange(_POINTS) + 0.5) * (2 * np.pi / _POINTS)
    unit = np.stack([np.cos(angles), np.sin(angles)])
    outline = np.sign(unit) * np.abs(unit) ** (2 / _POWER)
    normal = np.sign(outline) * np.abs(outline) ** (_POWER - 1)
    normal *= _APART / np.linalg.norm(normal, axis=0)
    at = outline * _REACH * _SIDE + (_SIDE - 1) / 2
    inner, outer = (at - normal).astype(np.float32), (at + normal).astype(np.float32)
    covered = [
        cv2.remap(_template(), x + _RIM, y + _RIM, cv2.INTER_LINEAR).ravel()
        for x, y in (inner, outer)
    ]
    clear = (covered[0] > 0.9) & (covered[1] < 0.1)
    inner, outer = inner[:, clear], outer[:, clear]
    return (inner[:1], inner[1:]), (outer[:1], outer[1:])
