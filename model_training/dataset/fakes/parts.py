"""Parts of a face changed by hand: replaced, moved, painted over, pulled out of shape."""

from __future__ import annotations

import cv2
import numpy as np

from model_training.dataset.fakes.blends import blend, match_colour, warp_donor
from model_training.dataset.fakes.regions import (
    CANONICAL,
    HULL,
    PARTS,
    Rng,
    part_mask,
    place,
    pose,
    scale_of,
    soften,
)
from unmask.detector.align import Floats, Pixels


def replace_parts(
    rng: Rng, base: Pixels, landmarks: Floats, donor: Pixels, donor_landmarks: Floats
) -> tuple[Pixels, Floats]:
    """Replace eyes, nose or mouth by those of the donor, as somebody with an image editor would.

    Returns the fake (h, w, 3) and its mask (h, w) in [0, 1].
    """
    count = int(rng.integers(1, 4))
    parts = tuple(int(part) for part in rng.choice(len(PARTS), count, replace=False))
    inner = warp_donor(base, landmarks, donor, donor_landmarks)
    mask = part_mask(landmarks, base.shape[:2], parts, grow=float(rng.uniform(0.85, 1.35)))
    mask = soften(rng, mask, scale_of(pose(landmarks)))
    if rng.random() < 0.8:
        inner = match_colour(inner, base, mask)
    return blend(inner, base, mask)


def move_patch(rng: Rng, base: Pixels, landmarks: Floats) -> tuple[Pixels, Floats]:
    """Copy a patch of the face to another place in it (a clone stamp)."""
    matrix, scale = pose(landmarks), scale_of(pose(landmarks))
    target = place(_somewhere(rng), matrix)[0]
    source = place(_somewhere(rng), matrix)[0]
    mask = _blob(rng, base.shape[:2], target, scale)
    shift = np.array([[1, 0, target[0] - source[0]], [0, 1, target[1] - source[1]]], np.float32)
    size = base.shape[1], base.shape[0]
    inner = cv2.warpAffine(base, shift, size, borderMode=cv2.BORDER_REFLECT_101)
    return blend(np.asarray(inner, np.uint8), base, mask)


def inpaint(rng: Rng, base: Pixels, landmarks: Floats) -> tuple[Pixels, Floats]:
    """Paint over a spot from what lies around it.

    Telea, "An Image Inpainting Technique Based on the Fast Marching Method" (2004).
    """
    matrix, scale = pose(landmarks), scale_of(pose(landmarks))
    centre = place(_somewhere(rng), matrix)[0]
    mask = _blob(rng, base.shape[:2], centre, scale)
    hole = (mask > 0.3).astype(np.uint8) * np.uint8(255)
    painted = cv2.inpaint(base, hole, 3, cv2.INPAINT_TELEA)
    return blend(np.asarray(painted, np.uint8), base, mask)


def pull(rng: Rng, base: Pixels, landmarks: Floats) -> tuple[Pixels, Floats]:
    """Pull a part out of shape (liquify): a smooth local warp, its mask where it moves most."""
    matrix, scale = pose(landmarks), scale_of(pose(landmarks))
    height, width = base.shape[:2]
    centre = place(CANONICAL[int(rng.integers(5))][None], matrix)[0]
    radius = scale * float(rng.uniform(0.10, 0.20))
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    offset_x, offset_y = columns - centre[0], rows - centre[1]
    weight = np.exp(-(offset_x**2 + offset_y**2) / (2 * (radius / 1.8) ** 2))
    if rng.random() < 0.5:  # swell or shrink
        amount = float(rng.choice([-1, 1]) * rng.uniform(0.2, 0.45))
        move_x, move_y = offset_x * amount * weight, offset_y * amount * weight
    else:
        angle, reach = rng.uniform(0, 2 * np.pi), radius * rng.uniform(0.2, 0.4)
        move_x, move_y = np.cos(angle) * reach * weight, np.sin(angle) * reach * weight
    warped = cv2.remap(
        base,
        (columns - move_x).astype(np.float32),
        (rows - move_y).astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(warped, np.uint8), np.clip(weight * 1.6, 0, 1).astype(np.float32)


def _somewhere(rng: Rng) -> Floats:
    """A place (1, 2) in the unit frame, inside the face."""
    middle = HULL.mean(axis=0)
    return np.asarray(middle + (rng.uniform(-1, 1, (1, 2)) * [0.2, 0.24]), np.float32)


def _blob(rng: Rng, shape: tuple[int, int], centre: Floats, scale: float) -> Floats:
    """A soft ellipse of 5 to 13 % of the frame, turned at random."""
    axes = scale * rng.uniform(0.05, 0.13, 2)
    mask = np.zeros(shape, np.float32)
    middle = (float(centre[0]), float(centre[1]))
    size = (float(2 * axes[0]), float(2 * axes[1]))
    cv2.ellipse(mask, (middle, size, float(rng.uniform(0, 180))), 1.0, -1)
    return soften(rng, mask, scale)
