"""The drawn letters of labels: small pictures, made once by ``scripts/label_shapes.py``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

FILE = Path(__file__).with_name("shapes.npz")
#: Rows of a letter's picture: a capital's, and those above and below it.
CAPITAL, ABOVE, BELOW = 16, 6, 6
#: Columns of ground at both sides of a letter's ink.
SIDE = 1


@dataclass(frozen=True)
class Letter:
    """One letter in n fonts, made for normalised correlation: ``pictures`` (rows * columns, n) are
    its pictures without their mean and of length 1, as wide as the widest; ``places`` (the same)
    are 1 where a font's picture is and 0 beside it; ``wide`` (n,) are the inks' widths."""

    pictures: Floats
    places: Floats
    wide: npt.NDArray[np.int64]
    columns: int


@cache
def shapes() -> dict[str, tuple[Floats, ...]]:
    """The pictures of each letter in several fonts, (rows, columns) from 0 to 1."""
    with np.load(FILE) as stored:
        ends = np.cumsum(stored["widths"], dtype=np.int64)[:-1]
        pictures = np.split(stored["pixels"], ends, axis=1)
        drawn: dict[str, list[Floats]] = {}
        for letter, picture in zip(stored["letters"].tolist(), pictures, strict=True):
            rimmed = np.pad(picture, ((0, 0), (SIDE, SIDE))).astype(np.float32)
            drawn.setdefault(letter, []).append(rimmed / np.float32(255))
    return {letter: tuple(pictures) for letter, pictures in drawn.items()}


@cache
def letter(name: str) -> Letter:
    """A letter of the phrases."""
    pictures: list[npt.NDArray[np.float64]] = []
    places: list[Floats] = []
    columns = max(shape.shape[1] for shape in shapes()[name])
    for shape in shapes()[name]:
        centred = shape - shape.mean()
        beside = ((0, 0), (0, columns - shape.shape[1]))
        pictures.append(np.pad(centred / np.linalg.norm(centred), beside).ravel())
        places.append(np.pad(np.ones_like(shape), beside).ravel())
    wide = np.array([shape.shape[1] - 2 * SIDE for shape in shapes()[name]])
    drawn = np.stack(pictures, axis=1).astype(np.float32)
    return Letter(drawn, np.stack(places, axis=1), wide, columns)
