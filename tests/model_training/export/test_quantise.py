"""The DenseNet121 of 8 bits: what stays the same, what is rounded, and what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, numpy_helper

from model_training.cli.main import main
from model_training.export.calibration import Observed, best_range, observe, rounded
from model_training.export.eight_bits import quantise
from model_training.export.equalise import Network, equalise_inputs, equalise_outputs
from model_training.export.quantise import write_quantised
from tests.model_training.dense_model import dense_model, write_dense_model
from tests.model_training.faces import head, write_dataset
from unmask.detector.align import Floats, Pixels
from unmask.detector.classifier import Classifier
from unmask.detector.engines.onnxruntime import on_cpu
from unmask.detector.engines.protocol import Engines
from unmask.detector.manifest import load_manifest
from unmask.detector.preprocess import prepare
from unmask.errors import UnmaskError


@pytest.fixture(scope="module")
def crops(portrait: Pixels) -> list[Pixels]:
    return [head(portrait, number)[0][:224, :224] for number in range(6)]


def answers(data: bytes, images: Floats) -> list[Floats]:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return list(session.run(["families", "heatmap"], {"image": images}))


def nodes(data: bytes, kind: str) -> list[onnx.NodeProto]:
    graph = onnx.load_model_from_string(data).graph
    return [node for node in graph.node if node.op_type == kind]


def test_the_convolutions_of_features_are_those_of_the_block_and_the_transition() -> None:
    network = Network(onnx.load_model_from_string(dense_model()))
    assert len(network.features()) == 5
    assert sum(map(network.is_feature, network.features())) == 3


def test_equalising_changes_no_answer_and_makes_channels_alike(crops: list[Pixels]) -> None:
    data, images = dense_model(), prepare(crops)
    network = Network(onnx.load_model_from_string(data))
    inputs = [node.input[0] for node in network.features()]
    outputs = [node.output[0] for node in network.features() if network.is_feature(node)]
    before = observe(network.model, [*inputs, *outputs], images)
    equalise_inputs(network, before)
    equalise_outputs(network, before)
    changed = network.changed()
    for one, other in zip(
        answers(data, images), answers(changed.SerializeToString(), images), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
    after = observe(changed, [*inputs, *outputs], images)
    for name in outputs:
        np.testing.assert_allclose(after[name].greatest, 1, atol=1e-3)
        np.testing.assert_allclose(after[name].least, -1, atol=1e-3)
    assert spread(after[inputs[0]]) < spread(before[inputs[0]]) / 2


def spread(seen: Observed) -> float:
    """How many times as wide the widest channel is as the narrowest that holds anything."""
    return float(seen.greatest.max() / seen.greatest[seen.greatest > 0].min())


def test_the_best_range_leaves_out_what_is_rare() -> None:
    sample = np.random.default_rng(0).uniform(0, 1, (5000, 2)).astype(np.float32)
    seen = Observed(np.zeros(2, np.float32), np.array([1, 3], np.float32), sample)
    low, high = best_range(seen)
    assert low == 0
    assert 0.99 < high < 1.1
    assert np.abs(rounded(sample, (low, high)) - sample).max() <= high / 255


@pytest.mark.parametrize("with_outputs", [True, False])
def test_products_are_of_8_bits_and_answers_stay_near(
    crops: list[Pixels], with_outputs: bool
) -> None:
    plain, images = dense_model(), prepare(crops)
    data, count = quantise(plain, images, with_outputs)
    assert count == 5
    model = onnx.load_model_from_string(data)
    constants = {one.name: one for one in model.graph.initializer}
    weights = [node for node in nodes(data, "DequantizeLinear") if node.input[0] in constants]
    kernels = [node for node in weights if constants[node.input[0]].data_type == TensorProto.INT8]
    assert len(kernels) == 5
    for node in kernels:  # a scale for each output channel
        channels = constants[node.input[0]].dims[0]
        assert len(numpy_helper.to_array(constants[node.input[1]])) == channels
        assert next(each.i for each in node.attribute if each.name == "axis") == 0
    # what is read and, for ONNX Runtime, what is made
    assert len(nodes(data, "QuantizeLinear")) == (8 if with_outputs else 5)
    (logits, maps), (own, own_maps) = answers(plain, images), answers(data, images)
    assert np.abs(own - logits).max() < 0.05 * np.abs(logits).max()
    assert np.abs(own_maps - maps).mean() < 0.02


def test_a_network_without_dense_blocks_is_refused(tmp_path: Path, crops: list[Pixels]) -> None:
    from tests.models import colour_model

    with pytest.raises(ValueError, match="no dense blocks"):
        quantise(colour_model(), prepare(crops), True)


def test_the_folder_serves_and_says_what_it_is(tmp_path: Path, crops: list[Pixels]) -> None:
    plain = write_dense_model(tmp_path)
    path = write_quantised(plain, tmp_path / "int8", crops, "onnxruntime")
    manifest, original = load_manifest(path), load_manifest(plain)
    assert manifest.quantised is not None
    assert manifest.quantised.of == original.sha256
    assert (manifest.quantised.faces, manifest.quantised.convolutions) == (6, 5)
    assert manifest.quantised.engine == "onnxruntime"
    assert manifest.version == f"{original.version}-int8"
    assert manifest.thresholds == original.thresholds
    engines = Engines.same(on_cpu(1))
    own, wanted = (Classifier(each, 1, engines).judge(crops) for each in (path, plain))
    for one, other in zip(own, wanted, strict=True):
        assert abs(one.fake_probability - other.fake_probability) < 0.05
    (tmp_path / "int8" / manifest.file).write_bytes(b"another")
    with pytest.raises(UnmaskError) as error:
        Classifier(path, 1, engines)
    assert error.value.code == "model_mismatch"


def test_files_of_the_second_judge_come_along(
    tmp_path: Path, two_judges: Path, crops: list[Pixels], monkeypatch: pytest.MonkeyPatch
) -> None:
    from model_training.export import quantise as module

    monkeypatch.setattr(module, "quantise", lambda data, images, with_outputs: (data, 1))
    path = write_quantised(two_judges, tmp_path, crops, "openvino")
    assert Classifier(path, 1, Engines.same(on_cpu(1))).manifest.judges == ("densenet121", "clip")


def test_what_cannot_be_written_is_refused(tmp_path: Path, crops: list[Pixels]) -> None:
    plain = write_dense_model(tmp_path)
    with pytest.raises(ValueError, match="none were found"):
        write_quantised(plain, tmp_path / "int8", [], "onnxruntime")
    with pytest.raises(ValueError, match="holds the model itself"):
        write_quantised(plain, tmp_path, crops, "onnxruntime")
    path = write_quantised(plain, tmp_path / "int8", crops, "openvino")
    with pytest.raises(ValueError, match="of 8 bits already"):
        write_quantised(path, tmp_path / "again", crops, "openvino")


def test_the_command_writes_measures_and_tells(
    tmp_path: Path, portrait: Pixels, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_dataset(tmp_path / "data", portrait, each=2)
    model = write_dense_model(tmp_path)
    out = tmp_path / "int8"

    def run(command: str, *more: Any) -> tuple[int, str, str]:
        arguments = [command, "--data", data, "--model", model, "--out", out, *more]
        status = main([str(each) for each in arguments])
        return status, *capsys.readouterr()

    status, said, _ = run("quantise", "--faces", "4", "--every", "1")
    assert status == 0
    assert "densenet121 on onnxruntime, 8 bits, 4 pictures of val: " in said
    assert "serve unasked" in said
    status, said, _ = run("engines", "--quantised", out, "--split", "train", "--every", "2")
    assert status == 0
    for wrong, text in (
        (("--data", tmp_path / "none"), "is not a folder"),
        (("--faces", "0"), "none were found"),
    ):
        status, _, fault = run("quantise", *wrong)
        assert (status, fault.count("\n")) == (2, 1)
        assert text in fault
    (tmp_path / "int8" / "manifest.json").unlink()
    assert run("engines", "--quantised", out)[0] == 2
