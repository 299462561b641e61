"""Regions of a face as soft masks, placed by five landmarks and deformed at random."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from unmask.detector.align import Floats

#: Mean landmarks in the unit frame (see unmask.detector.align), over 3,800 upright faces.
CANONICAL = np.array(
    [[0.368, 0.477], [0.636, 0.473], [0.499, 0.627], [0.386, 0.746], [0.610, 0.742]], np.float32
)
#: The face from brow to chin in the same frame, clockwise from the viewer's left temple.
HULL = np.array(
    [
        [0.235, 0.44], [0.28, 0.375], [0.38, 0.35], [0.50, 0.365], [0.62, 0.35], [0.72, 0.375],
        [0.765, 0.44], [0.765, 0.56], [0.745, 0.67], [0.705, 0.77], [0.64, 0.85], [0.57, 0.895],
        [0.50, 0.905], [0.43, 0.895], [0.36, 0.85], [0.295, 0.77], [0.255, 0.67], [0.235, 0.56],
    ],
    np.float32,
)  # fmt: skip
#: Parts as ellipses in the same frame: centre, half axes; in the order of a retouch's digits.
PARTS = (
    ((0.368, 0.465), (0.105, 0.075)),
    ((0.636, 0.462), (0.105, 0.075)),
    ((0.499, 0.585), (0.095, 0.115)),
    ((0.498, 0.755), (0.150, 0.085)),
)

Rng = np.random.Generator
Shape = tuple[int, int]


def pose(landmarks: Floats) -> Floats:
    """The affine map (2, 3) from the unit frame to a picture, fitted to five landmarks."""
    design = np.hstack([CANONICAL, np.ones((5, 1), np.float32)])
    solution, *_ = np.linalg.lstsq(design, landmarks, rcond=None)
    return np.ascontiguousarray(solution.T, np.float32)


def place(points: npt.ArrayLike, matrix: Floats) -> Floats:
    """Points (n, 2) of the unit frame in picture pixels."""
    placed = np.asarray(points, np.float32) @ matrix[:, :2].T + matrix[:, 2]
    return placed.astype(np.float32)


def scale_of(matrix: Floats) -> float:
    """The side of the frame in picture pixels."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def face_mask(landmarks: Floats, shape: Shape) -> Floats:
    """The face from brow to chin as a mask (h, w) of 0 and 1."""
    return _fill(place(HULL, pose(landmarks)), shape)


def random_hull(rng: Rng, landmarks: Floats, shape: Shape) -> Floats:
    """A deformed face hull as a soft mask (h, w) in [0, 1]: some with the forehead, some only
    the inner face, some only the lower half, with a random soft edge."""
    matrix = pose(landmarks)
    hull = HULL.copy()
    style = rng.random()
    if style < 0.15:  # the lower face alone, as a reenactment changes
        hull = hull[hull[:, 1] > 0.5]
    elif style < 0.35:  # up to the hairline
        hull[hull[:, 1] < 0.45] -= [0, rng.uniform(0.03, 0.12)]
    centre = hull.mean(axis=0)
    hull = centre + (hull - centre) * rng.uniform(0.72, 1.12, 2).astype(np.float32)
    hull += rng.normal(0, 0.012, hull.shape).astype(np.float32)
    mask = _fill(place(hull, matrix), shape)
    mask = _elastic(rng, mask, scale_of(matrix))
    return soften(rng, mask, scale_of(matrix))


def part_mask(landmarks: Floats, shape: Shape, parts: tuple[int, ...], grow: float = 1.0) -> Floats:
    """Ellipses over the parts (indices into PARTS) as a mask (h, w) of 0 and 1."""
    matrix = pose(landmarks)
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    mask = np.zeros(shape, np.float32)
    for index in parts:
        centre, axes = PARTS[index]
        ring = np.stack([np.cos(angles) * axes[0], np.sin(angles) * axes[1]], axis=1) * grow
        mask = np.maximum(mask, _fill(place(ring + centre, matrix), shape))
    return mask


def soften(rng: Rng, mask: Floats, scale: float) -> Floats:
    """Blur a mask's edge by a random width: from almost sharp to a tenth of the frame."""
    sigma = scale * float(np.exp(rng.uniform(np.log(0.003), np.log(0.035))))
    if rng.random() < 0.5:  # pull the soft edge inside, as most blending code does
        size = max(int(2 * sigma) | 1, 3)
        mask = np.asarray(cv2.erode(mask, np.ones((size, size), np.uint8)), np.float32)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma), np.float32)


def _fill(points: Floats, shape: Shape) -> Floats:
    mask = np.zeros(shape, np.float32)
    cv2.fillPoly(mask, [np.round(points * 8).astype(np.int32)], 1.0, cv2.LINE_AA, shift=3)
    return mask


def _elastic(rng: Rng, mask: Floats, scale: float) -> Floats:
    """Bend a mask by a smooth random field of some per cent of the frame."""
    height, width = mask.shape
    coarse = rng.normal(0, scale * rng.uniform(0.0, 0.03), (2, 5, 5)).astype(np.float32)
    field = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_CUBIC) for plane in coarse]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    bent = cv2.remap(mask, columns + field[0], rows + field[1], cv2.INTER_LINEAR)
    return np.asarray(bent, np.float32)
