"""What a picture goes through before somebody checks it: seeded, and blind to what is true."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from model_training.dataset import degrade as worn
from model_training.dataset import samples
from model_training.dataset.degrade import crop_window, degrade
from model_training.dataset.samples import Scene, finish
from tests.model_training.faces import head

Pixels = npt.NDArray[np.uint8]
Step = Callable[[np.random.Generator, Pixels], Pixels]

STEPS = (
    worn.colour,
    worn.grey,
    worn.blur,
    worn.sharpen,
    worn.noise,
    worn.caption,
    worn.compress,
    worn.resize,
)
SEEDS = range(12)


@pytest.fixture
def picture(portrait: Pixels) -> Pixels:
    pixels, _ = head(portrait)
    pixels.flags.writeable = False
    return pixels


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_each_step_is_seeded_and_keeps_the_form(step: Step, picture: Pixels) -> None:
    before = picture.copy()
    found = []
    for seed in SEEDS:
        cv2.setRNGSeed(seed + 100)  # what others drew must not matter
        one = step(np.random.default_rng(seed), picture)
        cv2.setRNGSeed(7)
        again = step(np.random.default_rng(seed), picture)
        np.testing.assert_array_equal(one, again)
        assert one.dtype == np.uint8
        assert one.ndim == 3
        assert one.shape[2] == 3
        if step is not worn.resize:
            assert one.shape == picture.shape
        found.append(one)
    np.testing.assert_array_equal(picture, before)
    assert any(one.shape != picture.shape or (one != picture).any() for one in found)
    kinds = {one.tobytes() for one in found}
    assert len(kinds) == (1 if step is worn.grey else len(SEEDS))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_each_step_leaves_the_face_to_be_known(step: Step, picture: Pixels) -> None:
    """Channels keep their order and places stay put: no step is a fake of its own."""
    for seed in SEEDS:
        shown = cv2.resize(step(np.random.default_rng(seed), picture), (64, 64))
        wanted = cv2.resize(picture, (64, 64))
        for channel in range(3):
            alike = np.corrcoef(shown[..., channel].ravel(), wanted[..., channel].ravel())[0, 1]
            assert alike > (0.6 if step in (worn.caption, worn.noise) else 0.85)


def test_the_chain_is_seeded_and_varied(picture: Pixels) -> None:
    first = [degrade(np.random.default_rng(seed), picture) for seed in range(30)]
    for seed, pixels in enumerate(first):
        np.testing.assert_array_equal(degrade(np.random.default_rng(seed), picture), pixels)
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
        assert min(pixels.shape[:2]) >= 32
    assert len({pixels.tobytes() for pixels in first}) > 20
    assert len({pixels.shape for pixels in first}) > 5


def test_strength_scales_how_often(picture: Pixels) -> None:
    def untouched(strength: float) -> int:
        found = (degrade(np.random.default_rng(seed), picture, strength) for seed in range(40))
        return sum(one.shape == picture.shape and bool((one == picture).all()) for one in found)

    assert untouched(0.0) == 40
    assert 40 > untouched(0.2) > untouched(1.0)


@pytest.mark.parametrize("size", [(40, 40), (33, 700), (1, 1)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    pixels = np.full((*size, 3), 100, np.uint8)
    for seed in range(20):
        assert degrade(np.random.default_rng(seed), pixels).shape[2] == 3


def test_the_label_changes_nothing(picture: Pixels, portrait: Pixels) -> None:
    """The same picture called real and fake comes out the same, and as many numbers are drawn."""
    landmarks = head(portrait)[1]
    empty, full = np.zeros((256, 256), np.float32), np.ones((256, 256), np.float32)
    for seed in range(20):
        one, other = np.random.default_rng(seed), np.random.default_rng(seed)
        real = finish(one, Scene(picture, landmarks, empty, 0.0))
        fake = finish(other, Scene(picture, landmarks, full, 1.0, 0.3))
        np.testing.assert_array_equal(real.crop, fake.crop)
        assert one.bit_generator.state == other.bit_generator.state


def test_real_and_fake_are_degraded_alike(
    picture: Pixels, portrait: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Light and full strength come as often for one as for the other."""
    seen: list[float] = []

    def noted(rng: np.random.Generator, pixels: Pixels, strength: float = 1.0) -> Pixels:
        seen.append(strength)
        return pixels

    monkeypatch.setattr(samples, "degrade", noted)
    landmarks = head(portrait)[1]
    shares = []
    for label in (0.0, 1.0):
        seen.clear()
        rng = np.random.default_rng(int(label))
        scene = Scene(picture, landmarks, np.zeros((256, 256), np.float32), label)
        for _ in range(400):
            finish(rng, scene)
        assert set(seen) == {samples.LIGHTLY, 1.0}
        shares.append(seen.count(1.0) / 400)
    np.testing.assert_allclose(shares, 1 - samples.LIGHT_SHARE, atol=0.08)


@pytest.mark.parametrize("shape", [(256, 256), (190, 150), (1000, 400)])
def test_a_tight_crop_keeps_the_inner_face(portrait: Pixels, shape: tuple[int, int]) -> None:
    landmarks = head(portrait)[1] * [shape[1] / 256, shape[0] / 256]
    windows = set()
    for seed in range(60):
        x0, y0, x1, y1 = crop_window(np.random.default_rng(seed), shape, landmarks)
        assert 0 <= x0 < x1 <= shape[1]
        assert 0 <= y0 < y1 <= shape[0]
        assert (landmarks >= [x0, y0]).all()
        assert (landmarks <= [x1, y1]).all()
        windows.add((x0, y0, x1, y1))
    assert len(windows) > 50
