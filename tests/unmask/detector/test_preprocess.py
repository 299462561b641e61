"""What the network is fed: the same numbers for training and for serving."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from unmask.detector.align import OUTSIDE, Pixels
from unmask.detector.preprocess import Denoise, normalise, prepare, remove_noise

FILTERS = [Denoise.MEDIAN, Denoise.NON_LOCAL_MEANS]


@pytest.fixture
def crop(portrait: Pixels) -> Pixels:
    return np.ascontiguousarray(portrait[:224, 110:334])


def test_every_value_is_scaled_to_minus_one_to_one() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 16, 16, 3)
    found = normalise(ramp)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, ramp / 127.5 - 1, atol=1e-6)
    assert (found.min(), found.max()) == (-1, 1)
    assert ramp.max() == 255  # left as it was


def test_what_lies_outside_a_photograph_is_nearly_nothing() -> None:
    grey = np.full((2, 4, 4, 3), OUTSIDE, np.uint8)
    assert np.abs(normalise(grey)).max() < 0.005


def test_crops_become_one_batch_in_their_order(crop: Pixels) -> None:
    batch = prepare([crop, np.zeros_like(crop)])
    assert batch.shape == (2, 224, 224, 3)
    assert batch.dtype == np.float32
    np.testing.assert_allclose(batch[0], crop / 127.5 - 1, atol=1e-6)
    assert (batch[1] == -1).all()


@pytest.mark.parametrize("method", FILTERS)
def test_noise_is_removed_and_the_face_stays(crop: Pixels, method: Denoise) -> None:
    crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), 2), np.uint8)  # free of noise of its own
    noise = np.random.default_rng(0).normal(0, 6, crop.shape)
    noisy = np.clip(crop + noise, 0, 255).astype(np.uint8)
    before = noisy.copy()
    clean = remove_noise(noisy, method)
    assert clean.shape == crop.shape
    assert clean.dtype == np.uint8
    assert (noisy == before).all()

    def error(picture: Pixels) -> float:
        return float(np.sqrt(np.mean((picture.astype(float) - crop) ** 2)))

    assert error(clean) < 0.7 * error(noisy)
    flat = np.full((32, 32, 3), 77, np.uint8)
    assert (remove_noise(flat, method) == flat).all()


def test_without_noise_removal_nothing_changes(crop: Pixels) -> None:
    assert remove_noise(crop, Denoise.NONE) is crop


@pytest.mark.parametrize("method", list(Denoise))
def test_the_method_named_is_the_one_used(crop: Pixels, method: Denoise) -> None:
    np.testing.assert_array_equal(
        prepare([crop], method)[0], normalise([remove_noise(crop, method)])[0]
    )
    assert Denoise(method.value) is method


def test_colours_are_not_exchanged() -> None:
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 200
    for method in Denoise:
        found = remove_noise(red, method)[16, 16].astype(int)
        assert found[0] > 190
        assert found[1:].max() < 10
