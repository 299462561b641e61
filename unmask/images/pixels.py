"""The pixels of a picture: decoded, upright, in sRGB, once for each way in which it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from unmask.images.colour import Signalling, in_srgb, signalling
from unmask.images.endings import closed, stops_short
from unmask.images.frames import (
    Frames,
    frames_to_examine,
    may_be_animated,
    still_of_sequence,
    with_one_control,
)
from unmask.images.opening import named_errors, orientation, parse, upright_size
from unmask.warning_codes import CodedWarning, warn

#: What brings a picture stored with each EXIF orientation upright; 1 is upright already.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

#: Modes that are brought to sRGB as they are; every other one becomes RGB first.
_MANAGED = frozenset({"RGB", "CMYK", "L", "LAB"})
_WHITE, _BLACK = 255, 0
#: A picture differs on black from what it is on white where some cell of it has less than this
#: opacity, of 255. Cells have at least so many pixels a side, and are at most so many a side: a
#: face may be small.
_OPAQUE, _CELL, _CELLS = 243, 8, 64
#: Rows that are taken out of a decoded picture at one time.
_STRIP = 128
#: Tags of a TIFF: the bits of a sample, and whether 0 is white (0) or black.
_BITS, _PHOTOMETRIC = 258, 262


@dataclass(frozen=True)
class Appearance:
    """One of the ways in which viewers show a picture.

    ``pixels`` are upright sRGB: uint8, (h, w, 3), C-contiguous and the caller's own; ``warnings``
    say why there is more than one way.
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    warnings: tuple[CodedWarning, ...] = ()


def decode(data: bytes, kind: str, shrink: int) -> Iterator[Appearance]:
    """Decode to each appearance; see :meth:`unmask.images.Picture.appearances`."""
    yield from _decode(data, kind, shrink)
    still = still_of_sequence(data) if kind == "AVIF" else None
    if still:
        for appearance in _decode(still, kind, shrink):
            yield replace(appearance, warnings=(warn("hidden_picture"), *appearance.warnings))


