"""Labels in words along the upper or lower edge: "AI generated", "AI生成".

Two letters side by side are found by their measures, the anchor; from it the phrases are read
letter by letter, each compared with the drawn ones (normalised correlation) where it has to
stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from unmask.evidence.visible.glyphs import (
    ABOVE,
    BELOW,
    CAPITAL,
    SIDE,
    Floats,
    Letter,
    letter,
    shapes,
)
from unmask.evidence.visible.phrases import ANCHORS, PHRASES, SPACE, Phrase
from unmask.evidence.visible.strokes import Strip, strips

_Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]

#: Anchors of one strip that are read.
_MOST_ANCHORS = 12
#: How far the measures of a part may be from a letter's, as factors; a thin font covers less.
_ASPECT, _FILL, _THIN = 1.3, 1.45, 2.0
#: How far the two letters of an anchor may disagree on the size and, as a share of a capital's
#: height, on the base line; the gap between them, likewise.
_SIZES, _BASES, _GAP = 1.2, 0.15, (-0.1, 0.5)
#: Rows, of a capital's 16, by which a letter may stand higher or lower; the columns between it and
#: the one before, in a word and where a new one begins.
_ROWS = 2
_LETTER, _WORD = (-2, 6), (2, 19)
#: Of two places that are alike the nearer is taken: likeness that each column costs.
_NEARER = 0.01
#: A phrase is given up at a letter less alike than this.
_LEAST_LETTER = 0.5
#: Ground without strokes is like no letter.
_LEAST_SPREAD = np.float32(0.5)
#: The least mean likeness of a phrase's letters, set on half of the photographs of
#: benchmarks/visible_marks.py and measured on the other: where all are Latin, which lines of print
#: resemble; of such a phrase of few letters; and where some are of Asia's.
_LEAST_LATIN, _LEAST_SHORT, _LEAST_ASIAN = 0.78, 0.85, 0.70
#: The least likeness of each letter of those: few strokes are a little like many letters.
_LEAST_ASIAN_LETTER = 0.55
_SHORT = 6
#: How near a sign ends to the lower right corner, as a share of the shorter side.
_CORNER = 0.08
#: The first letter of Asia's blocks.
_HAN = "\u4e00"


@dataclass(frozen=True)
class LabelMatch:
    """A phrase that was read: ``box`` is x, y, width, height in pixels of the picture; ``mean``
    and ``least`` the likeness of its letters."""

    phrase: Phrase
    box: Box
    mean: float
    least: float


@dataclass(frozen=True)
class _Measures:
    """A letter's ink in units of a capital's height: its width and height, its bottom above the
    base line, and the share of its box that is covered."""

    wide: float
    high: float
    bottom: float
    fill: float


@dataclass(frozen=True)
class _Anchor:
    """Two letters: ``letters``; the left and right end of their ink, the base line and a capital's
    height, in pixels of the strip."""

    letters: str
    left: float
    right: float
    base: float
    capital: float


def find_label(pixels: _Pixels) -> LabelMatch | None:
    """The longest label along an edge of (h, w, 3) RGB, and among equals the surest."""
    height, width = pixels.shape[:2]
    sure = [match for match in match_labels(pixels) if _is_sure(match, width, height)]
    return max(sure, key=lambda match: (len(match.phrase.letters), match.mean), default=None)


def _is_sure(match: LabelMatch, width: int, height: int) -> bool:
    """Whether a phrase is read well enough, and where it counts."""
    phrase = match.phrase
    if phrase.is_in_corner and not _in_corner(match.box, width, height):
        return False
    if max(phrase.letters) >= _HAN:
        return match.mean >= _LEAST_ASIAN and match.least >= _LEAST_ASIAN_LETTER
    return match.mean >= (_LEAST_SHORT if len(phrase.letters) <= _SHORT else _LEAST_LATIN)


def _in_corner(box: Box, width: int, height: int) -> bool:
    """Whether a box ends near the lower right corner of a picture."""
    left, top, wide, high = box
    near = _CORNER * min(width, height)
    return left + wide > width - near and top + high > height - near


def match_labels(pixels: _Pixels) -> list[LabelMatch]:
    """Every phrase that can be read along the edges of (h, w, 3), however unsure."""
    return [
        match
        for strip in strips(pixels)
        for anchor in _anchors(strip)
        for match in _read(strip, anchor)
    ]


def _anchors(strip: Strip) -> list[_Anchor]:
    alike = _alike(strip.parts)
    anchors = [
        anchor
        for letters in ANCHORS
        for anchor in _pairs(letters, *(alike[name] for name in letters))
    ]
    near = {(a.letters, round(a.left / 3), round(a.base / 3)): a for a in anchors}
    return list(near.values())[:_MOST_ANCHORS]


def _pairs(
    letters: str, first: tuple[Floats, ...], second: tuple[Floats, ...]
) -> Iterator[_Anchor]:
    """Pairs of parts with the measures of two letters, side by side. Of the second letters those
    alone are compared that begin near the end of a first one, or a pattern of thousands of letters
    would make millions of pairs."""
    if not first[0].size or not second[0].size:
        return
    _, right1, base1, size1 = first
    x2, _, base2, size2 = second
    order = x2.argsort(kind="stable")
    begins = x2[order]
    # of two sizes so nearly alike, their mean is larger than the first by this at most
    reach = size1 * np.float32(_SIZES**0.5)
    low = begins.searchsorted(right1 + _GAP[0] * reach, "left")
    counts = begins.searchsorted(right1 + _GAP[1] * reach, "right") - low
    one = np.arange(len(right1)).repeat(counts)
    if not one.size:
        return
    # the places from each low on, one after the other
    other = order[np.arange(len(one)) + (low + counts - counts.cumsum()).repeat(counts)]
    size = np.sqrt(size1[one] * size2[other])
    gap, ratio = (x2[other] - right1[one]) / size, size1[one] / size2[other]
    fits = (ratio < _SIZES) & (ratio > 1 / _SIZES) & (gap > _GAP[0]) & (gap < _GAP[1])
    fits &= np.abs(base1[one] - base2[other]) < _BASES * size
    pairs = zip(one[fits].tolist(), other[fits].tolist(), size[fits].tolist(), strict=True)
    for i, j, capital in sorted(pairs):
        base = (float(base1[i]) + float(base2[j])) / 2
        yield _Anchor(letters, float(first[0][i]), float(second[1][j]), base, capital)


def _alike(parts: npt.NDArray[np.int32]) -> dict[str, tuple[Floats, ...]]:
    """Of parts with the measures of an anchor's letter in any font, by that letter: left, right,
    base line, capital's height."""
    x, y, wide, high, area = parts.T.astype(np.float32)
    fill = area / (wide * high)
    bounds = _bounds()
    # The edges of a part are known to half a pixel each.
    fits = (wide + 1 > high * bounds.least_aspect / _ASPECT) & (
        wide - 1 < high * bounds.most_aspect * _ASPECT
    )
    fits &= (fill > bounds.least_fill) & (fill < bounds.most_fill)
    alike: dict[str, tuple[Floats, ...]] = {}
    for name, fitting, tall, bottom in zip(
        bounds.letters, fits, bounds.high, bounds.bottom, strict=True
    ):
        (rows,) = fitting.nonzero()
        size = high[rows] / tall
        left = x[rows]
        base = y[rows] + high[rows] + size * bottom
        alike[name] = left, left + wide[rows], base, size
    return alike


