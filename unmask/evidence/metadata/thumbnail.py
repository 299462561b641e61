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
#: Side at which the two are compared, and of the middle of one that is looked for in the other, in
#: pixels: cameras cut and shift their thumbnails a little.
_SIDE, _MIDDLE = 32, 28
#: Longest side of a thumbnail, in pixels.
_MAX_SIDE = 1_024
#: Long side of which every pixel is read.
_MAX_READ = 512
#: Correlation below which the two show another thing.
_MIN_LIKENESS = 0.75
#: Levels of grey by which both have to vary to be compared, and below which an edge is a bar.
_DETAIL, _BLACK = 12.0, 16


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
    candidates = (
        _grey(cut)
        for each in turned
        for cut in (each, _cut_to(each, ratio), _without_bars(each))
        if min(cut.shape[:2]) > 1
    )
    if max(_likeness(candidate, picture) for candidate in candidates) > _MIN_LIKENESS:
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


def _cut_to(small: npt.NDArray[np.uint8], ratio: float) -> npt.NDArray[np.uint8]:
    """The middle of the thumbnail with the picture's ratio of width to height, where that takes
    less than a third of each side: some cameras fill it up to 4:3."""
    height, width = small.shape[:2]
    beside, above = round((width - height * ratio) / 2), round((height - width / ratio) / 2)
    if 0 < beside < width // 3:
        return small[:, beside : width - beside]
    return small[above : height - above] if 0 < above < height // 3 else small


def _without_bars(small: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The thumbnail without the black bars at its edges."""
    grey = small.max(axis=2)
    rows, columns = (np.flatnonzero(grey.mean(axis=axis) > _BLACK) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return small
    return small[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _grey(pixels: npt.NDArray[np.uint8]) -> _Grey:
    # Averaging every pixel of a large picture would take longer than all other evidence together.
    step = max(1, max(pixels.shape[:2]) // _MAX_READ)
    whole = np.ascontiguousarray(pixels[::step, ::step])
    reduced = cv2.resize(whole, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(reduced, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _likeness(one: _Grey, other: _Grey) -> float:
    """How well the middle of one is found in the other, -1 to 1; 1 where there is nothing to
    compare."""
    if min(float(one.std()), float(other.std())) < _DETAIL:
        return 1.0
    edge = (_SIDE - _MIDDLE) // 2
    middle = np.s_[edge : edge + _MIDDLE, edge : edge + _MIDDLE]
    matches = (
        cv2.matchTemplate(whole, part[middle], cv2.TM_CCOEFF_NORMED).max()
        for whole, part in ((one, other), (other, one))
    )
    return float(max(matches))
