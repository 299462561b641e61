"""What a picture goes through before somebody checks it: scaling, blur, noise, compression, colour.

Real and fake pictures go through the same steps with the same chances, so that none of them tells
one from the other.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from unmask.detector.align import Floats, Pixels

Rng = np.random.Generator

RESAMPLING = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)


def degrade(rng: Rng, pixels: Pixels, strength: float = 1.0) -> Pixels:
    """A random chain of degradations of an RGB picture (h, w, 3), uint8; the size may change.

    ``strength`` in [0, 1] scales the chance of each step. The caller scales what it knows of the
    picture (landmarks, masks) by the change of size.
    """
    steps: list[tuple[float, Callable[[Rng, Pixels], Pixels]]] = [
        (0.35, colour),
        (0.10, grey),
        (0.18, blur),
        (0.12, sharpen),
        (0.20, noise),
        (0.05, caption),
    ]
    for index in rng.permutation(len(steps)):
        chance, step = steps[index]
        if rng.random() < chance * strength:
            pixels = step(rng, pixels)
    if rng.random() < 0.30 * strength:
        pixels = compress(rng, pixels)
    if rng.random() < 0.45 * strength:
        pixels = resize(rng, pixels)
    if rng.random() < 0.60 * strength:
        pixels = compress(rng, pixels)
    return pixels


def resize(rng: Rng, pixels: Pixels) -> Pixels:
    """Scale by a factor from a quarter to one and a half, small ones rarely."""
    factor = float(rng.uniform(0.55, 1.5) if rng.random() < 0.75 else rng.uniform(0.22, 0.6))
    height, width = pixels.shape[:2]
    size = max(round(width * factor), 32), max(round(height * factor), 32)
    method = int(rng.choice(RESAMPLING))
    return np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8)


def compress(rng: Rng, pixels: Pixels) -> Pixels:
    """JPEG at quality 30 to 95, one in five WebP."""
    quality = int(rng.uniform(30, 96)) if rng.random() < 0.6 else int(rng.uniform(60, 96))
    if rng.random() < 0.2:
        suffix, options = ".webp", [cv2.IMWRITE_WEBP_QUALITY, quality]
    else:
        options = [cv2.IMWRITE_JPEG_QUALITY, quality]
        if rng.random() < 0.3:  # some encoders keep colour at full resolution
            factor = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
            options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
        suffix = ".jpg"
    _, data = cv2.imencode(suffix, pixels[:, :, ::-1], options)
    shown = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(shown[:, :, ::-1])


def blur(rng: Rng, pixels: Pixels) -> Pixels:
    """Gaussian blur, or a short straight motion."""
    if rng.random() < 0.75:
        sigma = float(rng.uniform(0.3, 1.8))
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    middle = (length - 1) / 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    start, end = np.round(middle - reach).astype(int), np.round(middle + reach).astype(int)
    cv2.line(kernel, start.tolist(), end.tolist(), 1.0)
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum()), np.uint8)


def sharpen(rng: Rng, pixels: Pixels) -> Pixels:
    """Unsharp masking."""
    amount = float(rng.uniform(0.3, 1.5))
    soft = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.7, 2.0)))
    return np.asarray(cv2.addWeighted(pixels, 1 + amount, soft, -amount, 0), np.uint8)


def noise(rng: Rng, pixels: Pixels) -> Pixels:
    """Gaussian noise of 1 to 12 grey levels, alike or apart in the three channels."""
    sigma = float(np.exp(rng.uniform(0, np.log(12))))
    height, width = pixels.shape[:2]
    channels = 3 if rng.random() < 0.6 else 1
    cv2.setRNGSeed(int(rng.integers(1 << 31)))
    field = np.empty((height, width, channels), np.int16)
    cv2.randn(field, (0.0,), (sigma,))  # type: ignore[call-overload] # several times numpy's speed
    wide = np.broadcast_to(field, pixels.shape)
    return np.asarray(cv2.add(pixels, wide, dtype=cv2.CV_8U), np.uint8)


def colour(rng: Rng, pixels: Pixels) -> Pixels:
    """Brightness, contrast, gamma and white balance, as a table for each channel; saturation."""
    ramp = np.arange(256, dtype=np.float32) / 255
    gamma = float(np.exp(rng.uniform(-0.35, 0.35)))
    contrast, brightness = rng.uniform(0.75, 1.3), rng.uniform(-0.12, 0.12)
    gains = rng.uniform(0.92, 1.08, 3)
    tables = [(ramp**gamma - 0.5) * contrast * gain + 0.5 + brightness for gain in gains]
    table = np.clip(np.stack(tables, axis=1) * 255, 0, 255).astype(np.uint8)[None]
    shown = np.asarray(cv2.LUT(pixels, table), np.uint8)
    if rng.random() < 0.5:
        plain = cv2.cvtColor(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        keep = float(rng.uniform(0.5, 1.4))
        shown = np.asarray(cv2.addWeighted(shown, keep, plain, 1 - keep, 0), np.uint8)
    return shown


def grey(rng: Rng, pixels: Pixels) -> Pixels:
    """A grey picture, still with three channels."""
    plain = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor(plain, cv2.COLOR_GRAY2RGB), np.uint8)


def caption(rng: Rng, pixels: Pixels) -> Pixels:
    """Words or a bar over the picture, as captions and watermarks are: they fake no face."""
    shown = pixels.copy()
    height, width = shown.shape[:2]
    tint = tuple(int(value) for value in rng.integers(0, 256, 3))
    place = int(rng.uniform(0, 0.6) * width), int(rng.uniform(0.08, 1.0) * height)
    if rng.random() < 0.3:
        far = place[0] + int(rng.uniform(0.2, 1) * width), place[1] + int(0.12 * height)
        cv2.rectangle(shown, place, far, tint, -1)
        return shown
    words = "".join(chr(int(code)) for code in rng.integers(65, 91, int(rng.integers(3, 14))))
    size = float(rng.uniform(0.3, 1.1) * height / 256)
    font = int(rng.integers(0, 8))
    cv2.putText(shown, words, place, font, size, tint, int(rng.integers(1, 3)), cv2.LINE_AA)
    return shown


def crop_window(rng: Rng, shape: tuple[int, int], landmarks: Floats) -> tuple[int, int, int, int]:
    """A random window (x0, y0, x1, y1) of a picture that keeps the inner face, as a tight crop
    by somebody who cares for the face alone would."""
    height, width = shape
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    reach = float((high - low).max())
    x0 = int(rng.uniform(0, max(low[0] - 0.25 * reach, 1)))
    y0 = int(rng.uniform(0, max(low[1] - 0.35 * reach, 1)))
    x1 = int(rng.uniform(min(high[0] + 0.25 * reach, width - 1), width))
    y1 = int(rng.uniform(min(high[1] + 0.35 * reach, height - 1), height))
    return x0, y0, max(x1, x0 + 16), max(y1, y0 + 16)
