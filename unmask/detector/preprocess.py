"""Pixels to network input, the one implementation that training and serving share.

The paper's steps: resize to 224x224 (done by :func:`unmask.detector.align.align_face`), noise
removal (optional), pixel normalisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import cv2
import numpy as np

from unmask.detector.align import Floats, Pixels


class Denoise(StrEnum):
    """The noise removal before normalisation."""

    NONE = "none"
    MEDIAN = "median"
    NON_LOCAL_MEANS = "non-local-means"


def remove_noise(crop: Pixels, method: Denoise) -> Pixels:
    """Remove noise from an RGB crop (h, w, 3), uint8.

    Non-local means: Buades et al., "A non-local algorithm for image denoising" (2005).
    """
    if method is Denoise.MEDIAN:
        return cv2.medianBlur(crop, 3)  # type: ignore[return-value]
    if method is Denoise.NON_LOCAL_MEANS:
        return cv2.fastNlMeansDenoisingColored(crop, None, 3, 3, 5, 15)  # type: ignore[return-value]
    return crop


def normalise(crops: Sequence[Pixels] | Pixels) -> Floats:
    """RGB crops (n, h, w, 3) of uint8 to float32 in [-1, 1]: x / 127.5 - 1."""
    batch = np.asarray(crops, np.float32)
    batch /= 127.5
    batch -= 1.0
    return batch


def prepare(crops: Sequence[Pixels], denoise: Denoise = Denoise.NONE) -> Floats:
    """Aligned RGB crops, each (224, 224, 3) of uint8, to the network's input (n, 224, 224, 3)."""
    return normalise([remove_noise(crop, denoise) for crop in crops])
