"""Mixed pictures, a teacher's opinion and its hints."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from model_training.dataset.batches import Batch  # noqa: E402
from model_training.dataset.families import HEADS  # noqa: E402
from model_training.networks.losses import HINT_SHARE, hint_loss  # noqa: E402
from model_training.training.distillation import MIXED_SHARE, TEACHER_SHARE, Lessons, arrays_of  # noqa: E402
from unmask.detector.preprocess import normalise  # noqa: E402


def plain(value: Any) -> npt.NDArray[Any]:
    return np.asarray(keras.ops.convert_to_numpy(value))


def batch(count: int = 6) -> Batch:
    random = np.random.default_rng(1)
    return Batch(
        random.integers(0, 256, (count, 224, 224, 3)).astype(np.uint8),
        (np.arange(count) % 2).astype(np.float32),
        np.repeat(random.integers(0, 2, (count, 1, 1)) * 255, 112, 1).repeat(112, 2).astype("u1"),
        np.linspace(0.3, 1, count).astype(np.float32),
        (np.arange(count) % 2 * np.arange(count) % len(HEADS)).astype(np.uint8),
    )


class Stand(keras.Model):  # type: ignore[misc]
    """A teacher that tells bright pictures from dark ones; its maps alone help, not its heads."""

    def call(self, image: Any, training: bool = False) -> dict[str, Any]:
        light = keras.ops.mean(image, axis=(1, 2, 3))
        return {"logit": 4 * light[:, None], "hint_16": image[:, ::16, ::16], "other": light}


def test_bytes_become_what_serving_gives_the_network() -> None:
    given = batch()
    found = {name: plain(value) for name, value in arrays_of(**vars(given)).items()}
    np.testing.assert_allclose(found["image"], normalise(given.crops), atol=1e-6)
    assert found["logit"].tolist() == [[0], [1]] * 3
    np.testing.assert_allclose(found["heatmap_logit"][..., 0], given.masks / 255)
    np.testing.assert_allclose(found["heatmap_logit"][:, 5, 7, 1], given.weights)


def test_without_mixing_or_teacher_nothing_changes() -> None:
    arrays = arrays_of(**vars(batch()))
    found = Lessons().prepare(arrays, Lessons().shares(batch(), 3))
    assert found is arrays


def test_shares_depend_on_seed_and_step_alone() -> None:
    lessons = Lessons(mixup=0.4, seed=5)
    given = Batch(np.zeros((4000, 1)), *[np.zeros(0)] * 4)  # type: ignore[arg-type]
    one = lessons.shares(given, 7)
    np.testing.assert_array_equal(one, Lessons(mixup=0.4, seed=5).shares(given, 7))
    assert (one != lessons.shares(given, 8)).any()
    assert ((one >= 0.5) & (one <= 1)).all()
    assert np.mean(one < 1) == pytest.approx(MIXED_SHARE, abs=0.05)


def test_pictures_labels_and_masks_are_mixed_alike() -> None:
    arrays = {name: plain(value) for name, value in arrays_of(**vars(batch())).items()}
    shares = np.array([[1], [0.5], [0.75], [1], [0.6], [0.9]], np.float32)
    found = Lessons(mixup=0.4).prepare(arrays, shares)
    for name, value in arrays.items():
        share = shares.reshape(-1, *[1] * (value.ndim - 1))
        wanted = share * value + (1 - share) * np.roll(value, 1, axis=0)
        np.testing.assert_allclose(plain(found[name]), wanted, atol=1e-6)


def test_a_teacher_softens_labels_and_gives_hints() -> None:
    arrays = arrays_of(**vars(batch()))
    found = Lessons(Stand()).prepare(arrays, np.ones((6, 1), np.float32))
    said = 1 / (1 + np.exp(-4 * plain(arrays["image"]).mean(axis=(1, 2, 3))))
    wanted = (1 - TEACHER_SHARE) * batch().labels + TEACHER_SHARE * said
    np.testing.assert_allclose(plain(found["logit"])[:, 0], wanted, atol=1e-5)
    assert set(found) == {"image", "logit", "families", "heatmap_logit", "hint_16"}
    np.testing.assert_array_equal(plain(found["families"]), plain(arrays["families"]))


def test_the_loss_of_a_hint_knows_no_scale() -> None:
    random = np.random.default_rng(2)
    target = random.normal(3, 20, (2, 5, 5, 4)).astype(np.float32)
    right = (target - target.mean((0, 1, 2))) / target.std((0, 1, 2))
    assert plain(hint_loss(target, right)).max() < 1e-4
    nothing = plain(hint_loss(target, np.zeros_like(target)))
    assert nothing.shape == (2,)
    assert nothing.mean() == pytest.approx(HINT_SHARE, rel=1e-3)


def test_a_photograph_counts_for_every_head_and_a_fake_for_the_first_and_its_own() -> None:
    given = Batch(
        np.zeros((4, 224, 224, 3), np.uint8),
        np.array([0, 1, 1, 1], np.float32),
        np.zeros((4, 112, 112), np.uint8),
        np.ones(4, np.float32),
        np.array([0, 2, 0, 4], np.uint8),
    )
    found = plain(arrays_of(**vars(given))["families"])
    assert found.shape == (4, 5, 2)
    labels, weights = found[..., 0], found[..., 1]
    assert labels.tolist() == [
        [0, 0, 0, 0, 0],
        [1, 0, 1, 0, 0],
        [1, 0, 0, 0, 0],  # of no family
        [1, 0, 0, 0, 1],
    ]
    assert weights.tolist() == [
        [1, 1, 1, 1, 1],
        [1, 0, 1, 0, 0],
        [1, 0, 0, 0, 0],
        [1, 0, 0, 0, 1],
    ]


class Knowing(Stand):
    """A teacher with heads, of which it says the same of every picture."""

    SAYS = (2.0, -1.0, 0.0, 3.0, -2.0)

    def call(self, image: Any, training: bool = False) -> dict[str, Any]:
        said = super().call(image)
        rows = keras.ops.ones_like(said["logit"])
        return {**said, "families": rows * keras.ops.convert_to_tensor([self.SAYS])}


def test_a_teachers_heads_count_half_and_alone_where_the_truth_says_nothing() -> None:
    arrays = arrays_of(**vars(batch()))
    before = plain(arrays["families"])
    found = plain(Lessons(Knowing()).prepare(arrays, np.ones((6, 1), np.float32))["families"])
    belief = np.broadcast_to(1 / (1 + np.exp(-np.array(Knowing.SAYS))), (6, 5))
    known = before[..., 1] == 1
    assert 0 < known.sum() < known.size
    blend = (1 - TEACHER_SHARE) * before[..., 0] + TEACHER_SHARE * belief
    np.testing.assert_allclose(found[..., 0][known], blend[known], atol=1e-6)
    np.testing.assert_allclose(found[..., 0][~known], belief[~known], atol=1e-6)
    np.testing.assert_allclose(found[..., 1], np.where(known, 1.0, 0.5))


def test_mixed_pictures_have_a_teachers_word_in_proportion() -> None:
    """Where a head's weight is between 0 and 1, so is the part that the teacher alone decides."""
    arrays = arrays_of(**vars(batch()))
    shares = np.full((6, 1), 0.75, np.float32)
    mixed = plain(Lessons(mixup=0.4).prepare(arrays, shares)["families"])
    found = plain(Lessons(Knowing(), mixup=0.4).prepare(arrays, shares)["families"])
    belief = 1 / (1 + np.exp(-np.array(Knowing.SAYS)))
    truth, weight = mixed[..., 0], mixed[..., 1]
    assert ((weight > 0) & (weight < 1)).any()
    own = weight * (1 - TEACHER_SHARE)
    np.testing.assert_allclose(found[..., 0], own * truth + (1 - own) * belief, atol=1e-6)
    np.testing.assert_allclose(found[..., 1], 0.5 + 0.5 * weight, atol=1e-6)


def test_a_teachers_values_are_given_as_an_argument_too() -> None:
    """As a compiled step takes them; the answer is the same."""
    image = keras.Input((224, 224, 3))
    x = keras.layers.AveragePooling2D(32)(image)
    x = keras.layers.BatchNormalization()(x)
    logit = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(1, 1)(x))
    lessons = Lessons(keras.Model(image, {"logit": logit, "hint_32": x}))
    arrays, shares = arrays_of(**vars(batch())), np.ones((6, 1), np.float32)
    values = lessons.values()
    assert values is not None
    assert [len(group) for group in values] == [4, 2]
    one, other = (lessons.prepare(arrays, shares, given) for given in (None, values))
    assert one.keys() == other.keys() == {*arrays, "hint_32"}
    for name, value in one.items():
        np.testing.assert_allclose(plain(value), plain(other[name]), atol=1e-6)
    assert Lessons().values() is None
