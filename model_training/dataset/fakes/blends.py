"""Faces blended into photographs: of the same person, of another, of a GAN."""

from __future__ import annotations

import cv2
import numpy as np

from model_training.dataset.degrade import compress, noise, sharpen
from model_training.dataset.fakes.regions import Rng, pose, random_hull, scale_of
from unmask.detector.align import Floats, Pixels


def self_blend(rng: Rng, base: Pixels, landmarks: Floats) -> tuple[Pixels, Floats]:
    """Blend two versions of one photograph within a deformed hull of its face.

    After Shiohara and Yamasaki, "Detecting Deepfakes with Self-Blended Images" (2022): one
    version changes in colour, frequency or place, so that what gives a swap away is left without
    any generator's own trace. Returns the fake (h, w, 3) and its mask (h, w) in [0, 1].
    """
    mask = random_hull(rng, landmarks, base.shape[:2])
    scale = scale_of(pose(landmarks))
    if rng.random() < 0.5:
        inner, outer = _moved(rng, _altered(rng, base), scale), base
    else:
        inner, outer = _moved(rng, base, scale), _altered(rng, base)
    return blend(inner, outer, mask, _opacity(rng))


def swap(
    rng: Rng, base: Pixels, landmarks: Floats, donor: Pixels, donor_landmarks: Floats
) -> tuple[Pixels, Floats]:
    """Put the donor's face onto the base's, its colours fitted, with a deformed hull's soft edge.

    Returns the fake (h, w, 3) and its mask (h, w) in [0, 1].
    """
    inner = warp_donor(base, landmarks, donor, donor_landmarks)
    mask = random_hull(rng, landmarks, base.shape[:2])
    mask *= warp_donor(base, landmarks, np.full(donor.shape, 255, np.uint8), donor_landmarks)[
        :, :, 0
    ] / np.float32(255)
    style = rng.random()
    if style < 0.75:
        inner = match_colour(inner, base, mask)
    if rng.random() < 0.5:  # face-swapping networks give small, smooth faces
        inner = _coarse(rng, inner, scale_of(pose(landmarks)))
    if style > 0.9:
        return _poisson(inner, base, mask)
    return blend(inner, base, mask, float(rng.uniform(0.85, 1.0)))


def warp_donor(base: Pixels, landmarks: Floats, donor: Pixels, donor_landmarks: Floats) -> Pixels:
    """The donor picture moved so that its face lies on the base's; size of the base."""
    to_base = np.vstack([pose(landmarks), [0, 0, 1]])
    to_donor = np.vstack([pose(donor_landmarks), [0, 0, 1]])
    matrix = (to_base @ np.linalg.inv(to_donor))[:2].astype(np.float32)
    height, width = base.shape[:2]
    moved = cv2.warpAffine(donor, matrix, (width, height), flags=cv2.INTER_CUBIC)
    return np.asarray(moved, np.uint8)


def match_colour(inner: Pixels, outer: Pixels, mask: Floats) -> Pixels:
    """Give ``inner`` the mean and spread of ``outer`` in Lab under the mask.

    Reinhard et al., "Color Transfer between Images" (2001).
    """
    weights = (mask > 0.5).astype(np.uint8)
    if not weights.any():
        return inner
    a, b = (cv2.cvtColor(picture, cv2.COLOR_RGB2LAB) for picture in (inner, outer))
    mean_a, spread_a = cv2.meanStdDev(a, mask=weights)
    mean_b, spread_b = cv2.meanStdDev(b, mask=weights)
    gain = np.clip(spread_b / np.maximum(spread_a, 1), 0.5, 2).ravel()
    ramp = np.arange(256, dtype=np.float32)[:, None]
    table = np.clip((ramp - mean_a.ravel()) * gain + mean_b.ravel(), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(cv2.LUT(a, table[None]), cv2.COLOR_LAB2RGB), np.uint8)


def blend(
    inner: Pixels, outer: Pixels, mask: Floats, opacity: float = 1.0
) -> tuple[Pixels, Floats]:
    """Mix two pictures of one size by a soft mask; returns the mix and the mask of the change."""
    weight = (mask * opacity)[:, :, None]
    mixed = outer + (inner.astype(np.float32) - outer) * weight
    return np.clip(np.round(mixed), 0, 255).astype(np.uint8), mask


def _poisson(inner: Pixels, outer: Pixels, mask: Floats) -> tuple[Pixels, Floats]:
    """Blend gradients: Pérez et al., "Poisson Image Editing" (2003)."""
    inside = np.zeros(mask.shape, np.uint8)
    inside[2:-2, 2:-2] = (mask[2:-2, 2:-2] > 0.5) * np.uint8(255)
    x, y, width, height = cv2.boundingRect(inside)
    if min(width, height) < 8:
        return blend(inner, outer, mask)
    centre = (x + width // 2, y + height // 2)
    mixed = cv2.seamlessClone(inner, outer, inside.copy(), centre, cv2.NORMAL_CLONE)  # spoils it
    return np.asarray(mixed, np.uint8), (inside / np.float32(255)).astype(np.float32)


def _opacity(rng: Rng) -> float:
    return float(rng.choice([0.4, 0.6, 0.8, 1.0, 1.0, 1.0]))


def _altered(rng: Rng, pixels: Pixels) -> Pixels:
    """Another version of a photograph: other colours, other frequencies, or both."""
    if rng.random() < 0.75:
        pixels = _tinted(rng, pixels)
    choice = rng.random()
    if choice < 0.3:
        pixels = sharpen(rng, pixels)
    elif choice < 0.65:
        pixels = _resampled(rng, pixels, float(rng.uniform(0.3, 0.8)))
    elif choice < 0.75:
        pixels = noise(rng, pixels)
    elif choice < 0.85:
        pixels = compress(rng, pixels)
    return pixels


def _tinted(rng: Rng, pixels: Pixels) -> Pixels:
    """Shift hue and channels a little, as two cameras would see one face."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).astype(np.int16)
    hsv[:, :, 0] = (hsv[:, :, 0] + int(rng.integers(-7, 8))) % 180
    hsv[:, :, 1:] += rng.integers(-24, 25, 2).astype(np.int16)
    back = cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
    contrast = rng.uniform(0.88, 1.12)
    shifts = rng.uniform(-14, 14, 3)
    ramp = np.arange(256, dtype=np.float32)[:, None]
    table = np.clip((ramp - 128) * contrast + 128 + shifts, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(back, table[None]), np.uint8)


def _moved(rng: Rng, pixels: Pixels, scale: float) -> Pixels:
    """Shift, turn and stretch by some per cent of the face."""
    height, width = pixels.shape[:2]
    turn = np.deg2rad(rng.normal(0, 1.5))
    stretch = np.exp(rng.normal(0, 0.02, 2))
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * stretch
    middle = np.array([width / 2, height / 2])
    shift = middle - linear @ middle + rng.normal(0, 0.012 * scale, 2)
    matrix = np.hstack([linear, shift[:, None]]).astype(np.float32)
    flags = cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
    moved = cv2.warpAffine(
        pixels, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(moved, np.uint8)


def _coarse(rng: Rng, pixels: Pixels, scale: float) -> Pixels:
    """Pass the face through 64 to 160 pixels, the output sizes of face-swapping networks."""
    return _resampled(rng, pixels, min(float(rng.uniform(64, 160)) / max(scale * 0.7, 1), 1.0))


def _resampled(rng: Rng, pixels: Pixels, factor: float) -> Pixels:
    height, width = pixels.shape[:2]
    size = max(round(width * factor), 8), max(round(height * factor), 8)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    method = cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(small, (width, height), interpolation=method), np.uint8)
