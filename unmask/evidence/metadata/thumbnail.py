"""Whether the small picture in the EXIF shows what the picture shows.

Cameras store a thumbnail, and many editors change the picture and leave the thumbnail as it was.
"""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
import numpy.typing as npt
from PIL.JpegImagePlugin import JpegImageFile

from unmask.findings import Evidence, Kind, Says, Weight, Where

_Pixels = npt.NDArray[np.uint8]
_Grey = npt.NDArray[np.float32]
#: Side at which the two are compared, in pixels.
_SIDE = 64
#: Longest side of a thumbnail, in pixels.
_MAX_SIDE = 1_024
#: Correlation below which the two show another thing.
_MIN_LIKENESS = 0.80
#: Levels of grey by which both have to vary to be compared.
_DETAIL = 12.0


def compare_thumbnail(thumbnail: bytes, pixels: _Pixels) -> list[Evidence]:
    """A note where the JPEG ``thumbnail`` differs from ``pixels``, (h, w, 3) and upright.

    A thumbnail that cannot be decoded, or that is nearly flat, tells nothing.
    """
    small = _decoded(thumbnail)
    if small is None:
        return []
    picture = _grey(pixels)
    ratio = pixels.shape[1] / pixels.shape[0]
    turned = (np.rot90(small, turn) for turn in range(4))
    if (
        max(_likeness(_grey(_without_bars(each, ratio)), picture) for each in turned)
        > _MIN_LIKENESS
    ):
        return []
    return [
        Evidence(
            kind=Kind.METADATA,
            code="thumbnail_differs",
            weight=Weight.NOTE,
            says=Says.EDITED,
            where=Where(field="EXIF:ThumbnailImage"),
        )
    ]


def _decoded(thumbnail: bytes) -> _Pixels | None:
    try:
        image = JpegImageFile(BytesIO(thumbnail))
        return np.asarray(image.convert("RGB")) if max(image.size) <= _MAX_SIDE else None
    except Exception:
        return None


def _without_bars(small: npt.NDArray[np.uint8], ratio: float) -> npt.NDArray[np.uint8]:
    """The thumbnail without the black bars that fill it up to 4:3: cut to the picture's ratio of
    width to height, where that takes less than a third of each side."""
    height, width = small.shape[:2]
    beside, above = round((width - height * ratio) / 2), round((height - width / ratio) / 2)
    if 0 < beside < width // 3:
        return small[:, beside : width - beside]
    return small[above : height - above] if 0 < above < height // 3 else small


def _grey(pixels: npt.NDArray[np.uint8]) -> _Grey:
    whole = np.ascontiguousarray(pixels)
    reduced = cv2.resize(whole, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(reduced, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _likeness(one: _Grey, other: _Grey) -> float:
    """The correlation of the two, -1 to 1; 1 where there is nothing to compare."""
    if min(float(one.std()), float(other.std())) < _DETAIL:
        return 1.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
