"""Draws the signs of generators onto pictures, by other means than the code that looks for them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

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


def words(text: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    """Words in white on black, trimmed to their ink."""
    left, top, right, bottom = font.getbbox(text)
    ink = Image.new("L", (round(right - left), round(bottom - top)))
    ImageDraw.Draw(ink).text((-left, -top), text, fill=255, font=font)
    return ink


def with_label(
    pixels: _Pixels,
    ink: Image.Image,
    style: str = "plain",
    place: str = "lower right",
    opacity: float = 0.8,
) -> _Pixels:
    """The picture (h, w, 3) with words along an edge.

    ``style`` is plain or shadow (white), plate (white on a half clear dark one) or dark (black);
    ``place`` is upper or lower, and left, middle or right.
    """
    image, (wide, high) = Image.fromarray(pixels), ink.size
    margin, (row, column) = round(0.03 * min(image.size)), place.split()
    far = image.width - margin - wide
    x = {"left": margin, "middle": (image.width - wide) // 2, "right": far}[column]
    y = margin if row == "upper" else image.height - margin - high
    veil = Image.new("L", image.size)
    veil.paste(ink.point(lambda value: value * opacity), (x, y))
    if style == "plate":
        plate, rim = Image.new("L", image.size), high // 3
        box = (x - 2 * rim, y - rim, x + wide + 2 * rim, y + high + rim)
        ImageDraw.Draw(plate).rounded_rectangle(box, high // 2, fill=120)
        image.paste("black", (0, 0), plate)
    elif style == "shadow":
        soft = veil.filter(ImageFilter.GaussianBlur(max(high / 14, 1)))
        image.paste("black", (max(high // 18, 1),) * 2, soft.point(lambda value: value / 2))
    image.paste("#141414" if style == "dark" else "white", (0, 0), veil)
    return np.asarray(image)
