from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from model_training.evaluation.conditions import (
    HALF_JPEG_60,
    conditions,
    cropped,
    jpeg,
    noisy,
    scaled,
    shifted,
)

Pixels = npt.NDArray[np.uint8]
BY_NAME = {condition.name: condition.apply for condition in conditions()}


def test_each_has_a_name_of_its_own() -> None:
    assert len(BY_NAME) == len(conditions()) == 19


@pytest.mark.parametrize("name", BY_NAME)
def test_it_changes_the_picture_alike_each_time(name: str, portrait: Pixels) -> None:
    picture = np.ascontiguousarray(portrait[:300, 60:400])
    before = picture.copy()
    first, second = BY_NAME[name](picture), BY_NAME[name](picture)
    np.testing.assert_array_equal(picture, before)
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.uint8
    assert first.shape[2] == 3
    assert first.shape != picture.shape or (first != picture).any()


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("half size", (150, 170)),
        ("quarter size", (75, 85)),
        (HALF_JPEG_60, (150, 170)),
        ("long side 512, JPEG 60", (452, 512)),
        ("screenshot, PNG", (381, 432)),
        ("JPEG 85, shifted, JPEG 60", (295, 337)),
        ("crop to 0.9", (270, 306)),
        ("blur, sigma 2", (300, 340)),
    ],
)
def test_its_size_is_as_the_name_says(name: str, shape: tuple[int, int], portrait: Pixels) -> None:
    assert BY_NAME[name](portrait[:300, 60:400]).shape[:2] == shape


def test_lower_quality_loses_more(portrait: Pixels) -> None:
    lost = [np.abs(jpeg(q)(portrait).astype(int) - portrait).mean() for q in (95, 60, 30)]
    assert lost[0] < lost[1] < lost[2]


def test_noise_is_as_strong_as_said_and_another_for_another_picture() -> None:
    flat = np.full((200, 200, 3), 120, np.uint8)
    noise = noisy(5.0)(flat).astype(int) - 120
    assert noise.std() == pytest.approx(5.0, abs=0.1)
    other = noisy(5.0)(flat + np.uint8(1)).astype(int) - 121
    assert (noise != other).mean() > 0.5


def test_what_is_cut_off() -> None:
    ramp = np.arange(100, dtype=np.uint8)[:, None, None].repeat(50, 1).repeat(3, 2)
    assert shifted(3, 5)(ramp)[0, 0, 0] == 5
    assert cropped(0.9)(ramp)[0, 0, 0] == 5
    assert cropped(0.9)(ramp)[-1, 0, 0] == 94


def test_a_picture_of_one_pixel_is_left_one() -> None:
    assert scaled(0.25)(np.zeros((1, 1, 3), np.uint8)).shape == (1, 1, 3)
