"""The losses, against plain numpy."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from model_training.networks.losses import (  # noqa: E402
    MASK_SHARE,
    POSITIVE_WEIGHT,
    SMOOTHING,
    accuracy,
    face_loss,
    families_loss,
    mask_loss,
)

Floats = npt.NDArray[np.float32]


def face(label: list[float], logit: list[float]) -> Floats:
    given = [keras.ops.convert_to_tensor(np.array(v, np.float32)[:, None]) for v in (label, logit)]
    return np.asarray(keras.ops.convert_to_numpy(face_loss(*given)))[:, 0]


def mask(target: Floats, weight: list[float], logit: Floats) -> Floats:
    weights = np.broadcast_to(np.array(weight, np.float32)[:, None, None], target.shape)
    both = np.stack([target, weights], axis=3)
    given = [keras.ops.convert_to_tensor(v) for v in (both, logit[..., None])]
    return np.asarray(keras.ops.convert_to_numpy(mask_loss(*given)))


def entropy(wanted: npt.NDArray[np.float64], logit: npt.NDArray[np.float64]) -> Floats:
    chance = 1 / (1 + np.exp(-np.asarray(logit, np.float64)))
    return -(wanted * np.log(chance) + (1 - wanted) * np.log(1 - chance))


def test_the_faces_loss_is_smoothed_cross_entropy() -> None:
    label, logit = [0.0, 0.0, 1.0, 1.0], [-3.0, 2.0, 0.0, 4.0]
    wanted = np.array(label) * (1 - SMOOTHING) + SMOOTHING / 2
    np.testing.assert_allclose(face(label, logit), entropy(wanted, np.array(logit)), rtol=1e-5)


def test_certainty_is_not_asked_for() -> None:
    """The least loss lies at the smoothed label, not at infinity."""
    logits = np.linspace(-12, 12, 481)
    found = face([1.0] * len(logits), logits.tolist())
    best = 1 / (1 + np.exp(-logits[found.argmin()]))
    assert best == pytest.approx(1 - SMOOTHING / 2, abs=2e-3)


@pytest.mark.parametrize("logit", [-1000.0, 1000.0])
def test_no_logit_is_too_large(logit: float) -> None:
    assert np.isfinite(face([0.0, 1.0], [logit, logit])).all()
    found = mask(np.ones((1, 4, 4), np.float32), [1.0], np.full((1, 4, 4), logit, np.float32))
    assert np.isfinite(found).all()


def by_hand(target: Floats, weight: float, logit: Floats) -> float:
    scale = 1 + (POSITIVE_WEIGHT - 1) * target
    pixels = np.mean(scale * entropy(target, logit))
    shown = 1 / (1 + np.exp(-logit.astype(np.float64)))
    dice = (2 * np.sum(shown * target) + 1) / (np.sum(shown) + np.sum(target) + 1)
    overlap = 0.5 * (1 - dice) if target.sum() > 1 else 0.0
    return float(MASK_SHARE * weight * (pixels + overlap))


def test_the_masks_loss_is_that_of_plain_numpy() -> None:
    random = np.random.default_rng(0)
    logit = random.normal(0, 2, (5, 16, 16)).astype(np.float32)
    target = np.zeros((5, 16, 16), np.float32)
    target[1, 4:9, 3:12] = 1
    target[2] = random.random((16, 16))
    target[3] = 1
    target[4, 0, 0] = 0.9  # less than a pixel is nothing to overlap with
    weight = [1.0, 1.0, 0.3, 0.0, 1.0]
    wanted = [by_hand(*values) for values in zip(target, weight, logit, strict=True)]
    np.testing.assert_allclose(mask(target, weight, logit), wanted, rtol=1e-4, atol=1e-6)
    assert mask(target, weight, logit)[3] == 0


def test_a_better_mask_has_a_lower_loss() -> None:
    target = np.zeros((1, 16, 16), np.float32)
    target[0, 4:12, 4:12] = 1
    right = np.where(target > 0, 5, -5).astype(np.float32)
    found = [mask(target, [1.0], logit)[0] for logit in (right, right * 0.2, right * 0, -right)]
    assert found == sorted(found)
    assert found[0] < 0.1 * found[-1]
    missed = mask(target, [1.0], np.full_like(target, -5))[0]
    invented = mask(1 - target, [1.0], np.full_like(target, -5))[0]
    assert missed > 0.5
    assert invented > missed  # the larger region is missed here


def test_accuracy_takes_soft_labels_for_the_side_they_lean_to() -> None:
    label = np.array([[0.99], [0.01], [0.6], [0.4]], np.float32)
    logit = np.array([[5.0], [-5.0], [-1.0], [2.0]], np.float32)
    assert np.asarray(accuracy(label, logit)).tolist() == [1, 1, 0, 0]


def families(label: Floats, weight: Floats, logit: Floats) -> Floats:
    target = np.stack([label, weight], axis=2).astype(np.float32)
    given = [keras.ops.convert_to_tensor(value) for value in (target, logit)]
    return np.asarray(keras.ops.convert_to_numpy(families_loss(*given)))


def test_the_families_loss_is_weighted_cross_entropy() -> None:
    random = np.random.default_rng(0)
    logit = random.normal(0, 3, (4, 5)).astype(np.float32)
    label, weight = random.random((4, 5)).astype(np.float32), random.random((4, 5))
    wanted = entropy(label * (1 - SMOOTHING) + SMOOTHING / 2, logit.astype(np.float64))
    found = families(label, weight.astype(np.float32), logit)
    np.testing.assert_allclose(found, (weight * wanted).mean(axis=1), rtol=1e-4)


def test_a_head_of_no_weight_is_left_alone() -> None:
    """Another family's fake is neither right nor wrong to it, however sure it is."""
    label, weight = np.array([[1.0, 1, 0, 0, 0]]), np.array([[1.0, 1, 0, 0, 0]])
    one = families(label, weight, np.array([[2, -1, 0, 0, 0]], np.float32))
    other = families(label, weight, np.array([[2, -1, 90, -90, 7]], np.float32))
    np.testing.assert_array_equal(one, other)
    assert families(label, weight, np.array([[2, -2, 0, 0, 0]], np.float32)) > one
    assert not families(label, 0 * weight, np.array([[2, -1, 0, 0, 0]], np.float32)).any()


def test_no_gradient_reaches_a_head_of_no_weight() -> None:
    tf = pytest.importorskip("tensorflow")
    target = np.stack([np.array([[1.0, 0, 1, 0]]), np.array([[1.0, 0, 1, 0]])], axis=2)
    logit = tf.constant([[0.5, 3.0, -2.0, -3.0]])
    with tf.GradientTape() as tape:
        tape.watch(logit)
        loss = families_loss(target.astype(np.float32), logit)
    slope = tape.gradient(loss, logit).numpy()[0]
    assert (slope[[1, 3]] == 0).all()
    assert (slope[[0, 2]] < 0).all()
