"""Parameters hidden in the lowest bits of a picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.pictures import encoded, photo
from unmask.evidence.marks.stealth import find_stealth
from unmask.images import open_picture
from unmask.settings import Settings


def hidden(signature: bytes, bands: slice, size: tuple[int, int] = (96, 64)) -> Image.Image:
    """A picture with the signature down its columns, in the lowest bits of some bands."""
    pixels = np.array(photo(*size).convert("RGBA"))
    part = pixels[:, :, bands].transpose(1, 0, 2)
    values = part.reshape(-1).copy()
    bits = np.unpackbits(np.frombuffer(signature, np.uint8))
    values[: len(bits)] = values[: len(bits)] & 254 | bits
    pixels[:, :, bands] = values.reshape(part.shape).transpose(1, 0, 2)
    return Image.fromarray(pixels)


def marks(data: bytes) -> list[str]:
    found = find_stealth(open_picture(data, Settings()))
    return [str(item.parameters["mark"]) for item in found]


@pytest.mark.parametrize(
    ("signature", "bands"),
    [
        (b"stealth_pnginfo", slice(3, 4)),
        (b"stealth_pngcomp", slice(3, 4)),
        (b"stealth_rgbinfo", slice(0, 3)),
        (b"stealth_rgbcomp", slice(0, 3)),
    ],
)
@pytest.mark.parametrize("height", [16, 64, 300])
def test_a_signature_is_found(signature: bytes, bands: slice, height: int) -> None:
    picture = hidden(signature, bands, (96, height))
    assert marks(encoded(picture, "PNG")) == ["stealth_pnginfo"]
    exact = {"lossless": True, "exact": True}
    assert marks(encoded(picture, "WEBP", **exact)) == ["stealth_pnginfo"]


def test_no_signature_no_mark() -> None:
    assert marks(encoded(photo(96, 64), "PNG")) == []
    assert marks(encoded(photo(96, 64).convert("RGBA"), "PNG")) == []
    assert marks(encoded(photo(96, 64).convert("L"), "PNG")) == []
    assert marks(encoded(hidden(b"stealth_pnginfo", slice(0, 3)), "PNG")) == []
    assert marks(encoded(photo(96, 64), "JPEG")) == []
    whole = encoded(hidden(b"stealth_pnginfo", slice(3, 4)), "PNG")
    assert marks(whole) == ["stealth_pnginfo"]
