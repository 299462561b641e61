"""What happens to a picture on its way to somebody who checks it, as named, repeatable steps.

Training draws its degradations at random (:mod:`model_training.dataset.degrade`); these are fixed,
so that two models can be compared on the very same pixels.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import cv2
import numpy as np

from model_training.evaluation.predict import Degradation
from unmask.detector.align import Pixels

Step = Callable[[Pixels], Pixels]

#: The copy by which verdict flips are counted: a picture as a messenger passes it on.
HALF_JPEG_60 = "half size, JPEG 60"
#: Long side of the copies that collections are re-compressed to, in pixels.
LONG_SIDE = 512


def conditions() -> list[Degradation]:
    """Every condition that robustness is measured under, by its name as people read it."""
    steps: dict[str, tuple[Step, ...]] = {
        **{f"JPEG {quality}": (jpeg(quality),) for quality in (95, 75, 60, 50, 30)},
        **{f"WebP {quality}": (webp(quality),) for quality in (80, 50)},
        "half size": (scaled(0.5),),
        "quarter size": (scaled(0.25),),
        HALF_JPEG_60: (scaled(0.5), jpeg(60)),
        f"long side {LONG_SIDE}, JPEG 60": (long_side(LONG_SIDE), jpeg(60)),
        "blur, sigma 1": (blurred(1.0),),
        "blur, sigma 2": (blurred(2.0),),
        "noise, sigma 5": (noisy(5.0),),
        "noise, sigma 10": (noisy(10.0),),
        "screenshot, PNG": (scaled(1.27),),
        "screenshot, JPEG 85": (scaled(0.83), jpeg(85)),
        "JPEG 85, shifted, JPEG 60": (jpeg(85), shifted(3, 5), jpeg(60)),
        "crop to 0.9": (cropped(0.9),),
    }
    return [Degradation(name, _chain(parts)) for name, parts in steps.items()]


def turns() -> list[Degradation]:
    """A picture that lies on its side or stands on its head, by the names that people read."""
    return [Degradation(f"turned by {90 * quarters}°", turned(quarters)) for quarters in (1, 2, 3)]


def turned(quarters: int) -> Step:
    """Turned by so many quarters, clockwise."""
    return lambda pixels: np.ascontiguousarray(np.rot90(pixels, -quarters))


def jpeg(quality: int) -> Step:
    """JPEG with halved colour, as most programs write it."""
    return lambda pixels: _coded(pixels, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def webp(quality: int) -> Step:
    """Lossy WebP."""
    return lambda pixels: _coded(pixels, ".webp", [cv2.IMWRITE_WEBP_QUALITY, quality])


def scaled(factor: float) -> Step:
    """Both sides times ``factor``: averaged over areas when reduced by half or more, else linear,
    as screens do it."""

    def step(pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        size = max(round(width * factor), 1), max(round(height * factor), 1)
        method = cv2.INTER_AREA if factor <= 0.5 else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8)

    return step


def long_side(length: int) -> Step:
    """Reduced or enlarged so that the longer side has ``length`` pixels."""
    return lambda pixels: scaled(length / max(pixels.shape[:2]))(pixels)


def blurred(sigma: float) -> Step:
    """Gaussian blur, ``sigma`` in pixels."""
    return lambda pixels: np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def noisy(sigma: float) -> Step:
    """Gaussian noise of ``sigma`` grey levels, apart in the three channels; a picture's noise
    depends on its pixels alone."""

    def step(pixels: Pixels) -> Pixels:
        rng = np.random.default_rng(zlib.crc32(pixels.tobytes()))
        noise = rng.normal(0, sigma, pixels.shape)
        return np.clip(np.round(pixels + noise), 0, 255).astype(np.uint8)

    return step


def shifted(right: int, down: int) -> Step:
    """Some columns and rows cut off at the left and top: the JPEG blocks of a second compression
    then lie across those of the first."""
    return lambda pixels: np.ascontiguousarray(pixels[down:, right:])


def cropped(share: float) -> Step:
    """The middle ``share`` of both sides."""

    def step(pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        top, left = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
        return np.ascontiguousarray(pixels[top : height - top, left : width - left])

    return step


def _chain(steps: tuple[Step, ...]) -> Step:
    def apply(pixels: Pixels) -> Pixels:
        for step in steps:
            pixels = step(pixels)
        return pixels

    return apply


def _coded(pixels: Pixels, suffix: str, options: list[int]) -> Pixels:
    done, data = cv2.imencode(suffix, pixels[:, :, ::-1], options)
    if not done:
        raise ValueError(
            f"a picture of {pixels.shape[1]} x {pixels.shape[0]} pixels became no file"
        )
    shown = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(shown[:, :, ::-1])
