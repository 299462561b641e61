"""Mixed pictures, a teacher's opinion and its hints."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from model_training.dataset.batches import Batch  # noqa: E402
from model_training.networks.losses import HINT_SHARE, hint_loss  # noqa: E402
from model_training.networks.model import build_model, load_warmstart, read_weights  # noqa: E402
from model_training.networks.teacher import (  # noqa: E402
    build_teacher,
    convert,
    hint_heads,
    layer_names,
)
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
    )


class Stand(keras.Model):  # type: ignore[misc]
    """A teacher that tells bright pictures from dark ones."""

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
    given = Batch(np.zeros((4000, 1)), *[np.zeros(0)] * 3)  # type: ignore[arg-type]
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
    assert set(found) == {"image", "logit", "heatmap_logit", "hint_16"}


def test_the_loss_of_a_hint_knows_no_scale() -> None:
    random = np.random.default_rng(2)
    target = random.normal(3, 20, (2, 5, 5, 4)).astype(np.float32)
    right = (target - target.mean((0, 1, 2))) / target.std((0, 1, 2))
    assert plain(hint_loss(target, right)).max() < 1e-4
    nothing = plain(hint_loss(target, np.zeros_like(target)))
    assert nothing.shape == (2,)
    assert nothing.mean() == pytest.approx(HINT_SHARE, rel=1e-3)


def test_the_teacher_is_lite2_and_the_network_guesses_its_maps() -> None:
    teacher, model = build_teacher(), build_model(decoder=False)
    assert teacher.count_params() - 1281 == 4_869_168  # the published network less its classifier
    heads = hint_heads(model, teacher)
    for name, head in heads.items():
        assert head.shape == teacher.output[name].shape, name
    assert set(heads) == {"hint_16", "hint_32"}


def test_a_pytorch_file_becomes_the_teachers_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With PyTorch's reader replaced by one that gives its order of axes: (out, in, h, w)."""
    random = np.random.default_rng(4)
    ours = {weight.path: tuple(weight.shape) for weight in build_teacher().weights}
    stored: dict[str, Any] = {}
    for layer, kernel, norm in layer_names():
        axes = (2, 3, 0, 1) if "depthwise" in layer else (3, 2, 0, 1)
        shape = [ours[f"{layer}/kernel"][axis] for axis in axes]
        stored[f"{kernel}.weight"] = random.normal(size=shape).astype(np.float32)
        for name in ("weight", "bias", "running_mean", "running_var"):
            stored[f"{norm}.{name}"] = random.normal(size=shape[0]).astype(np.float32)
    tensors = {name: SimpleNamespace(numpy=value.copy) for name, value in stored.items()}
    torch = SimpleNamespace(load=lambda *_, **__: tensors)
    monkeypatch.setitem(sys.modules, "torch", torch)
    out = tmp_path / "new" / "teacher.npz"
    assert convert(tmp_path / "file.pth", out) == len(ours) - 2  # all but the last layer's
    teacher = build_teacher()
    assert load_warmstart(teacher, read_weights(out)) == len(ours) - 2
    stem = plain(teacher.get_layer("stem").kernel)
    np.testing.assert_allclose(stem[1, 2, 0, 5], stored["_conv_stem.weight"][5, 0, 1, 2], rtol=1e-3)
    del tensors["_conv_head.weight"]
    with pytest.raises(ValueError, match="_conv_head"):
        convert(tmp_path / "file.pth", out)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match="PyTorch is needed"):
        convert(tmp_path / "file.pth", out)
