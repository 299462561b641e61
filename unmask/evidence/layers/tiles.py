"""Squares of pixels, one value each: what every layer is made of."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Brightness = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
_Number = TypeVar("_Number", np.uint8, np.int16)
#: Brightness up to and from which a picture is clipped, and its traces with it.
_BLACK, _WHITE = 2, 253


def tiled(values: npt.NDArray[_Number], side: int) -> npt.NDArray[_Number]:
    """The whole tiles of (h, w) as (rows, columns, side * side)."""
    rows, columns = (length // side for length in values.shape)
    whole = values[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return whole.transpose(0, 2, 1, 3).reshape(rows, columns, side * side)


def tile_means(values: npt.NDArray[np.generic], side: int) -> Floats:
    """The mean of each whole tile of (h, w), as (rows, columns).

    What is left at the right and below tells nothing: a saving continues it to a whole block.
    """
    rows, columns = (length // side for length in values.shape)
    if not rows or not columns:
        return np.zeros((rows, columns), np.float32)
    whole = values[: rows * side, : columns * side].astype(np.float32)
    means = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(means, np.float32).reshape(rows, columns)


def unclipped(brightness: Brightness, side: int) -> Flags:
    """Which tiles of (h, w) are neither black nor white for the most part, as (rows, columns)."""
    middle = np.median(tiled(brightness, side), axis=2)
    return np.asarray((middle > _BLACK) & (middle < _WHITE))
