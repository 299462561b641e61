"""Whether two files show the same picture, one of them re-encoded or resized.

A perceptual hash finds what may be alike: the signs of the lowest frequencies of a DCT (Zauner,
*Implementation and Benchmarking of Perceptual Image Hash Functions*, 2010). It cannot tell a
photograph from the same one with another face in it, which is the question here. So its matches are
compared place by place, the whole picture coarsely and each face finely, and one
small region that differs is enough for no. docs/bot.md says how the bounds were chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unmask.images import open_picture
from unmask.report import Box
from unmask.settings import Settings

#: How many of the 64 bits of the hash may differ.
MAX_BITS = 6
#: The picture is compared at SIDE x SIDE, a face at FACE_SIDE x FACE_SIDE, in cells of CELL x CELL
#: pixels. A cell differs by its mean absolute difference, of 256 levels.
SIDE, FACE_SIDE, CELL, MAX_DIFFERENCE = 128, 32, 8, 4.0
#: Squares along the upper and the lower edge, where signs are drawn: their side, as a share of the
#: picture's shorter side, and how many rows of them. Their cells differ by the difference of their
#: means, which a veil lifts and compression hardly does.
EDGE, EDGE_ROWS, MAX_LIFT = 0.08, 2, 4.0
#: The ratios of the sides may differ so much: a resized picture is rounded to whole pixels.
_RATIO = 0.02
_HASHED, _KEPT = 32, 8
#: The shorter side of what is hashed of a decoded picture, at least: every n-th pixel.
_SAMPLED = 512
#: Long side to which a picture is reduced while it is decoded, at least.
_MIN_SIDE = 1_600

_Region = tuple[float, float, float, float]
_Luma = NDArray[np.float32]


@dataclass(frozen=True)
class Look:
    """What a picture looks like: ``bits`` is its perceptual hash (64 bits), ``width`` and
    ``height`` are those of the file, ``grey`` is its brightness, perhaps at a smaller size."""

    bits: int
    width: int
    height: int
    grey: Image.Image


def look(data: bytes, settings: Settings) -> Look:
    """Look at a picture's file; raises what :func:`unmask.images.open_picture` and decoding do."""
    picture = open_picture(data, settings)
    grey = Image.fromarray(picture.pixels(picture.shrink_for(_MIN_SIDE))).convert("L")
    return Look(_hash(grey), picture.width, picture.height, grey)


def perceptual_hash(pixels: NDArray[np.uint8]) -> int:
    """The hash (64 bits) of a decoded picture (h, w, 3), RGB: within a bit or two of that which
    :func:`look` has for its file."""
    step = max(min(pixels.shape[:2]) // _SAMPLED, 1)
    return _hash(Image.fromarray(np.ascontiguousarray(pixels[::step, ::step])).convert("L"))


def mirrored_bits(seen: Look) -> int:
    """The hash of the same picture, mirrored left to right."""
    return _hash(seen.grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT))


def may_be_alike(bits: int, others: int) -> bool:
    """Whether two hashes are near enough to compare the pictures."""
    return (bits ^ others).bit_count() <= MAX_BITS


def alike(one: Look, other: Look, faces: Sequence[Box]) -> bool:
    """Whether two pictures are the same apart from encoding and size; ``faces`` are the boxes
    of the faces in the first, in pixels of its file."""
    if not may_be_alike(one.bits, other.bits):
        return False
    if abs(one.width * other.height / (one.height * other.width) - 1) > _RATIO:
        return False
    return worst_difference(one, other, faces) <= MAX_DIFFERENCE


def worst_difference(one: Look, other: Look, faces: Sequence[Box]) -> float:
    """The mean absolute difference of the cell that differs most, 0 to 255."""
    whole = (0.0, 0.0, 1.0, 1.0)
    worst = _difference(one, other, whole, SIDE)
    for left, top, width, height in faces:
        right, bottom = min(left + width, one.width), min(top + height, one.height)
        region = (
            max(left, 0) / one.width,
            max(top, 0) / one.height,
            right / one.width,
            bottom / one.height,
        )
        worst = max(worst, _difference(one, other, region, FACE_SIDE))
    return worst


def same_edges(one: Look, other: Look) -> bool:
    """Whether neither of two pictures that are alike has a sign along an edge that the other lacks:
    a generator's star, a label in words."""
    return all(_lift(one, other, region) <= MAX_LIFT for region in _edges(one))


def _edges(picture: Look) -> Iterator[_Region]:
    """The squares along the upper and the lower edge."""
    side = EDGE * min(picture.width, picture.height)
    wide, high = side / picture.width, side / picture.height
    for row in range(EDGE_ROWS):
        for left in np.arange(0.0, 1.0, wide).tolist():
            right, bottom = min(left + wide, 1.0), (row + 1) * high
            yield left, bottom - high, right, bottom
            yield left, 1 - bottom, right, 1 - bottom + high


def _lift(one: Look, other: Look, region: _Region) -> float:
    """By how much the cell that differs most is lighter or darker."""
    difference = _part(one.grey, region, FACE_SIDE) - _part(other.grey, region, FACE_SIDE)
    cells = difference.reshape(FACE_SIDE // CELL, CELL, FACE_SIDE // CELL, CELL).mean(axis=(1, 3))
    return float(np.abs(cells).max())


def _difference(one: Look, other: Look, region: _Region, side: int) -> float:
    """The same for a region (left, top, right, bottom as shares of the sides), at one size."""
    difference = np.abs(_part(one.grey, region, side) - _part(other.grey, region, side))
    cells = difference.reshape(side // CELL, CELL, side // CELL, CELL).mean(axis=(1, 3))
    return float(cells.max())


def _part(grey: Image.Image, region: _Region, side: int) -> _Luma:
    wide, high = grey.size
    box = (region[0] * wide, region[1] * high, region[2] * wide, region[3] * high)
    return np.asarray(grey.resize((side, side), Image.Resampling.BICUBIC, box), np.float32)


def _hash(grey: Image.Image) -> int:
    small = _part(grey, (0.0, 0.0, 1.0, 1.0), _HASHED)
    place, frequency = np.arange(_HASHED), np.arange(_KEPT)[:, None]
    cosines = np.cos(np.pi * (2 * place + 1) * frequency / (2 * _HASHED))
    low = (cosines @ small @ cosines.T).ravel()
    signs = low > np.median(low[1:])  # the first is the mean brightness
    return int("".join("1" if sign else "0" for sign in signs), 2)
