"""A picture -> one of its layers, as a picture of the same shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from unmask.evidence.layers import error_levels, ghosts, noise
from unmask.evidence.layers.tiles import Brightness, Floats
from unmask.findings import Layer
from unmask.images import Picture
from unmask.images.opening import orientation, parse
from unmask.images.pixels import UPRIGHT

#: The longest side of a drawn layer, in pixels.
MAX_SIDE = 1_600
#: The share of the tiles that are drawn as white.
_WHITEST = 0.005


@dataclass(frozen=True)
class _Kind:
    """How a layer is measured: one value for each tile of ``tile`` pixels; what is below ``white``
    is never drawn as white, so that a picture without differences stays dark."""

    measure: Callable[[Brightness], Floats]
    tile: int
    white: float


_KINDS = {
    Layer.ERROR_LEVELS: _Kind(error_levels.error_levels, error_levels.TILE, 0.25),
    Layer.GHOSTS: _Kind(ghosts.ghosts, ghosts.TILE, 0.2),
    Layer.NOISE: _Kind(noise.noise_differences, noise.TILE, 2.0),
}


def measure_layer(brightness: Brightness, layer: Layer) -> Floats:
    """The layer of brightness (h, w) as (h, w): the higher, the more a place differs."""
    kind, (height, width) = _KINDS[layer], brightness.shape
    return _enlarged(kind.measure(brightness), kind.tile, (width, height), 1.0)


def draw_layer(picture: Picture, layer: Layer) -> bytes:
    """The layer as a grey PNG, upright, of the picture's shape; white is where it differs most.

    The longer side is at most :data:`MAX_SIDE`. Raises what :meth:`Picture.pixels` raises.
    """
    brightness, turn = _brightness(picture)
    kind, (height, width) = _KINDS[layer], brightness.shape
    values = kind.measure(brightness)
    brightest = float(np.quantile(values, 1 - _WHITEST)) if values.size else 0.0
    white = max(brightest, kind.white)
    scale = min(1.0, MAX_SIDE / max(width, height))
    drawn = _enlarged(np.minimum(values / np.float32(white), 1), kind.tile, (width, height), scale)
    image = Image.fromarray(np.rint(drawn * 255).astype(np.uint8))
    out = BytesIO()
    (image if turn is None else image.transpose(turn)).save(out, "PNG")
    return out.getvalue()


def _brightness(picture: Picture) -> tuple[Brightness, Image.Transpose | None]:
    """Brightness (h, w), and what brings it upright.

    That of a JPEG is as it lies in the file, unturned and in its own colours: its blocks would
    otherwise not be where they were saved.
    """
    if picture.format == "JPEG":
        flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
        decoded = cv2.imdecode(np.frombuffer(picture.data, np.uint8), flags)
        if decoded is not None:
            turn = UPRIGHT.get(orientation(parse(picture.data, picture.format)))
            return np.asarray(decoded, np.uint8), turn
    return np.asarray(cv2.cvtColor(picture.pixels(), cv2.COLOR_RGB2GRAY), np.uint8), None


def _enlarged(values: Floats, tile: int, size: tuple[int, int], scale: float) -> Floats:
    """Values of tiles as a picture of ``size`` (width, height), made smaller by ``scale``; where
    no whole tile is, those of the nearest."""
    width, height = (max(round(side * scale), 1) for side in size)
    rows, columns = values.shape
    if not values.size:
        return np.zeros((height, width), np.float32)
    whole = max(round(columns * tile * scale), 1), max(round(rows * tile * scale), 1)
    large = cv2.resize(values, whole, interpolation=cv2.INTER_LINEAR)
    right, below = max(width - whole[0], 0), max(height - whole[1], 0)
    large = cv2.copyMakeBorder(large, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return np.asarray(large[:height, :width], np.float32)