class _Bounds(NamedTuple):
    """What parts with the measures of ``letters`` have, (n, 1): the ratio of their width and
    height, and the share of their box that is covered; and the letters' mean height and bottom, in
    units of a capital's height, (n,)."""

    letters: tuple[str, ...]
    least_aspect: npt.NDArray[np.float64]
    most_aspect: npt.NDArray[np.float64]
    least_fill: Floats
    most_fill: Floats
    high: Floats
    bottom: Floats


@cache
def _bounds() -> _Bounds:
    """The bounds of all letters of the anchors."""
    letters = tuple(dict.fromkeys("".join(ANCHORS)))
    measures = [_measures(name) for name in letters]
    aspects = [[m.wide / m.high for m in letter] for letter in measures]
    fills = [[m.fill for m in letter] for letter in measures]
    return _Bounds(
        letters,
        np.array([[min(few)] for few in aspects]),
        np.array([[max(few)] for few in aspects]),
        np.array([[min(few) / _THIN] for few in fills], np.float32),
        np.array([[max(few) * _FILL] for few in fills], np.float32),
        np.array([np.mean([m.high for m in letter]) for letter in measures], np.float32),
        np.array([np.mean([m.bottom for m in letter]) for letter in measures], np.float32),
    )


@cache
def _measures(letter: str) -> tuple[_Measures, ...]:
    found = []
    for shape in shapes()[letter]:
        ink = shape > 0.5
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        high, wide = rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
        bottom = ABOVE + CAPITAL - rows[-1] - 1
        fill = float(ink.sum() / (high * wide))
        found.append(_Measures(wide / CAPITAL, high / CAPITAL, bottom / CAPITAL, fill))
    return tuple(found)


class _Reading(NamedTuple):
    """How much a letter is like a drawn one, and where its ink begins and ends."""

    likeness: float
    start: int
    end: int


