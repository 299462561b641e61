"""CLIP's tower in Keras: its rounding against plain numpy, and the shapes of what it gives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from model_training.dataset.families import HEADS  # noqa: E402
from model_training.networks import clip  # noqa: E402
from model_training.networks.clip import (  # noqa: E402
    GELU_FLOOR,
    QuantisedDense,
    build_clip,
    build_heads,
    build_tower,
    is_frozen,
    rounded,
    rounded_above,
)
from model_training.networks.hints import hint_heads  # noqa: E402
from tests.model_training.thin_clip import SHALLOW, WIDTH, stirred, thin  # noqa: E402

Floats = npt.NDArray[np.float32]


def plain(value: Any) -> npt.NDArray[Any]:
    return np.asarray(keras.ops.convert_to_numpy(value))


def tokens(seed: int = 0, least: float = -np.inf) -> Floats:
    """Tokens (2, 5, 24) of quite different sizes, one of them all zero."""
    random = np.random.default_rng(seed)
    found = random.normal(0, 1, (2, 5, 24)) * np.array([0.01, 1, 40, 0, 3])[None, :, None]
    return np.maximum(found, least).astype(np.float32)


# ---- rounding ----------------------------------------------------------------------------------


def test_each_token_is_rounded_by_its_own_greatest_value() -> None:
    x = tokens()
    whole, step = (plain(value) for value in rounded(x))
    greatest = np.abs(x).max(axis=2, keepdims=True)
    np.testing.assert_allclose(step, np.maximum(greatest / 127, 1e-12), rtol=1e-6)
    np.testing.assert_array_equal(whole, np.round(whole))
    assert (np.abs(whole).max(axis=2)[:, [0, 1, 2, 4]] == 127).all()
    assert (whole[:, 3] == 0).all()  # and nothing is divided by nought
    assert (np.abs(whole * step - x) <= step * 0.5001).all()


def test_tokens_with_a_floor_use_every_level() -> None:
    x = tokens(least=-0.1)
    whole, step = (plain(value) for value in rounded_above(x, -0.1))
    span = x.max(axis=2, keepdims=True) + np.float32(0.1)
    np.testing.assert_allclose(step, np.maximum(span / 255, 1e-12), rtol=1e-5)
    np.testing.assert_array_equal(whole, np.round(whole))
    assert (whole.max(axis=2) == 127).all()
    assert whole.min() == -128
    assert (np.abs((whole + 128) * step - 0.1 - x) <= step * 0.501).all()


def test_another_picture_in_the_batch_changes_nothing() -> None:
    x = tokens()
    both, alone = rounded(x), rounded(x[:1])
    for one, other in zip(both, alone, strict=True):
        np.testing.assert_array_equal(plain(one)[:1], plain(other))


@pytest.mark.parametrize("floor", [None, -0.1])
def test_gradients_pass_the_rounding(floor: float | None) -> None:
    """As if there were none: the value that was rounded falls and rises with its input."""
    x = tf.constant(tokens(least=-0.1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        whole, step = rounded(x) if floor is None else rounded_above(x, floor)
        value = tf.reduce_sum(whole * step)
    slope = tape.gradient(value, x).numpy()
    np.testing.assert_allclose(slope, np.ones_like(slope), rtol=1e-4)


# ---- products ----------------------------------------------------------------------------------


def dense(units: int = 7, floor: float | None = None) -> Any:
    layer = QuantisedDense(units, floor)
    layer.build((None, 5, 24))
    random = np.random.default_rng(3)
    layer.kernel.assign(random.integers(-127, 128, (24, units)))
    for name in ("scale", "gain", "bias"):
        getattr(layer, name).assign(random.normal(0, 0.3, units))
    return layer


@pytest.mark.parametrize("floor", [None, GELU_FLOOR])
def test_a_product_is_that_of_whole_numbers(floor: float | None) -> None:
    """With sums in 64 bits, in which nothing is lost."""
    layer, x = dense(floor=floor), tokens(least=-np.inf if floor is None else floor)
    whole, step = (
        plain(value) for value in (rounded(x) if floor is None else rounded_above(x, floor))
    )
    kernel = plain(layer.kernel).astype(np.int64)
    assert plain(layer.kernel).dtype == np.int8
    if floor is None:
        sums = step.astype(np.float64) * (whole.astype(np.int64) @ kernel)
    else:
        sums = step.astype(np.float64) * ((whole.astype(np.int64) + 128) @ kernel)
        sums = sums + floor * kernel.sum(axis=0)
    factor = plain(layer.scale).astype(np.float64) * (1 + plain(layer.gain).astype(np.float64))
    wanted = sums * factor + plain(layer.bias)
    np.testing.assert_allclose(plain(layer(x)), wanted, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("floor", [None, GELU_FLOOR])
def test_a_product_errs_little(floor: float | None) -> None:
    """Against the one that is not rounded at all."""
    layer, x = dense(floor=floor), tokens(least=-np.inf if floor is None else floor)
    kernel = plain(layer.kernel) * (plain(layer.scale) * (1 + plain(layer.gain)))
    wanted = x.astype(np.float64) @ kernel + plain(layer.bias)
    found = plain(layer(x))
    for token in range(x.shape[1]):
        size = np.abs(wanted[:, token] - plain(layer.bias)).max()
        assert np.abs(found[:, token] - wanted[:, token]).max() <= 0.02 * size + 0.3, token


def test_only_gains_and_biases_are_trained() -> None:
    layer = dense()
    assert [variable.path.split("/")[-1] for variable in layer.trainable_variables] == [
        "gain",
        "bias",
    ]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(tf.constant(tokens())))
    slopes = tape.gradient(loss, [variable.value for variable in layer.trainable_variables])
    assert all(np.abs(slope.numpy()).min() > 0 for slope in slopes)


# ---- networks ----------------------------------------------------------------------------------


@pytest.fixture
def _thin() -> Iterator[None]:
    yield from thin()


@pytest.fixture
def _shallow() -> Iterator[None]:
    yield from thin(**SHALLOW)


def image(count: int = 2) -> Floats:
    return np.random.default_rng(0).uniform(-1, 1, (count, 224, 224, 3)).astype(np.float32)


@pytest.mark.usefixtures("_shallow")
def test_the_tower_gives_the_tokens_of_its_depths() -> None:
    tower = stirred(build_tower())
    found = tower(image())
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "tokens_1": (2, 197, WIDTH),
        "tokens_2": (2, 197, WIDTH),
    }
    trained = {variable.path.rpartition("/")[2] for variable in tower.trainable_variables}
    assert trained == {"gamma", "beta", "gain", "bias"}
    frozen = {v.path for v in tower.weights if is_frozen(v)}
    assert frozen == {v.path for v in tower.non_trainable_variables}


@pytest.mark.usefixtures("_shallow")
def test_a_patch_of_the_picture_is_a_token_in_its_place() -> None:
    """Before any block has mixed them: rows from the top, the class token in front."""
    tower = stirred(build_tower())
    embedding = keras.Model(tower.input, tower.get_layer("embedding").output)
    plain_picture = image(1)
    marked = plain_picture.copy()
    marked[0, 16:32, 32:48] *= -1  # second row, third column
    moved = np.abs(plain(embedding(marked)) - plain(embedding(plain_picture))).max(axis=(0, 2))
    assert np.flatnonzero(moved > 1e-4).tolist() == [1 + 14 + 2]


@pytest.mark.usefixtures("_shallow")
def test_the_heads_give_a_logit_a_family_and_a_heatmap() -> None:
    heads = stirred(build_heads())
    random = np.random.default_rng(1)
    given = {f"tokens_{depth}": random.normal(size=(3, 197, WIDTH)) for depth in clip.DEPTHS}
    found = heads({name: value.astype(np.float32) for name, value in given.items()})
    assert tuple(found["families"].shape) == (3, len(HEADS)) == (3, 5)
    assert tuple(found["heatmap_logit"].shape) == (3, 112, 112, 1)
    assert np.ptp(plain(found["heatmap_logit"])) > 0
    assert not any(is_frozen(variable) for variable in heads.weights)


@pytest.mark.usefixtures("_shallow")
def test_a_patchs_numbers_lie_over_it() -> None:
    heads = stirred(build_heads())
    given = {
        f"tokens_{depth}": np.zeros((1, 197, WIDTH), np.float32) + np.linspace(0, 1, WIDTH)
        for depth in clip.DEPTHS
    }
    before = plain(heads(given)["heatmap_logit"])
    given["tokens_1"] = given["tokens_1"].copy()
    given["tokens_1"][0, 1 + 14 * 3 + 5] = np.linspace(2, -2, WIDTH)  # fourth row, sixth column
    after = plain(heads(given)["heatmap_logit"])
    rows, columns = np.nonzero(np.abs(after - before)[0, ..., 0] > 1e-5)
    # eight pixels a patch, and one more where the enlargement blends
    assert 3 * 8 - 1 <= rows.min() <= rows.max() <= 4 * 8
    assert 5 * 8 - 1 <= columns.min() <= columns.max() <= 6 * 8


@pytest.mark.usefixtures("_thin")
def test_the_whole_gives_what_training_and_the_densenet_need() -> None:
    model = stirred(build_clip())
    found = {name: plain(value) for name, value in model(image()).items()}
    assert {name: value.shape for name, value in found.items()} == {
        "logit": (2, 1),
        "families": (2, 5),
        "heatmap_logit": (2, 112, 112, 1),
        "hint_16": (2, 14, 14, WIDTH),
        "hint_32": (2, 7, 7, WIDTH),
    }
    np.testing.assert_array_equal(found["logit"], found["families"][:, :1])
    assert np.isfinite(np.concatenate([value.ravel() for value in found.values()])).all()
    names = {variable.path for variable in model.weights}
    assert len(names) == len(model.weights)
    assert "block_12_narrow/kernel" in names


@pytest.mark.usefixtures("_thin")
def test_the_densenet_guesses_the_maps_of_its_teacher() -> None:
    image_of = keras.Input((224, 224, 3))
    middle = keras.layers.AveragePooling2D(16, name="pool4_conv")(image_of)
    last = keras.layers.AveragePooling2D(2, name="relu")(middle)
    teacher = build_clip()
    guesses = hint_heads(keras.Model(image_of, last), teacher)
    assert set(guesses) == {"hint_16", "hint_32"}
    for name, guess in guesses.items():
        assert guess.shape == teacher.output[name].shape, name
    learner = keras.Model(image_of, guesses)
    assert all(not plain(value).any() for value in learner(image()).values())  # at first, nothing
