"""JPEG ghosts: places that were saved before at another quality than the rest, or not at all."""

from __future__ import annotations

import cv2
import numpy as np

from unmask.evidence.layers.saving import saved_again
from unmask.evidence.layers.tiles import Brightness, Floats, tile_means, unclipped

#: The qualities at which the picture is saved again, and the side over which is averaged.
QUALITIES, TILE = tuple(range(50, 100, 5)), 16
#: The greatest mean squared change of a tile from which it can be told; a flat one has less.
_LEAST = 1.0


def ghosts(brightness: Brightness) -> Floats:
    """How far each tile of (h, w) answers otherwise than most do to saving again, 0 to 1.

    Farid, "Exposing Digital Forgeries from JPEG Ghosts" (2009): a place that was saved before
    changes least when it is saved at that quality again. The squared change at each quality is
    averaged over a tile and scaled to 0 to 1 over all qualities. Farid shows one picture for each
    quality; here they are joined: the mean distance of a tile's ten values from the medians of the
    picture. Clipped and flat tiles have 0, for they tell nothing; a place whose blocks were
    shifted against the file's is not seen by this.
    """
    changes = np.stack(
        [
            tile_means(_squared(brightness, saved_again(brightness, quality)), TILE)
            for quality in QUALITIES
        ]
    )
    low, high = changes.min(axis=0), changes.max(axis=0)
    is_told = (high >= _LEAST) & unclipped(brightness, TILE)
    if not is_told.any():
        return np.zeros(is_told.shape, np.float32)
    scaled = (changes - low) / np.maximum(high - low, np.float32(1e-6))
    usual = np.median(scaled[:, is_told], axis=1)
    distances = np.abs(scaled - usual[:, None, None]).mean(axis=0)
    return np.where(is_told, distances, 0).astype(np.float32)


def _squared(one: Brightness, other: Brightness) -> Floats:
    change = cv2.absdiff(one, other).astype(np.float32)
    return np.asarray(cv2.multiply(change, change), np.float32)
