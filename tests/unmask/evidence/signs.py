"""Draws the signs of generators onto pictures, by other means than the code that looks for them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

_Pixels = npt.NDArray[np.uint8]
#: How often finer than the picture a sign is drawn.
_FINE = 8
BAR = ("#ffff66", "#42ffff", "#51da4c", "#ff6e3c", "#3c46ff")


def with_star(pixels: _Pixels, side: float, opacity: float = 0.5, turn: float = 0.0) -> _Pixels:
    """The picture (h, w, 3) with Gemini's star of a side in pixels, two thirds of it from both
    edges of the lower right corner; ``turn`` turns it, in degrees."""
    image = Image.fromarray(pixels)
    whole = round(side)
    canvas = Image.new("L", (whole * _FINE, whole * _FINE))
    half = canvas.width / 2
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    points = [
        tuple(half + np.copysign(abs(value) ** (2 / 0.7), value) * 1.04 * half for value in point)
        for point in zip(np.cos(angles), np.sin(angles), strict=True)
    ]
    ImageDraw.Draw(canvas).polygon(points, fill=round(255 * opacity))
    veil = canvas.rotate(turn).resize((whole, whole), Image.Resampling.BOX)
    margin = round(side * 2 / 3)
    corner = image.width - margin - whole, image.height - margin - whole
    image.paste(Image.new("RGB", veil.size, "white"), corner, veil)
    return np.asarray(image)


def with_colour_bar(pixels: _Pixels) -> _Pixels:
    """The picture (h, w, 3) with DALL-E 2's bar in the lower right corner."""
    image = Image.fromarray(pixels)
    draw, side = ImageDraw.Draw(image), image.width / 64
    for number, colour in enumerate(BAR):
        left = image.width - (len(BAR) - number) * side
        box = (round(left), round(image.height - side), round(left + side) - 1, image.height)
        draw.rectangle(box, fill=colour)
    return np.asarray(image)
