"""Whatever comes, only our own errors."""

from __future__ import annotations

import random

import pytest

from tests import pictures
from tests.pictures import FORMATS, corners, encoded, photo
from tests.unmask.images.opened import (
    FRAMED,
    deep_colour,
    deep_grey,
    lab_tiff,
    palette_picture,
    wide_profile,
    with_alpha,
)
from unmask.errors import UnmaskError
from unmask.images import open_picture
from unmask.settings import Settings


def mutated(data: bytes, chance: random.Random) -> bytes:
    """``data`` after one to six small accidents, mostly near its head, where they hurt most."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = int(len(out) * chance.random() ** chance.choice((1, 4)))
        length = chance.choice((1, 1, 2, 4, 16))
        accident = chance.randrange(6)
        if accident == 0:
            out[at : at + 1] = bytes([chance.randrange(256)])
        elif accident == 1:
            out[at : at + length] = chance.randbytes(length)
        elif accident == 2:
            out[at : at + length] = chance.choice((b"\0", b"\xff", b"\x7f", b"\x80")) * length
        elif accident == 3:
            del out[at : at + length]
        elif accident == 4:
            out[at:at] = out[at // 2 : at // 2 + length]
        elif chance.random() < 0.3:
            del out[at:]
    return bytes(out)


def seeds(kind: str) -> list[bytes]:
    image, exif = pictures.stored_as(corners(), 6)
    options = {} if kind in ("GIF", "BMP") else {"exif": exif}
    made = [encoded(image, kind, **options), encoded(photo(48, 40), kind)]
    if kind == "JPEG":
        made.append(encoded(image.convert("CMYK"), kind, progressive=True))
        made.append(encoded(image, kind, icc_profile=wide_profile()))
    if kind == "PNG":
        made += [palette_picture(clear_red=True), deep_colour(), with_alpha("PNG")]
        made.append(encoded(image, kind, icc_profile=wide_profile()))
    if kind == "TIFF":
        made += [encoded(image, kind, compression=c) for c in ("jpeg", "tiff_deflate", "packbits")]
        made += [deep_grey("TIFF", "f4"), lab_tiff(), pictures.tiff_pages(3)]
    if kind in FRAMED:
        made.append(pictures.animation(kind, 3))
    return made


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_mutated_pictures_raise_only_our_own_errors(kind: str) -> None:
    chance = random.Random(f"unmask {kind}")
    made, ends = seeds(kind), []
    small = Settings(max_pixels=1_000_000)
    for number in range(150):
        data = mutated(made[number % len(made)], chance)
        try:
            picture = open_picture(data, small)
            shape = picture.pixels(chance.choice((1, 2, 4, 8))).shape
        except UnmaskError as error:
            ends.append(error.code)
        else:
            ends.append("read")
            assert kind == "JPEG" or shape == (picture.height, picture.width, 3)
    # The mutations must reach deep: some pictures survive them and some do not.
    assert ends.count("read") >= 5
    assert len(set(ends)) >= 3
