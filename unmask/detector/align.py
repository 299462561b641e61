"""One face, one frame: the alignment of FFHQ, used by training and by serving alike.

The frame is the one of Karras et al., "A Style-Based Generator Architecture for Generative
Adversarial Networks" (2019), which also made the pictures of '140k Real and Fake Faces': a square,
upright in the face's own tilt, sized by the distances between eyes and mouth.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

#: Side of the classifier's input, in pixels.
FRAME_SIZE = 224
#: CenterFace sets eyes and mouth wider apart than the landmarks FFHQ was cut with: over 385 FFHQ
#: and StyleGAN pictures its frames had a median side of 1.09 times the picture's.
FRAME_SCALE = 0.92
#: What lies outside the photograph: mid-grey, which normalisation turns into zero.
OUTSIDE = (127, 127, 127)

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


def frame_quad(landmarks: npt.ArrayLike) -> Floats:
    """The face's square frame in the picture.

    ``landmarks`` (5, 2): viewer's left eye, right eye, nose, left and right mouth corner, in
    pixels. Returns the corners (4, 2) from top left clockwise.
    """
    points = np.asarray(landmarks, np.float64)
    eyes = (points[0] + points[1]) / 2
    mouth = (points[3] + points[4]) / 2
    eye_to_eye = points[1] - points[0]
    eye_to_mouth = mouth - eyes
    right = eye_to_eye - np.array([-eye_to_mouth[1], eye_to_mouth[0]])
    length = float(np.hypot(*right))
    if length < 1e-6:  # landmarks in one spot: fall back on an upright frame
        right, length = np.array([1.0, 0.0]), 1.0
    half = max(2.0 * float(np.hypot(*eye_to_eye)), 1.8 * float(np.hypot(*eye_to_mouth)), 1.0)
    right = right / length * half * FRAME_SCALE
    down = np.array([-right[1], right[0]])
    centre = eyes + 0.1 * eye_to_mouth
    corners = [
        centre - right - down,
        centre + right - down,
        centre + right + down,
        centre - right + down,
    ]
    return np.asarray(corners, np.float32)


def quad_side(quad: Floats) -> float:
    """The side of a frame in pixels of the picture."""
    return float(np.hypot(*(quad[1] - quad[0])))


def eyes_apart(landmarks: npt.ArrayLike) -> float:
    """How far the eyes lie from each other, in distances from eyes to mouth: about 1 in a face seen
    from the front, little in one in profile."""
    points = np.asarray(landmarks, np.float64)
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    down = float(np.hypot(*(mouth - eyes)))
    return float(np.hypot(*(points[1] - points[0]))) / max(down, 1e-6)


def frame_matrix(quad: Floats, size: int = FRAME_SIZE) -> Floats:
    """The affine map (2, 3) from picture pixels to a frame of ``size`` pixels.

    Pixel centres lie at whole numbers, as OpenCV has them, so that a frame which covers a
    picture exactly maps it onto itself.
    """
    target = np.array([[0, 0], [size, 0], [size, size]], np.float32) - 0.5
    return cv2.getAffineTransform(quad[:3].astype(np.float32) - 0.5, target).astype(np.float32)


def align_face(
    pixels: Pixels,
    quad: Floats,
    size: int = FRAME_SIZE,
    outside: tuple[int, int, int] = OUTSIDE,
) -> Pixels:
    """Cut the frame ``quad`` out of an RGB picture (h, w, 3) as (size, size, 3), uint8.

    A frame more than 1.5 times as large as the result is first reduced by area averaging, since
    sampling alone would alias, and aliasing looks like a trace of manipulation.
    """
    side = quad_side(quad)
    if side > 1.5 * size:
        pixels, quad = _reduce(pixels, quad, size / side * 1.25)
    return cv2.warpAffine(  # type: ignore[return-value]
        pixels,
        frame_matrix(quad, size),
        (size, size),
        flags=cv2.INTER_LINEAR if quad_side(quad) >= size else cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=outside,
    )


def _reduce(pixels: Pixels, quad: Floats, scale: float) -> tuple[Pixels, Floats]:
    """Area-average the part of the picture around ``quad``; returns it with the moved quad."""
    height, width = pixels.shape[:2]
    low = np.floor(quad.min(axis=0) - 4).astype(int)
    high = np.ceil(quad.max(axis=0) + 4).astype(int)
    x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
    x1, y1 = min(int(high[0]), width), min(int(high[1]), height)
    if x1 <= x0 or y1 <= y0:
        return pixels, quad
    part = pixels[y0:y1, x0:x1]
    new = (max(round(part.shape[1] * scale), 1), max(round(part.shape[0] * scale), 1))
    small = cv2.resize(part, new, interpolation=cv2.INTER_AREA)
    factors = np.array([new[0] / part.shape[1], new[1] / part.shape[0]], np.float32)
    return small, (quad - np.array([x0, y0], np.float32)) * factors  # type: ignore[return-value]
