"""Things in front of a face, as people and captions put them: none of them fakes it.

Drawn over real and fake pictures with the same chances. What they cover can no longer show a
trace, so it leaves the mask of what was tampered with.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from model_training.dataset.degrade import blur, noise
from model_training.dataset.fakes.regions import HULL, Rng, place, pose, scale_of
from unmask.detector.align import Floats, Pixels

#: Skin in RGB, from light to dark.
SKINS = ((244, 208, 177), (224, 172, 139), (186, 130, 98), (133, 84, 57), (84, 52, 36))
#: Cloth and paper masks: white, light blue, black, a colour.
CLOTHS = ((240, 242, 245), (150, 190, 220), (28, 28, 30), (150, 60, 70))

#: What is drawn: the picture (h, w, 3) with it, and where it is, (h, w) in [0, 1].
Drawn = tuple[Pixels, Floats]


def occlude(rng: Rng, pixels: Pixels, landmarks: Floats) -> Drawn:
    """Draw one thing over the face: a text bar, a sticker, a face mask, glasses or a hand."""
    draw: tuple[Callable[[Rng, Pixels, Floats], Drawn], ...]
    draw = (text_bar, sticker, face_cover, glasses, hand)
    return draw[int(rng.choice(len(draw), p=(0.3, 0.2, 0.2, 0.15, 0.15)))](rng, pixels, landmarks)


def text_bar(rng: Rng, pixels: Pixels, landmarks: Floats) -> Drawn:
    """A bar with words across the face, plain or see-through, or words alone."""
    matrix, scale = pose(landmarks), scale_of(pose(landmarks))
    height, width = pixels.shape[:2]
    middle = place([[0.5, float(rng.uniform(0.25, 0.95))]], matrix)[0]
    half = scale * float(rng.uniform(0.04, 0.11))
    top, bottom = int(middle[1] - half), int(middle[1] + half)
    left, right = (0, width) if rng.random() < 0.6 else _span(rng, middle[0], scale)
    shown, cover = pixels.copy(), np.zeros((height, width), np.float32)
    tint = tuple(int(value) for value in rng.integers(0, 256, 3))
    if rng.random() < 0.75:
        cv2.rectangle(cover, (left, top), (right, bottom), 1.0, -1)
        opacity = 1.0 if rng.random() < 0.6 else float(rng.uniform(0.5, 0.9))
        shown = _laid(shown, np.full_like(pixels, tint), cover * opacity)
    words = "".join(chr(int(code)) for code in rng.integers(65, 91, int(rng.integers(6, 26))))
    ink = (255, 255, 255) if sum(tint) < 380 else (0, 0, 0)
    font, size = int(rng.integers(0, 8)), half / 13
    place_of, thick = (left + 2, int(middle[1] + half * 0.5)), max(int(half / 6), 1)
    cv2.putText(shown, words, place_of, font, size, ink, thick, cv2.LINE_AA)
    written = np.zeros((height, width), np.uint8)
    cv2.putText(written, words, place_of, font, size, 255, thick, cv2.LINE_AA)
    return shown, np.maximum(cover, written / np.float32(255))


def sticker(rng: Rng, pixels: Pixels, landmarks: Floats) -> Drawn:
    """A round sticker with a simple face on it, as chats offer them."""
    matrix, scale = pose(landmarks), scale_of(pose(landmarks))
    spot = [[float(rng.uniform(0.25, 0.75)), float(rng.uniform(0.35, 0.95))]]
    x, y = (int(value) for value in place(spot, matrix)[0])
    radius = max(int(scale * rng.uniform(0.07, 0.2)), 3)
    cover = np.zeros(pixels.shape[:2], np.float32)
    cv2.circle(cover, (x, y), radius, 1.0, -1, cv2.LINE_AA)
    disc = pixels.copy()
    tint = (255, 204, 77) if rng.random() < 0.6 else tuple(map(int, rng.integers(60, 256, 3)))
    cv2.circle(disc, (x, y), radius + 1, tint, -1)
    for side in (-1, 1):
        eye = (x + side * radius * 2 // 5, y - radius // 4)
        cv2.circle(disc, eye, max(radius // 7, 1), (90, 60, 10), -1, cv2.LINE_AA)
    smile = (radius * 3 // 5, radius // 2)
    cv2.ellipse(disc, (x, y), smile, 0, 20, 160, (90, 60, 10), max(radius // 9, 1), cv2.LINE_AA)
    return _laid(pixels, disc, cover), cover


def face_cover(rng: Rng, pixels: Pixels, landmarks: Floats) -> Drawn:
    """A cloth or paper mask from the nose to the chin, with folds and soft light."""
    matrix = pose(landmarks)
    low = HULL[HULL[:, 1] > 0.55]
    bridge = np.array([[0.26, 0.56], [0.5, float(rng.uniform(0.52, 0.6))], [0.74, 0.56]])
    outline = np.concatenate([bridge, low])
    points = place(outline, matrix) + rng.normal(0, 0.01 * scale_of(matrix), (len(outline), 2))
    cover = np.zeros(pixels.shape[:2], np.float32)
    hull = cv2.convexHull(np.round(points).astype(np.int32))
    cv2.fillConvexPoly(cover, hull, 1.0, cv2.LINE_AA)
    tint = np.asarray(CLOTHS[int(rng.integers(len(CLOTHS)))], np.float32)
    light = cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (0, 0), 9)
    shade = 0.75 + 0.35 * (light.astype(np.float32) / 255)
    cloth = tint * shade[:, :, None] + rng.normal(0, 3, (*light.shape, 1))
    shaded = np.clip(cloth, 0, 255).astype(np.uint8)
    for height in (0.66, 0.73, 0.8):
        a, b = place([[0.3, height], [0.7, height]], matrix).astype(int).tolist()
        fold = tuple(float(value) for value in tint * 0.8)
        cv2.line(shaded, a, b, fold, 1, cv2.LINE_AA)
    return _laid(pixels, shaded, cover), cover


def glasses(rng: Rng, pixels: Pixels, landmarks: Floats) -> Drawn:
    """Dark or tinted glasses over both eyes."""
    matrix, scale = pose(landmarks), scale_of(pose(landmarks))
    cover = np.zeros(pixels.shape[:2], np.float32)
    wide = scale * float(rng.uniform(0.1, 0.13))
    high = wide * float(rng.uniform(0.6, 1.0))
    turn = float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
    eyes = [(float(x), float(y)) for x, y in landmarks[:2]]
    for eye in eyes:
        cv2.ellipse(cover, (eye, (2 * wide, 2 * high), turn), 1.0, -1, cv2.LINE_AA)
    ends = [tuple(int(value) for value in eye) for eye in eyes]
    cv2.line(cover, ends[0], ends[1], 1.0, max(int(scale * 0.015), 1), cv2.LINE_AA)
    tint = np.asarray(rng.integers(5, 70, 3), np.uint8)
    opacity = 1.0 if rng.random() < 0.5 else float(rng.uniform(0.6, 0.95))
    return _laid(pixels, np.full_like(pixels, tint), cover * opacity), cover


def hand(rng: Rng, pixels: Pixels, landmarks: Floats) -> Drawn:
    """Fingers and a palm from one side over cheek, mouth or eye."""
    matrix, scale = pose(landmarks), scale_of(pose(landmarks))
    side = -1 if rng.random() < 0.5 else 1
    cover = np.zeros(pixels.shape[:2], np.float32)
    tip_row = float(rng.uniform(0.5, 0.85))
    for finger in range(4):
        tip = [0.5 + side * float(rng.uniform(0.02, 0.14)), tip_row + 0.075 * finger]
        root = [0.5 + side * 0.42, tip_row + 0.085 * finger + float(rng.uniform(0.05, 0.12))]
        a, b = place([tip, root], matrix).astype(int).tolist()
        cv2.line(cover, a, b, 1.0, max(int(scale * 0.068), 2), cv2.LINE_AA)
    palm = place([[0.5 + side * 0.47, tip_row + 0.25]], matrix)[0]
    spot = (float(palm[0]), float(palm[1]))
    cv2.ellipse(cover, (spot, (scale * 0.3, scale * 0.42), 0.0), 1.0, -1, cv2.LINE_AA)
    # its own shading, from how deep a place lies within the hand
    depth = cv2.distanceTransform((cover > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    shade = 0.72 + 0.28 * np.clip(depth / max(scale * 0.03, 1), 0, 1)
    skin = np.asarray(SKINS[int(rng.integers(len(SKINS)))], np.float32) * rng.uniform(0.8, 1.05)
    drawn = np.clip(skin * shade[:, :, None], 0, 255).astype(np.uint8)
    drawn = blur(rng, noise(rng, drawn))
    soft = np.asarray(cv2.GaussianBlur(cover, (0, 0), 0.8), np.float32)
    return _laid(pixels, drawn, soft), cover


def _span(rng: Rng, middle: float, scale: float) -> tuple[int, int]:
    half = scale * float(rng.uniform(0.2, 0.5))
    return int(middle - half), int(middle + half)


def _laid(under: Pixels, over: Pixels, cover: Floats) -> Pixels:
    """``over`` laid upon ``under`` by ``cover`` (h, w) in [0, 1]."""
    weight = cover[:, :, None]
    return np.round(under + (over.astype(np.float32) - under) * weight).astype(np.uint8)
