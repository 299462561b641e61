"""Pictures to send, and comparisons with what the detector itself finds in them."""

from __future__ import annotations

import os
from io import BytesIO
from itertools import count
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from unmask.detector.detector import Detector
from unmask.detector.examination import Examination
from unmask.errors import UnmaskError
from unmask.images import open_picture
from unmask.settings import Settings

Pixels = npt.NDArray[np.uint8]
#: The face in scikit-image's portrait: left, top, right, bottom.
FACE = (180, 60, 270, 176)
_number = count(os.getpid() * 1_000)


def genuine(portrait: Pixels) -> Pixels:
    """The portrait with a sky that no other picture has."""
    pixels = np.array(portrait)
    dice = np.random.default_rng(next(_number))
    sky = Image.fromarray(dice.integers(0, 255, (2, 12, 3), np.uint8))
    pixels[:48] = np.asarray(sky.resize((512, 48), Image.Resampling.BICUBIC))
    return pixels


def tampered(portrait: Pixels) -> Pixels:
    """A genuine picture with the face smoothed."""
    return smoothed(genuine(portrait))


def smoothed(portrait: Pixels) -> Pixels:
    """The same picture with the face smoothed, as careless retouching leaves it."""
    pixels = np.array(portrait)
    left, top, right, bottom = FACE
    pixels[top:bottom, left:right] = cv2.GaussianBlur(pixels[top:bottom, left:right], (0, 0), 3)
    return pixels


def faceless() -> Pixels:
    """Soft shapes; each call returns a new picture."""
    small = np.random.default_rng(next(_number)).integers(0, 255, (6, 8, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((320, 240), Image.Resampling.BICUBIC))


def as_file(pixels: npt.NDArray[Any], kind: str = "JPEG", **options: Any) -> bytes:
    out = BytesIO()
    Image.fromarray(pixels).save(out, kind, **{"quality": 92} | options)
    return out.getvalue()


def decoded(data: bytes) -> Pixels:
    """RGB, or grey where the file is."""
    with Image.open(BytesIO(data)) as image:
        return np.asarray(image if image.mode == "L" else image.convert("RGB"))


class ReferenceDetector:
    """The detector, called directly."""

    def __init__(self) -> None:
        self._settings = Settings(threads=1)
        self._detector = Detector(self._settings)

    def examine(self, data: bytes) -> Examination:
        (examination,) = self._detector.examine([open_picture(data, self._settings)])
        assert not isinstance(examination, UnmaskError), examination
        return examination

    def check_annotated(self, received: bytes, sent: bytes) -> Examination:
        """Fail unless ``received`` is the annotated picture of ``sent``; returns the detector's own
        examination of it."""
        examination = self.examine(sent)
        ours, theirs = examination.annotated(), decoded(received)
        if theirs.shape != ours.shape:
            height, width = theirs.shape[:2]
            ratio = width / height * ours.shape[0] / ours.shape[1]
            assert abs(ratio - 1) < 0.02, "another shape"
            ours = cv2.resize(ours, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
        assert _apart(ours, theirs) < 2, "not the picture that the detector draws"
        return examination

    def check_mask(self, received: bytes, sent: bytes) -> Examination:
        """Fail unless ``received`` is the mask of ``sent``, pixel by pixel except for rounding."""
        examination = self.examine(sent)
        ours, theirs = examination.mask(), decoded(received)
        assert theirs.ndim == 2 or (theirs[..., :1] == theirs).all(), "a mask has no colours"
        theirs = theirs if theirs.ndim == 2 else theirs[..., 0]
        assert theirs.shape == ours.shape
        assert set(np.unique(theirs)) <= {0, 255}
        assert (ours != theirs).mean() < 0.0005
        return examination

    def check_heatmap(self, received: bytes, sent: bytes) -> Examination:
        examination = self.examine(sent)
        ours, theirs = examination.heatmap(), decoded(received)
        theirs = theirs if theirs.ndim == 2 else theirs[..., 0]
        assert theirs.shape == ours.shape
        assert _apart(ours, theirs) < 1
        return examination


def _apart(ours: Pixels, theirs: Pixels) -> float:
    """The mean difference in levels at a quarter of the size, where JPEG's grain disappears."""
    size = (max(ours.shape[1] // 4, 1), max(ours.shape[0] // 4, 1))
    small = [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (ours, theirs)]
    return float(np.abs(small[0].astype(np.int16) - small[1]).mean())
