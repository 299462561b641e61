"""Noise: places that are more or less grainy than the rest."""

from __future__ import annotations

import numpy as np

from unmask.evidence.layers.tiles import Brightness, Floats, tiled, unclipped

#: The side of a tile, in pixels.
TILE = 16
#: A normal distribution's standard deviation over the median of its absolute values.
_NORMAL = 1 / 0.6745
#: Noise below this, in levels of 255, is as good as none.
_LEAST = 0.25


def noise_differences(brightness: Brightness) -> Floats:
    """How far the noise of each tile of (h, w) is from the usual one, in doublings or halvings.

    Mahdian and Saic, "Using noise inconsistencies for blind image forensics" (2009): the noise of a
    tile is the median of the absolute values in the finest diagonal sub-band of a wavelet transform
    (here Haar's), over 0.6745. Clipped tiles have 0, for they tell nothing.
    """
    even = np.pad(brightness, [(0, length % 2) for length in brightness.shape], mode="edge")
    four = even.astype(np.int16)
    diagonal = np.abs(four[::2, ::2] - four[::2, 1::2] - four[1::2, ::2] + four[1::2, 1::2])
    medians = np.median(tiled(diagonal, TILE // 2), axis=2).astype(np.float32)
    noise = medians * np.float32(_NORMAL / 2)
    is_told = unclipped(even, TILE)
    if not is_told.any():
        return np.zeros(noise.shape, np.float32)
    doublings = np.log2(noise + _LEAST)
    return np.where(is_told, np.abs(doublings - np.median(doublings[is_told])), 0).astype(
        np.float32
    )
