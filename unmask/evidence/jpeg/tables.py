"""Quantisation tables -> whose they are, and the quality that they stand for.

A JPEG keeps the steps that its coefficients were rounded to: 64 for brightness, mostly 64 more for
colour. Encoders scale a base table by a quality from 1 to 100, so that tables name the encoder's
kind and the quality (Kornblum, "Using JPEG quantization tables to identify imagery processed by
software", 2008). Tables that are no such scale are those of cameras, editors and platforms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

#: Steps of one table, in the order of the picture's rows.
Table = tuple[int, ...]

#: ITU-T T.81, Annex K: the base tables of the Independent JPEG Group's library and its heirs.
_BRIGHTNESS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_COLOUR = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *[(99,) * 8] * 4,
)
#: The base of MozJPEG, by Robidoux for ImageMagick: the same for brightness and colour.
_MOZJPEG = (
    (16, 16, 16, 18, 25, 37, 56, 85),
    (16, 17, 20, 27, 34, 40, 53, 75),
    (16, 20, 24, 31, 43, 62, 91, 135),
    (18, 27, 31, 40, 53, 74, 106, 156),
    (25, 34, 43, 53, 69, 94, 131, 189),
    (37, 40, 62, 74, 94, 124, 169, 238),
    (56, 53, 91, 106, 131, 169, 226, 311),
    (85, 75, 135, 156, 189, 238, 311, 418),
)
_FAMILIES = {"libjpeg": (_BRIGHTNESS, _COLOUR), "MozJPEG": (_MOZJPEG, _MOZJPEG)}


def _zigzag() -> tuple[list[int], list[int]]:
    """The rows and columns of a table's steps in the file's order (T.81, figure A.6)."""
    places = [(row, column) for row in range(8) for column in range(8)]
    places.sort(key=lambda place: (sum(place), place[0] if sum(place) % 2 else place[1]))
    return [row for row, _ in places], [column for _, column in places]


_ZIGZAG = _zigzag()


@dataclass(frozen=True)
class Quality:
    """``quality``, 1 to 100, on the scale of libjpeg or of the encoder; ``encoder`` is the family
    whose scaled tables these are exactly, empty where none fits: then the quality is estimated."""

    quality: int
    encoder: str


def quality_of(tables: Sequence[Table]) -> Quality | None:
    """What the tables of a JPEG say, the first for brightness; None without tables."""
    if not tables:
        return None
    for quality, colour in _qualities().get(tables[0], ()):
        if len(tables) == 1 or tables[1] == colour:
            return quality
    steps = np.log(np.asarray(tables[0], np.float64))
    distances = [
        float(np.abs(steps - np.log(_scaled(_BRIGHTNESS, quality))).mean())
        for quality in range(1, 101)
    ]
    return Quality(int(np.argmin(distances)) + 1, "")


def read_tables(segment: bytes) -> Iterator[tuple[int, Table]]:
    """The number and the steps of each table of a DQT segment's payload, as far as it is sound."""
    while segment:
        is_wide, number = segment[0] >> 4 == 1, segment[0] & 15
        size = 128 if is_wide else 64
        steps = np.frombuffer(segment[1 : 1 + size], ">u2" if is_wide else "u1")
        if len(steps) != 64 or number > 3 or not steps.all():
            return
        table = np.zeros((8, 8), np.int64)
        table[_ZIGZAG] = steps
        yield number, tuple(int(step) for step in table.ravel())
        segment = segment[1 + size :]


@cache
def _qualities() -> dict[Table, list[tuple[Quality, Table]]]:
    """What a table for brightness may stand for, each with the table for colour beside it."""
    known: dict[Table, list[tuple[Quality, Table]]] = {}
    for encoder, (brightness, colour) in _FAMILIES.items():
        for quality in range(1, 101):
            beside = Quality(quality, encoder), _scaled(colour, quality)
            known.setdefault(_scaled(brightness, quality), []).append(beside)
    return known


@cache
def _scaled(base: tuple[tuple[int, ...], ...], quality: int) -> Table:
    """A base table at a quality, as libjpeg scales it."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    steps: npt.NDArray[np.int64] = (np.asarray(base) * scale + 50) // 100
    return tuple(int(step) for step in np.clip(steps, 1, 255).ravel())
