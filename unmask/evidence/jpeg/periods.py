"""Brightness of a JPEG -> how strongly it shows that the picture was a JPEG before.

A coefficient that is rounded to the steps of one table and then to those of another leaves gaps and
heaps in its histogram (Lukáš and Fridrich, "Estimation of primary quantization matrix in double
compressed JPEG images", 2003; Popescu and Farid, "Statistical tools for digital forensics", 2004).
A picture that was saved once has a smooth one.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from unmask.evidence.jpeg.tables import Table

_Floats = npt.NDArray[np.float32]

#: The coefficients that are looked at, as rows and columns: the lowest, which vary the most.
_MODES = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (0, 3), (3, 0))
#: Longest side of the middle that is looked at, in pixels, and the fewest blocks of 8 x 8 in it.
_SIDE, _LEAST_BLOCKS = 1_024, 300
#: Multiples of a step that are counted, coefficients that are to be among them, and the expected
#: count from which a multiple is compared; how many have to be, and in how many coefficients.
_MOST, _LEAST_COUNT, _LEAST_EXPECTED, _LEAST_COMPARED, _LEAST_MODES = 24, 200, 8.0, 3, 3
#: Squared deviations that a smooth histogram allows for: of a count, and of its square.
_BY_CHANCE, _BY_SHAPE = 1.5, 0.05**2


def roughness(brightness: npt.NDArray[np.uint8], table: Table) -> float | None:
    """How far the histograms of (h, w) are from smooth, in standard deviations: about 1 where the
    picture was saved once. ``table`` is that of its brightness. None where too little is to see.
    """
    blocks = _blocks(brightness)
    if len(blocks) < _LEAST_BLOCKS:
        return None
    steps = [table[8 * row + column] for row, column in _MODES]
    multiples = np.abs(np.rint(blocks @ _basis() / np.asarray(steps, np.float32)))
    rough = _rough(_counts(multiples))
    return float(np.median(rough)) if len(rough) >= _LEAST_MODES else None


def _blocks(brightness: npt.NDArray[np.uint8]) -> _Floats:
    """The blocks in the middle, (n, 64), without flat ones and those that touch black or white."""
    spans = []
    for length in brightness.shape:
        start = max(0, (length - _SIDE) // 2) // 8 * 8
        spans.append(slice(start, start + min(_SIDE, length - start) // 8 * 8))
    middle = brightness[spans[0], spans[1]]
    rows, columns = middle.shape[0] // 8, middle.shape[1] // 8
    if not rows or not columns:
        return np.empty((0, 64), np.float32)
    # a row of a block is moved as one number
    lines = middle.view(np.uint64).reshape(rows, 8, columns).transpose(0, 2, 1)
    blocks = np.ascontiguousarray(lines).view(np.uint8).reshape(-1, 64)
    low, high = (cv2.reduce(blocks, 1, how).ravel() for how in (cv2.REDUCE_MIN, cv2.REDUCE_MAX))
    kept = (low > 1) & (high < 254) & (high > low + 2)
    kept_blocks: _Floats = blocks[kept].astype(np.float32)
    kept_blocks -= np.float32(128)
    return kept_blocks


@cache
def _basis() -> _Floats:
    """The basis pictures of the coefficients that are looked at, (64, n)."""
    return np.stack([_wave(row, column) for row, column in _MODES], axis=1)


def _wave(row: int, column: int) -> _Floats:
    """A basis picture of the discrete cosine transform, (64,)."""
    places = 2 * np.arange(8) + 1
    vertical, horizontal = (
        np.cos(places * number * np.pi / 16) * (0.5 if number else np.sqrt(1 / 8))
        for number in (row, column)
    )
    return np.outer(vertical, horizontal).ravel().astype(np.float32)


def _counts(multiples: _Floats) -> npt.NDArray[np.int64]:
    """How often each multiple from 1 to _MOST is in each column of (n, m): (m, _MOST)."""
    columns, ends = multiples.shape[1], _MOST + 2
    # what is larger than the last is counted behind it
    places = np.minimum(multiples, np.float32(_MOST + 1)).astype(np.int64)
    places += np.arange(columns) * ends
    counts = np.bincount(places.ravel(), minlength=columns * ends)
    return counts.reshape(columns, ends)[:, 1:-1]


def _rough(counts: npt.NDArray[np.int64]) -> list[float]:
    """How far the counts (m, _MOST) of each coefficient's multiples are from the means of their
    neighbours; without those of which too little is to see."""
    counts = counts[counts.sum(axis=1) >= _LEAST_COUNT]
    logarithms = np.log(counts + 0.5)
    expected = np.exp((logarithms[:, :-2] + logarithms[:, 2:]) / 2)
    allowed = np.sqrt(_BY_CHANCE * expected + _BY_SHAPE * expected**2)
    squares = ((counts[:, 1:-1] - expected) / allowed) ** 2
    compared = (few[many] for few, many in zip(squares, expected > _LEAST_EXPECTED, strict=True))
    return [float(np.sqrt(np.mean(few))) for few in compared if len(few) >= _LEAST_COMPARED]
