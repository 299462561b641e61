"""Pictures that the stand-in model calls fake, unsure or real by their colours."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from tests.pictures import encoded, photo
from unmask.detector.align import Pixels
from unmask.detector.detector import Detector
from unmask.detector.examination import Examination
from unmask.images import Picture, open_picture
from unmask.report import Verdict
from unmask.settings import Settings

FAKE, UNSURE, REAL = Verdict.FAKE, Verdict.UNSURE, Verdict.REAL


def picture(pixels: Pixels, kind: str = "PNG") -> Picture:
    options = {"quality": 95} if kind == "JPEG" else {}
    return open_picture(encoded(Image.fromarray(pixels), kind, **options), Settings())


def examined(detector: Detector, *pictures: Picture) -> list[Examination]:
    found = detector.examine(pictures)
    assert all(isinstance(item, Examination) for item in found)
    return found  # type: ignore[return-value]


def swapped(pixels: Pixels) -> Pixels:
    """Red and blue exchanged: a face that the stand-in calls real."""
    return np.ascontiguousarray(pixels[..., ::-1])


def grey(pixels: Pixels) -> Pixels:
    return np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def enlarged(pixels: Pixels, factor: int) -> Pixels:
    size = pixels.shape[1] * factor, pixels.shape[0] * factor
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def scenery(width: int = 640, height: int = 400) -> Pixels:
    return np.array(photo(width, height))
