"""A JPEG -> notes on how it was saved; none speaks of a fake, for every platform saves again."""

from __future__ import annotations

import cv2
import numpy as np

from unmask.evidence.blocks import Blocks
from unmask.evidence.jpeg.periods import roughness
from unmask.evidence.jpeg.tables import quality_of
from unmask.findings import Evidence, Kind, Weight
from unmask.images import Picture

#: Pixels up to which a picture is decoded for it (2,048 x 1,536, as large as platforms show
#: them): more would take too large a part of a check.
_MAX_PIXELS = 3_200_000
#: The roughness above which a picture was saved before, set on half of the photographs of
#: benchmarks/saved_again.py and measured on the other.
_ROUGH = 2.5


def tell_saving(picture: Picture, blocks: Blocks) -> list[Evidence]:
    """Notes on a JPEG: that it was saved as one before, and that its tables are no library's.

    ``parameters`` has the ``quality`` that it was saved with last, 1 to 100. None for others.
    """
    tables = [blocks.tables[number] for number in sorted(blocks.tables)]
    quality = quality_of(tables)
    if quality is None:
        return []
    codes = [] if quality.encoder else ["jpeg_own_tables"]
    if was_saved_before(picture, blocks):
        codes.append("jpeg_saved_again")
    return [
        Evidence(
            kind=Kind.JPEG, code=code, weight=Weight.NOTE, parameters={"quality": quality.quality}
        )
        for code in codes
    ]


def was_saved_before(picture: Picture, blocks: Blocks) -> bool:
    """Whether a JPEG was one before it was saved last, with other steps and the same blocks."""
    if picture.width * picture.height > _MAX_PIXELS or not blocks.tables:
        return False
    # As it lies in the file: unturned, and in its own colours.
    flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
    brightness = cv2.imdecode(np.frombuffer(picture.data, np.uint8), flags)
    if brightness is None:
        return False
    rough = roughness(brightness.astype(np.uint8), blocks.tables[min(blocks.tables)])
    return rough is not None and rough > _ROUGH