def _decode(data: bytes, kind: str, shrink: int) -> Iterator[Appearance]:
    ended = closed(data, kind)
    whole = with_one_control(ended, kind)
    image = parse(whole, kind)
    with named_errors(data, kind):
        if kind == "JPEG" and shrink > 1:
            image.draft(None, (max(image.width // shrink, 1), max(image.height // shrink, 1)))
        # All are read first: decoding may drop them.
        promised, turn = upright_size(image), UPRIGHT.get(orientation(image))
        colours = signalling(data, kind, image.info.get("icc_profile"))
        frames = Frames((image.tell(),))
        if may_be_animated(image):
            frames = frames_to_examine(parse(whole, kind))
        numbers = [*frames.shown, *([] if frames.hidden is None else [frames.hidden])]
        for number in numbers:
            if number < image.tell():
                image = parse(whole, kind)  # Pillow cannot go back in every animation
            if number != image.tell():
                image.seek(number)
            image.load()
            if stops_short(image, whole, shrink, end_missing=ended is not data):
                raise ValueError("truncated: the data ends long before the picture does")
            hidden = (warn("hidden_picture"),) if number == frames.hidden else ()
            colour, alpha = _in_srgb(image, colours, is_last=number == numbers[-1])
            if number == numbers[-1]:
                del image  # a large picture is in memory twice as it is
            for page, warnings in _pages(alpha):
                rgb = colour if alpha is None else _on(page, colour, alpha)
                rgb = rgb.transpose(turn) if turn is not None else rgb
                if rgb.size != promised:
                    raise ValueError(f"the header says {promised}, the data {rgb.size}")
                yield Appearance(_array(rgb), (*hidden, *warnings))


def _in_srgb(
    image: ImageFile, colours: Signalling, *, is_last: bool
) -> tuple[Image.Image, Image.Image | None]:
    """The colours in mode RGB, and the opacity where the picture has one. What is the last to be
    taken of the image may be changed."""
    flat: Image.Image = image
    alpha = None
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        alpha = _keyed(image)
        flat = _eight_bits(image)
    elif image.has_transparency_data:
        flat = image if image.mode in ("RGBA", "LA") else image.convert("RGBA")
        alpha = flat.getchannel("A")
        flat = flat.convert("L" if flat.mode == "LA" else "RGB")
    elif image.mode not in _MANAGED:
        flat = image.convert("RGB")
    if alpha is None and isinstance(image, GifImageFile) and image.tell() == 0:
        alpha = _first_frame_alone(image)
    return in_srgb(flat, colours, in_place=is_last or flat is not image), alpha


def _first_frame_alone(image: GifImageFile) -> Image.Image | None:
    """The opacity of a first frame that leaves some of its screen clear, None where it does not."""
    left, top, right, bottom = image.dispose_extent or (0, 0, *image.size)
    if (left, top, right, bottom) == (0, 0, *image.size):
        return None
    alpha = Image.new("L", image.size, 0)
    alpha.paste(255, (left, top, right, bottom))
    return alpha


def _pages(alpha: Image.Image | None) -> list[tuple[int, tuple[CodedWarning, ...]]]:
    """The greys of the pages that a picture is shown on: white, and black where that matters."""
    if alpha is None:
        return [(_WHITE, ())]
    width, height = (min(max(side // _CELL, 1), _CELLS) for side in alpha.size)
    if np.asarray(alpha.resize((width, height), Image.Resampling.BOX)).min() >= _OPAQUE:
        return [(_WHITE, ())]
    transparent = (warn("transparent"),)
    return [(_WHITE, transparent), (_BLACK, transparent)]


def _keyed(image: ImageFile) -> Image.Image | None:
    """The opacity of deep grey of which one level is transparent, as in a PNG of 16 bits."""
    level = image.info.get("transparency")
    if not isinstance(level, int):
        return None
    return Image.fromarray(np.where(np.asarray(image) == level, 0, 255).astype(np.uint8))


def _eight_bits(image: ImageFile) -> Image.Image:
    """Scale deep grey to 8 bits: by its type's range where that is known, else by its values."""
    values: NDArray[Any] = np.asarray(image)
    if values.dtype.kind == "u":
        levels = (values >> (_bits(image) - 8)).astype(np.uint8)
        is_negative = isinstance(image, TiffImageFile) and image.tag_v2.get(_PHOTOMETRIC) == 0
        return Image.fromarray(255 - levels if is_negative else levels)
    values = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low >= 0:
        # Floats are mostly 0 to 1; integers are mostly 16 bits in a wider type.
        ranges = (1.0, 255.0, 65_535.0) if image.mode == "F" else (65_535.0,)
        low, high = 0.0, next((top for top in ranges if high <= top), high)
    scaled = (values - low) * np.float32(255.0 / max(high - low, 1e-12))
    return Image.fromarray((scaled + 0.5).astype(np.uint8))


def _bits(image: ImageFile) -> int:
    """How many of the sixteen bits of a sample are used."""
    bits = image.tag_v2.get(_BITS, 16) if isinstance(image, TiffImageFile) else 16
    return int(np.clip(np.max(bits), 8, 16))


def _array(rgb: Image.Image) -> NDArray[np.uint8]:
    """The pixels (h, w, 3) of a picture of mode RGB. Pillow's own way holds all of them three
    times, and takes half as long again."""
    array = np.empty((rgb.height, rgb.width, 3), np.uint8)
    for top in range(0, rgb.height, _STRIP):
        bottom = min(top + _STRIP, rgb.height)
        array[top:bottom] = np.asarray(rgb.crop((0, top, rgb.width, bottom)))
    return array


def _on(page: int, image: Image.Image, alpha: Image.Image) -> Image.Image:
    """What shows on a page of that grey."""
    shown = Image.new("RGB", image.size, (page,) * 3)
    shown.paste(image, mask=alpha)
    return shown
