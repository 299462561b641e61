"""The average of the weights, against plain numpy."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from model_training.networks.ema import WeightAverage  # noqa: E402

Arrays = list[np.ndarray[Any, Any]]


@pytest.fixture
def model() -> Any:
    keras.utils.set_random_seed(0)
    layers = [keras.Input((3,)), keras.layers.Dense(2), keras.layers.BatchNormalization()]
    return keras.Sequential(layers)


def values(model: Any) -> Arrays:
    return [np.array(keras.ops.convert_to_numpy(weight)) for weight in model.weights]


def stir(model: Any, seed: int) -> Arrays:
    random = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape).astype(np.float32))
    return values(model)


def assert_close(found: Arrays, wanted: Arrays) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_average_is_that_of_plain_numpy(model: Any) -> None:
    average = WeightAverage(model, momentum=0.99)
    wanted = values(model)
    for step in range(1, 61):
        now = stir(model, step)
        average.update(step)
        if step % WeightAverage.EVERY == 0:
            keep = min(0.99**WeightAverage.EVERY, (1 + step) / (50 + step))
            wanted = [keep * a + (1 - keep) * b for a, b in zip(wanted, now, strict=True)]
        assert_close(average.state(), wanted)


def test_statistics_of_normalisation_are_averaged_too(model: Any) -> None:
    average = WeightAverage(model)
    assert len(average.state()) == len(model.weights) == 6
    assert len(model.trainable_weights) == 4


def test_late_steps_count_little_and_early_ones_much(model: Any) -> None:
    for step, least, most in ((5, 0.85, 0.95), (100_000, 0.001, 0.01)):
        average = WeightAverage(model)
        before = average.state()
        now = stir(model, step)
        average.update(step)
        moved = (average.state()[0] - before[0]) / (now[0] - before[0])
        assert least < moved.mean() < most


def test_swapping_twice_changes_nothing(model: Any) -> None:
    average = WeightAverage(model)
    first = values(model)
    now = stir(model, 1)
    average.swap()
    assert_close(values(model), first)
    assert_close(average.state(), now)
    average.swap()
    assert_close(values(model), now)
    assert_close(average.state(), first)


def test_the_average_does_not_follow_the_weights_by_itself(model: Any) -> None:
    average = WeightAverage(model)
    before = average.state()
    stir(model, 1)
    for step in (1, 2, 3, 4, 6, 9):
        average.update(step)
    assert_close(average.state(), before)


def test_a_saved_state_is_taken_up(model: Any) -> None:
    one, other = WeightAverage(model), WeightAverage(model)
    stir(model, 1)
    one.update(5)
    other.restore(one.state())
    assert_close(other.state(), one.state())
    stir(model, 2)
    for average in (one, other):
        average.update(10)
    assert_close(other.state(), one.state())


class Counted(keras.layers.Layer):  # type: ignore[misc]
    """A layer with an 8-bit matrix that is never trained, and a factor that is."""

    def build(self, _: Any) -> None:
        fixed = {"trainable": False, "initializer": "zeros"}
        self.whole = self.add_weight(name="whole", shape=(3, 2), dtype="int8", **fixed)
        self.factor = self.add_weight(name="factor", shape=(2,), initializer="ones")
        self.whole.assign(np.arange(6).reshape(3, 2) * 20)

    def call(self, inputs: Any) -> Any:
        return keras.ops.matmul(inputs, keras.ops.cast(self.whole, inputs.dtype)) * self.factor


def test_whole_numbers_are_left_as_they_are() -> None:
    model = keras.Sequential([keras.Input((3,)), Counted()])
    factor, whole = model.weights
    average = WeightAverage(model, momentum=0.9)
    assert len(average.state()) == 1
    for step in range(1, 21):
        factor.assign([float(step), 0.0])
        average.update(step)
    assert 1 < average.state()[0][0] < 20
    before = keras.ops.convert_to_numpy(whole)
    average.swap()
    assert 1 < float(factor[0]) < 20
    assert whole.dtype == "int8"
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(whole), before)
    assert before.max() == 100
    other = WeightAverage(model)
    other.restore(average.state())
    assert_close(other.state(), average.state())
