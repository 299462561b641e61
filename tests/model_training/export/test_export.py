from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from model_training.dataset.families import HEADS  # noqa: E402
from model_training.export import export as exporting  # noqa: E402
from model_training.export import half_precision  # noqa: E402
from model_training.export.export import compare, export, moved, parity, to_onnx  # noqa: E402
from model_training.export.fuse import fuse_batch_norms  # noqa: E402
from model_training.export.half_precision import halve_weights  # noqa: E402
from model_training.networks import model as networks  # noqa: E402
from model_training.networks.model import build_model, serving_model  # noqa: E402
from unmask.detector.classifier import Classifier  # noqa: E402
from unmask.detector.manifest import load_manifest  # noqa: E402
from unmask.detector.preprocess import Denoise, prepare  # noqa: E402

Crops = list[npt.NDArray[np.uint8]]


@pytest.fixture(scope="module")
def crops(portrait: npt.NDArray[np.uint8]) -> Crops:
    return [np.ascontiguousarray(portrait[:224, left : left + 224]) for left in (60, 110, 160)]


@pytest.fixture(scope="module")
def small() -> keras.Model:
    """A norm before its convolution and one after it, with the outputs of the serving model."""
    image = keras.Input((224, 224, 3), name="image")
    x = keras.layers.AveragePooling2D(16)(image)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Activation("relu")(x)
    x = keras.layers.Conv2D(8, 3, padding="same")(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Activation("relu")(x)
    heatmap = keras.layers.Conv2D(1, 1, activation="sigmoid")(x)
    activation = keras.layers.Conv2D(1, 1)(x)
    families = keras.layers.Dense(len(HEADS))(keras.layers.GlobalAveragePooling2D()(x))
    outputs = {"families": families, "heatmap": heatmap, "activation": activation}
    return _stirred(keras.Model(image, outputs))


@pytest.fixture(scope="module")
def plain(small: keras.Model) -> onnx.ModelProto:
    return to_onnx(small)


def test_a_norm_before_its_convolution_is_put_back(plain: onnx.ModelProto, crops: Crops) -> None:
    fused = _copy(plain)
    assert fuse_batch_norms(fused) == 1
    onnx.checker.check_model(fused, full_check=True)
    kinds = [node.op_type for node in fused.graph.node]
    assert kinds.count("BatchNormalization") == 1
    assert "Mul" not in kinds
    found = compare(
        plain.SerializeToString(), fused.SerializeToString(), crops, Denoise.NONE, rounds=2
    )
    assert found["max_difference"] < 1e-5
    assert found["speed_up_batch_8"] > 0


def test_fusing_again_finds_nothing(plain: onnx.ModelProto) -> None:
    fused = _copy(plain)
    fuse_batch_norms(fused)
    before = fused.SerializeToString()
    assert fuse_batch_norms(fused) == 0
    assert fused.SerializeToString() == before


def test_a_product_that_others_read_stays(plain: onnx.ModelProto) -> None:
    shared = _copy(plain)
    product = next(node for node in shared.graph.node if node.op_type == "Mul")
    shared.graph.output.append(onnx.ValueInfoProto(name=product.output[0]))
    assert fuse_batch_norms(shared) == 0


def test_keras_and_onnx_runtime_agree(
    small: keras.Model, plain: onnx.ModelProto, crops: Crops
) -> None:
    found = parity(small, plain.SerializeToString(), crops)
    assert found["pictures"] == 3
    assert set(found["max_difference"]) == {"families", "heatmap", "activation"}
    assert max(found["max_difference"].values()) < 1e-5


def test_half_the_bytes_say_the_same(
    monkeypatch: pytest.MonkeyPatch, plain: onnx.ModelProto, crops: Crops
) -> None:
    monkeypatch.setattr(half_precision, "LEAST_VALUES", 100)
    halved = _copy(plain)
    assert halve_weights(halved) == 1
    onnx.checker.check_model(halved, full_check=True)
    assert len(halved.SerializeToString()) < len(plain.SerializeToString())
    change = moved(plain.SerializeToString(), halved.SerializeToString(), crops, Denoise.NONE)
    assert 0 < change["heatmap"] < 1e-3


def test_a_weight_too_large_for_half_precision_is_refused(
    monkeypatch: pytest.MonkeyPatch, plain: onnx.ModelProto
) -> None:
    monkeypatch.setattr(half_precision, "LEAST_VALUES", 100)
    huge = _copy(plain)
    for tensor in huge.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.size >= 100:
            tensor.CopyFrom(onnx.numpy_helper.from_array(values * np.float32(1e9), tensor.name))
    with pytest.raises(ValueError, match="too large for half precision"):
        halve_weights(huge)


def thin_densenet(input_tensor: Any, **_: Any) -> keras.Model:
    """DenseNet's form with a hundredth of its layers: norms before their convolutions, maps that
    are joined to what they were made of, and four scales under the names that the decoder reads."""
    x = keras.layers.Conv2D(8, 7, strides=2, padding="same", use_bias=False)(input_tensor)
    for name in networks.LATERALS:
        made = keras.layers.BatchNormalization()(x)
        made = keras.layers.Activation("relu")(made)
        made = keras.layers.Conv2D(8, 3, padding="same", use_bias=False)(made)
        x = keras.layers.Concatenate()([x, made])
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Activation("relu")(x)
        x = keras.layers.Conv2D(16, 1, use_bias=False)(x)
        x = keras.layers.AveragePooling2D(2, name=name)(x)
    return keras.Model(input_tensor, x)


@pytest.fixture
def thin(monkeypatch: pytest.MonkeyPatch) -> keras.Model:
    """The network as it is built, decoder, heads and all, over a thin backbone."""
    monkeypatch.setattr(keras.applications, "DenseNet121", thin_densenet)
    return _stirred(build_model())


def test_the_heads_are_served_with_the_first_as_the_faces_own(
    thin: keras.Model, crops: Crops
) -> None:
    image = prepare(crops)
    trained, served = thin(image), serving_model(thin)(image)
    assert set(served) == {"families", "heatmap", "activation"}
    np.testing.assert_array_equal(served["families"], trained["families"])
    np.testing.assert_allclose(served["families"][:, :1], trained["logit"], atol=1e-6)
    means = np.asarray(served["activation"]).mean(axis=(1, 2))
    np.testing.assert_allclose(means, trained["logit"], atol=1e-5)
    chances = 1 / (1 + np.exp(-np.asarray(trained["heatmap_logit"])))
    np.testing.assert_allclose(served["heatmap"], chances, atol=1e-6)


def test_the_whole_network_is_exported(
    thin: keras.Model, tmp_path: Path, crops: Crops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(half_precision, "LEAST_VALUES", 100)
    manifest = export(thin, tmp_path, version="1.2.3", crops=crops, training={"epochs": 2})
    record = manifest.export
    assert record["fused_batch_norms"] >= 7  # two a scale, one of which follows a convolution
    assert record["parameters"] == thin.count_params()
    assert 0 < record["half_precision"]["max_moved"]["families"] < exporting.MAX_MOVED["families"]
    assert record["bytes"] == (tmp_path / manifest.file).stat().st_size <= exporting.MAX_BYTES
    assert record["parity"]["max_difference"]["families"] < 1e-4
    assert record["fusion"]["max_difference"] < 1e-4
    session = onnxruntime.InferenceSession(str(tmp_path / manifest.file))
    assert [value.name for value in session.get_inputs()] == ["image"]
    names = ["families", "heatmap", "activation"]
    for count in (1, 3):
        shapes = [out.shape for out in session.run(names, {"image": prepare(crops[:count])})]
        assert shapes == [(count, 5), (count, 112, 112, 1), (count, 7, 7, 1)]
    judged = Classifier(tmp_path / "manifest.json").judge(crops)
    assert len(judged) == 3
    assert judged[0].heatmap.shape == (112, 112)
    assert load_manifest(tmp_path / "manifest.json") == manifest
    assert manifest.judges == ("densenet121",)


def test_an_export_that_would_judge_otherwise_is_refused(
    monkeypatch: pytest.MonkeyPatch, small: keras.Model, tmp_path: Path, crops: Crops
) -> None:
    monkeypatch.setattr(exporting, "serving_model", lambda model: model)
    for output in ("families", "heatmap"):
        with monkeypatch.context() as stricter, pytest.raises(ValueError, match="half precision"):
            stricter.setitem(exporting.MAX_MOVED, output, -1.0)
            export(small, tmp_path, version="1", crops=crops)
    monkeypatch.setattr(exporting, "MAX_DIFFERENCE", {"families": -1.0})
    with pytest.raises(ValueError, match="differ by"):
        export(small, tmp_path, version="1", crops=crops)
    monkeypatch.setattr(exporting, "MAX_BYTES", 10)
    with pytest.raises(ValueError, match="bytes"):
        export(small, tmp_path, version="1", crops=crops)
    with pytest.raises(ValueError, match="real faces"):
        export(small, tmp_path, version="1", crops=[])
    assert list(tmp_path.iterdir()) == []


def _stirred(model: keras.Model) -> keras.Model:
    """Every norm given statistics of its own: fresh ones, all 0 and 1, would hide a mistake."""
    random = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            layer.set_weights([random.uniform(0.8, 1.2, shape).astype("f4") for _ in range(4)])
    return model


def _copy(model: onnx.ModelProto) -> onnx.ModelProto:
    twin = onnx.ModelProto()
    twin.CopyFrom(model)
    return twin
