"""Error levels: how much saving once more changes each place."""

from __future__ import annotations

import cv2

from unmask.evidence.layers.saving import saved_again
from unmask.evidence.layers.tiles import Brightness, Floats, tile_means

#: The quality of the saving, and the side of a tile: a block of a JPEG.
QUALITY, TILE = 95, 8


def error_levels(brightness: Brightness) -> Floats:
    """The mean change of each block of (h, w) by one more saving, in levels of 255.

    Krawetz, "A Picture's Worth... Digital Image Analysis and Forensics" (2007). What was saved
    before changes less than what is new to the picture; edges and textures change more anyhow.
    """
    return tile_means(cv2.absdiff(brightness, saved_again(brightness, QUALITY)), TILE)
