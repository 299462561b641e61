"""CLIP's tower and heads in ONNX Runtime say what they say in Keras; shown on a thin tower."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from model_training.export.clip import heads_model, tower_model, tuned_arrays  # noqa: E402
from model_training.networks import clip  # noqa: E402
from model_training.networks.clip import build_heads, build_tower  # noqa: E402
from tests.model_training.thin_clip import (  # noqa: E402
    SHALLOW,
    WIDTH,
    Arrays,
    arrays_of,
    stirred,
    thin,
)
from unmask.detector.session import open_session  # noqa: E402

Floats = npt.NDArray[np.float32]
TOKENS = ["tokens_1", "tokens_2"]


@dataclass(frozen=True)
class Tower:
    """A published tower, what training made of it, and what Keras says that it gives then."""

    published: Arrays
    trained: Arrays
    tokens: dict[str, Floats]


@pytest.fixture(scope="module", autouse=True)
def _shallow() -> Iterator[None]:
    yield from thin(**SHALLOW)


@pytest.fixture(scope="module")
def image() -> Floats:
    """Smooth pictures: noise alone would leave the tokens of a picture much alike."""
    coarse = np.random.default_rng(0).uniform(-1, 1, (3, 7, 7, 3)).astype(np.float32)
    return np.ascontiguousarray(np.kron(coarse, np.ones((1, 32, 32, 1), np.float32)))


@pytest.fixture(scope="module")
def tower(image: Floats) -> Tower:
    model = stirred(build_tower())
    trained = arrays_of(model)
    found = {name: plain(value) for name, value in model(image).items()}
    first = arrays_of(stirred(build_tower(), seed=1))
    frozen = {name for name in trained if name.endswith(("/kernel", "/scale"))}
    frozen |= {name for name in trained if name.startswith("embedding/")}
    published = {name: (trained if name in frozen else first)[name] for name in trained}
    return Tower(published, trained, found)


def plain(value: Any) -> Floats:
    return np.asarray(keras.ops.convert_to_numpy(value))


def said(model: onnx.ModelProto, feed: dict[str, Floats], folder: Path, **values: Any) -> Any:
    """What ONNX Runtime makes of it, opened as serving opens it."""
    data = model.SerializeToString()
    path = folder / f"{len(list(folder.iterdir()))}.onnx"
    path.write_bytes(data)
    session = open_session(path, hashlib.sha256(data).hexdigest(), 1, **values)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feed), strict=True))


def assert_near(found: Floats, wanted: Floats) -> None:
    """Nearly everywhere to six digits; where a value lay between two steps it may fall to either
    side, which moves a token by a step."""
    assert found.shape == wanted.shape
    gaps = np.abs(found - wanted)
    spread = wanted.std()
    assert np.quantile(gaps, 0.9) < 1e-4 * spread
    assert gaps.mean() < 2e-3 * spread
    assert gaps.max() < 0.2 * spread


def test_the_tower_gives_the_tokens_of_keras(tower: Tower, image: Floats, tmp_path: Path) -> None:
    found = said(tower_model(tower.trained), {"image": image}, tmp_path)
    assert list(found) == TOKENS
    for name in TOKENS:
        assert found[name].shape == (3, 197, WIDTH)
        assert_near(found[name], tower.tokens[name])


def test_what_was_trained_takes_the_places_of_what_was_published(
    tower: Tower, image: Floats, tmp_path: Path
) -> None:
    published, tuned = tower_model(tower.published), tuned_arrays(tower.trained)
    stored = {tensor.name: tensor for tensor in published.graph.initializer}
    assert set(tuned) <= set(stored)
    for name, array in tuned.items():
        assert array.dtype == np.float32
        assert tuple(stored[name].dims) == array.shape, name
    alone = said(published, {"image": image}, tmp_path)
    both = said(published, {"image": image}, tmp_path, weights=tuned)
    wanted = said(tower_model(tower.trained), {"image": image}, tmp_path)
    for name in TOKENS:
        np.testing.assert_array_equal(both[name], wanted[name])
        assert np.abs(alone[name] - wanted[name]).mean() > 0.1


def test_only_small_vectors_are_tuned(tower: Tower) -> None:
    """The matrices stay the published bytes, and with them the tower's file."""
    one, other = (tower_model(arrays) for arrays in (tower.published, tower.trained))
    tuned = tuned_arrays(tower.trained)
    for a, b in zip(one.graph.initializer, other.graph.initializer, strict=True):
        assert a.name == b.name
        if a.name not in tuned:
            assert a.SerializeToString() == b.SerializeToString(), a.name
    assert all(array.ndim == 1 for array in tuned.values())
    kinds = {tensor.name: tensor.data_type for tensor in one.graph.initializer}
    for number in (1, 2):
        assert kinds[f"block_{number}_widen/kernel"] == onnx.TensorProto.INT8
    assert [node.op_type for node in one.graph.node].count("MatMulIntegerToFloat") == 12


def test_no_picture_hangs_on_another(tower: Tower, image: Floats, tmp_path: Path) -> None:
    model = tower_model(tower.trained)
    together = said(model, {"image": image}, tmp_path)
    for index in range(3):
        other = np.concatenate([image[index : index + 1], np.ones_like(image[:1])])
        alone = said(model, {"image": image[index : index + 1]}, tmp_path)
        paired = said(model, {"image": other}, tmp_path)
        for name in TOKENS:
            assert_near(alone[name][0], together[name][index])
            assert_near(paired[name][0], together[name][index])


def test_the_heads_say_what_they_say_in_keras(tower: Tower, tmp_path: Path) -> None:
    heads = stirred(build_heads(), seed=2)
    model = heads_model(arrays_of(heads))
    found = said(model, tower.tokens, tmp_path)
    wanted = {name: plain(value) for name, value in heads(tower.tokens).items()}
    assert list(found) == ["families", "heatmap"]
    assert found["families"].shape == (3, 5)
    assert found["heatmap"].shape == (3, 112, 112, 1)
    np.testing.assert_allclose(found["families"], wanted["families"], atol=1e-4)
    chances = 1 / (1 + np.exp(-wanted["heatmap_logit"]))
    np.testing.assert_allclose(found["heatmap"], chances, atol=1e-5)
    assert np.ptp(chances) > 0.05
    assert np.std(wanted["families"]) > 0.1


def test_the_heads_matrices_are_stored_in_half_precision(tmp_path: Path) -> None:
    heads = build_heads()
    model = heads_model(arrays_of(heads))
    kinds = {tensor.name: numpy_helper.to_array(tensor).dtype for tensor in model.graph.initializer}
    assert kinds["joined/kernel/half"] == np.float16
    matrices = [name for name in arrays_of(heads) if name.endswith("/kernel")]
    assert all(f"{name}/half" in kinds for name in matrices)
    assert not any(name in kinds for name in matrices)


def test_both_files_are_whole(tower: Tower) -> None:
    for model in (tower_model(tower.trained), heads_model(arrays_of(build_heads()))):
        onnx.checker.check_model(model, full_check=False)
        onnxruntime.InferenceSession(model.SerializeToString())
    assert clip.DEPTHS == (1, 2)  # and all of this was thin