class _Line:
    """A line of text, brought to capitals of ``CAPITAL`` pixels; columns are counted from the
    strip's left edge."""

    def __init__(self, strip: Strip, anchor: _Anchor) -> None:
        self.scale = CAPITAL / anchor.capital
        height, width = strip.strokes.shape
        size = max(round(width * self.scale), 1), max(round(height * self.scale), 1)
        method = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_LINEAR
        whole = cv2.resize(strip.strokes, size, interpolation=method)
        top = round(anchor.base * self.scale) - CAPITAL - ABOVE - _ROWS
        bottom = top + ABOVE + CAPITAL + BELOW + 2 * _ROWS
        missing = max(-top, 0), max(bottom - whole.shape[0], 0)
        rows = whole[max(top, 0) : max(bottom, 0)]
        self._known: dict[tuple[str, int, int, bool], _Reading] = {}
        self._pixels = np.pad(rows, (missing, (0, 0))).astype(np.float32)

    def read(self, name: str, start: float, end: float) -> _Reading:
        """The best likeness of a letter whose ink begins between two columns."""
        return self._best(name, round(start), round(end), False)

    def read_back(self, name: str, start: float, end: float) -> _Reading:
        """The best likeness of a letter whose ink ends between two columns."""
        return self._best(name, round(start), round(end), True)

    def _best(self, name: str, start: int, end: int, is_end: bool) -> _Reading:
        key = name, start, end, is_end
        if key not in self._known:
            self._known[key] = self._compare(*key)
        return self._known[key]

    def _compare(self, name: str, start: int, end: int, is_end: bool) -> _Reading:
        shape = letter(name)
        first = max(start - SIDE - (int(shape.wide.max()) if is_end else 0), 0)
        last = max(end, 0) + SIDE + (0 if is_end else shape.columns)
        window = self._pixels[:, first : max(last, first)]
        if is_end:
            window = np.pad(window, ((0, 0), (0, shape.columns)))
        if window.shape[1] < shape.columns:
            return _Reading(0.0, start, start)
        likeness = _likeness(window, shape).max(axis=0)
        begins = first + SIDE + np.arange(len(likeness))[:, None]
        edges = begins + shape.wide if is_end else np.broadcast_to(begins, likeness.shape)
        away = end - edges if is_end else edges - start
        likeness[(edges < start) | (edges > end)] = -1
        column, font = np.unravel_index((likeness - _NEARER * away).argmax(), likeness.shape)
        left = int(begins[column, 0])
        return _Reading(float(likeness[column, font]), left, left + int(shape.wide[font]))


def _likeness(window: Floats, shape: Letter) -> Floats:
    """The normalised correlation with a letter at each place of a window, (rows, columns, n)."""
    views = sliding_window_view(window, (ABOVE + CAPITAL + BELOW, shape.columns))
    patches = views.reshape(-1, len(shape.pictures))
    products, sums = patches @ shape.pictures, patches @ shape.places
    squares = (patches * patches) @ shape.places
    spread = np.sqrt(np.maximum(squares - sums * sums / shape.places.sum(axis=0), _LEAST_SPREAD))
    likeness: Floats = (products / spread).reshape(*views.shape[:2], -1)
    return likeness


def _read(strip: Strip, anchor: _Anchor) -> Iterator[LabelMatch]:
    """The phrases that can be read from an anchor on."""
    line = _Line(strip, anchor)
    left, right = anchor.left * line.scale, anchor.right * line.scale
    likenesses, at = [], left + _LETTER[0]
    for name in anchor.letters:
        reading = line.read(name, at, at + _LETTER[1])
        likenesses.append(reading.likeness)
        at = reading.end + _LETTER[0]
        if reading.likeness < _LEAST_LETTER:
            return
    for phrase in PHRASES:
        if phrase.anchor != anchor.letters:
            continue
        after = _read_on(line, phrase.after, right)
        before = _read_before(line, phrase.before, left) if after is not None else None
        if after is None or before is None:
            continue
        values = [*before[0], *likenesses, *after[0]]
        box = _box(strip, anchor, before[1] / line.scale, after[1] / line.scale)
        yield LabelMatch(phrase, box, float(np.mean(values)), float(min(values)))


def _read_on(line: _Line, letters: str, at: float) -> tuple[list[float], float] | None:
    values, span = [], _LETTER
    for name in letters:
        if name == SPACE:
            span = _WORD
            continue
        reading = line.read(name, at + span[0], at + span[1])
        if reading.likeness < _LEAST_LETTER:
            return None
        values.append(reading.likeness)
        at, span = reading.end, _LETTER
    return values, at


def _read_before(line: _Line, letters: str, at: float) -> tuple[list[float], float] | None:
    values, span = [], _LETTER
    for name in reversed(letters):
        if name == SPACE:
            span = _WORD
            continue
        reading = line.read_back(name, at - span[1], at - span[0])
        if reading.likeness < _LEAST_LETTER:
            return None
        values.append(reading.likeness)
        at, span = reading.start, _LETTER
    return values, at


def _box(strip: Strip, anchor: _Anchor, left: float, right: float) -> Box:
    """The box around a phrase in pixels of the picture."""
    margin = 0.35 * anchor.capital
    top = anchor.base - anchor.capital - margin
    edges = (left - margin, top, right - left + 2 * margin, anchor.capital + 2 * margin)
    x, y, wide, high = (round(value / strip.scale) for value in edges)
    x, y = max(x, 0), max(y, 0)
    return x, y + strip.top, wide, high
