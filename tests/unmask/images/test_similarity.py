"""The same picture is known again; one with something else in it is another."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.conftest import Pixels
from unmask.images.similarity import Look, alike, look, perceptual_hash
from unmask.settings import Settings

#: Where the face of the portrait is: x, y, width, height.
FACE = (174, 62, 98, 122)


def seen(pixels: Pixels, kind: str = "JPEG", side: int = 512, **options: int) -> Look:
    out = BytesIO()
    Image.fromarray(pixels).resize((side, side)).save(out, kind, **{"quality": 92} | options)
    return look(out.getvalue(), Settings())


@pytest.mark.parametrize(
    "options",
    [{"quality": 50}, {"quality": 80}, {"side": 300}, {"side": 800}, {"kind": "WEBP"}],
)
def test_a_re_encoded_picture_is_the_same(portrait: Pixels, options: dict[str, int]) -> None:
    assert alike(seen(portrait), seen(portrait, **options), [FACE])  # type: ignore[arg-type]


def test_a_tampered_face_is_another_picture(portrait: Pixels) -> None:
    x, y, w, h = FACE
    for change in (
        lambda part: cv2.GaussianBlur(part, (0, 0), 3),
        lambda part: part[:, ::-1],
        lambda part: np.roll(part, 6, axis=0),
        lambda part: (part * 0.9).astype(np.uint8),
    ):
        tampered = np.array(portrait)
        inner = np.s_[y + h // 4 : y + 3 * h // 4, x + w // 4 : x + 3 * w // 4]
        tampered[inner] = change(portrait[inner])
        assert not alike(seen(portrait), seen(tampered), [FACE])


def test_other_pictures_are_others(portrait: Pixels) -> None:
    mirrored, turned = portrait[:, ::-1], np.rot90(portrait)
    noise = np.random.default_rng(0).integers(0, 255, portrait.shape, np.uint8)
    for other in (mirrored, turned, noise, portrait[100:400, 100:400]):
        assert not alike(seen(portrait), seen(np.ascontiguousarray(other)), [])


def test_another_shape_is_another_picture(portrait: Pixels) -> None:
    out = BytesIO()
    Image.fromarray(portrait).resize((512, 470)).save(out, "JPEG", quality=92)
    assert not alike(seen(portrait), look(out.getvalue(), Settings()), [FACE])


def test_a_box_at_the_edge(portrait: Pixels) -> None:
    assert alike(
        seen(portrait), seen(portrait, quality=90), [(-9, -9, 160, 160), (380, 380, 190, 190)]
    )


@pytest.mark.parametrize("side", [200, 512, 1_500, 3_100])
def test_the_hash_of_decoded_pixels_is_that_of_the_file(portrait: Pixels, side: int) -> None:
    pixels = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_CUBIC)
    of_file = seen(portrait, side=side).bits
    assert (perceptual_hash(np.asarray(pixels, np.uint8)) ^ of_file).bit_count() <= 2
