"""The published tower is read to the last number, and another file is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from model_training.networks.clip import build_tower, is_frozen  # noqa: E402
from model_training.networks.clip_weights import read_tower  # noqa: E402
from model_training.networks.model import load_all, read_weights, save_weights  # noqa: E402
from tests.model_training.thin_clip import (  # noqa: E402
    SHALLOW,
    Arrays,
    arrays_of,
    published,
    stirred,
    thin,
    write_published,
)


@pytest.fixture(autouse=True)
def _shallow() -> Iterator[None]:
    yield from thin(**SHALLOW)


@pytest.fixture
def arrays() -> Arrays:
    return arrays_of(stirred(build_tower()))


def test_every_number_finds_its_place(tmp_path: Path, arrays: Arrays) -> None:
    found = read_tower(write_published(tmp_path / "tower.onnx", arrays))
    assert set(found) == set(arrays)
    for name, array in found.items():
        wanted = np.zeros_like(array) if name.endswith("/gain") else arrays[name]
        np.testing.assert_array_equal(array, wanted, err_msg=name)
        assert (array.dtype == np.int8) == name.startswith("block_") * name.endswith("/kernel")


def test_what_is_trained_and_what_is_published_make_the_tower(
    tmp_path: Path, arrays: Arrays
) -> None:
    """A run's file leaves out what is frozen; the published file fills it in."""
    trained = stirred(build_tower(), seed=1)
    load_all(trained, {**arrays_of(trained), **{n: a for n, a in arrays.items() if "/kernel" in n}})
    save_weights(trained, tmp_path / "best.npz", "float32")
    kept = read_weights(tmp_path / "best.npz")
    assert set(kept) == {v.path for v in trained.weights if not is_frozen(v)}
    found = {**read_tower(write_published(tmp_path / "tower.onnx", arrays)), **kept}
    again = build_tower()
    load_all(again, found)
    for name, array in arrays_of(again).items():
        layer, _, part = name.rpartition("/")
        frozen = layer == "embedding" or part in {"kernel", "scale"}
        np.testing.assert_array_equal(array, (arrays if frozen else arrays_of(trained))[name])
    with pytest.raises(ValueError, match="lack"):
        load_all(build_tower(), kept)


def spoilt(model: onnx.ModelProto, folder: Path) -> Path:
    (folder / "other.onnx").write_bytes(model.SerializeToString())
    return folder / "other.onnx"


def test_weights_about_another_middle_are_refused(tmp_path: Path, arrays: Arrays) -> None:
    model = published(arrays)
    (zero,) = (t for t in model.graph.initializer if t.name == "onnx::MatMul_1_value_zero_point")
    values = numpy_helper.to_array(zero).copy()
    values[3] = 1
    zero.CopyFrom(numpy_helper.from_array(values, zero.name))
    with pytest.raises(ValueError, match=r"v_proj are not symmetric"):
        read_tower(spoilt(model, tmp_path))


def test_a_tower_that_lacks_a_product_is_refused(tmp_path: Path, arrays: Arrays) -> None:
    model = published(arrays)
    (node,) = (n for n in model.graph.node if n.name.endswith("layers.1/mlp/fc2/MatMul_quant"))
    node.op_type = "MatMul"  # as in the file that is not quantised
    with pytest.raises(ValueError, match=r"no int8 product mlp/fc2 in block 1"):
        read_tower(spoilt(model, tmp_path))


@pytest.mark.parametrize(
    "name",
    [
        "vision_model.embeddings.class_embedding",
        "vision_model.encoder.layers.0.layer_norm2.bias",
        "vision_model.encoder.layers.1.self_attn.q_proj.bias",
        "onnx::MatMul_0_out_scale",
    ],
)
def test_another_network_is_refused(tmp_path: Path, arrays: Arrays, name: str) -> None:
    model = published(arrays)
    kept = [tensor for tensor in model.graph.initializer if tensor.name != name]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    with pytest.raises(ValueError, match="not CLIP's int8 image tower") as refusal:
        read_tower(spoilt(model, tmp_path))
    assert name in str(refusal.value)
