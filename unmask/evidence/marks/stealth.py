"""Parameters that image generators hide in the lowest bits of a picture ("stealth pnginfo").

NovelAI and an extension of Stable Diffusion's interfaces write them down the columns, into the
transparency or the colours, behind a signature. Only the signature is read. The whole picture has
to be decoded, so this is looked for on demand.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmask.errors import UnmaskError
from unmask.findings import Evidence, Kind, Says, Weight, Where
from unmask.images import Picture
from unmask.images.opening import named_errors, parse

_IN_TRANSPARENCY = (b"stealth_pnginfo", b"stealth_pngcomp")
_IN_COLOURS = (b"stealth_rgbinfo", b"stealth_rgbcomp")
_BITS = 8 * len(_IN_COLOURS[0])


def find_stealth(picture: Picture) -> list[Evidence]:
    """A hint where a PNG or a WebP holds the signature; other formats do not keep single bits."""
    if picture.format not in ("PNG", "WEBP"):
        return []
    try:
        pixels = _pixels(picture)
    except UnmaskError:
        return []
    colours = _first_bytes(pixels[:, :, :3])
    transparency = _first_bytes(pixels[:, :, 3:]) if pixels.shape[2] == 4 else b""
    if colours not in _IN_COLOURS and transparency not in _IN_TRANSPARENCY:
        return []
    return [
        Evidence(
            kind=Kind.MARKS,
            code="mark_generated",
            weight=Weight.HINT,
            says=Says.GENERATED,
            where=Where(field="pixels"),
            parameters={"mark": "stealth_pnginfo", "maker": "Stable Diffusion"},
        )
    ]


def _pixels(picture: Picture) -> npt.NDArray[np.uint8]:
    """The stored values (h, w, 3 or 4), in no profile's colours; of another mode, none."""
    image = parse(picture.data, picture.format)
    if image.mode not in ("RGB", "RGBA"):
        return np.zeros((1, 1, 3), np.uint8)
    with named_errors(picture.data, picture.format):
        return np.asarray(image)


def _first_bytes(values: npt.NDArray[np.uint8]) -> bytes:
    """What the lowest bits say, column after column, as long as a signature is."""
    width = -(-_BITS // (values.shape[0] * values.shape[2]))
    columns = values[:, :width].transpose(1, 0, 2).reshape(-1)[:_BITS]
    return np.packbits(columns & 1).tobytes()
