"""Brightness, saved as a JPEG once more."""

from __future__ import annotations

import cv2
import numpy as np

from unmask.evidence.layers.tiles import Brightness


def saved_again(brightness: Brightness, quality: int) -> Brightness:
    """Brightness (h, w) after it was saved as a JPEG of this quality, 1 to 100, and opened."""
    _, data = cv2.imencode(".jpg", brightness, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
