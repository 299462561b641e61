"""OpenVINO gives ONNX Runtime's answers, as nearly as its numbers allow."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.models import CLIP_TOKENS, clip_tower, sha256
from unmask.detector.align import Floats
from unmask.detector.engines import openvino as module
from unmask.detector.engines.cache import Cache
from unmask.detector.engines.onnxruntime import on_cpu
from unmask.detector.engines.openvino import OpenVino
from unmask.detector.engines.protocol import NetworkFile
from unmask.errors import UnmaskError

RNG = np.random.default_rng(3)


def rounding_product() -> bytes:
    """x (n, 4, 8) times an 8-bit matrix, rounded as CLIP's tower rounds its tokens."""
    floats = TensorProto.FLOAT
    own = "com.microsoft"
    nodes = [
        helper.make_node("Abs", ["x"], ["size"]),
        helper.make_node("ReduceMax", ["size", "last"], ["span"], keepdims=1),
        helper.make_node("Mul", ["span", "per_level"], ["step"]),
        helper.make_node("Div", ["x", "step"], ["steps"]),
        helper.make_node("QuantizeLinear", ["steps", "unit", "middle"], ["whole"]),
        helper.make_node(
            "MatMulIntegerToFloat",
            ["whole", "kernel", "unit", "factor", "middle"],
            ["product"],
            domain=own,
        ),
        helper.make_node("Mul", ["product", "step"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["y"]),
    ]
    arrays = {
        "last": np.array([-1]),
        "per_level": np.float32(1 / 127),
        "unit": np.float32(1),
        "middle": np.uint8(128),
        "kernel": RNG.integers(-127, 128, (8, 6)).astype(np.int8),
        "factor": RNG.uniform(0.001, 0.01, 6).astype(np.float32),
        "bias": np.zeros(6, np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "product",
        [helper.make_tensor_value_info("x", floats, ["n", 4, 8])],
        [helper.make_tensor_value_info("y", floats, ["n", 4, 6])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in arrays.items()],
    )
    imports = [helper.make_opsetid("", 18), helper.make_opsetid(own, 1)]
    return bytes(helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString())


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def network_file(folder: Path, data: bytes, **weights: Floats) -> NetworkFile:
    path = folder / "network.onnx"
    path.write_bytes(data)
    return NetworkFile(path, sha256(data), weights)


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """In single precision, whatever the processor."""
    monkeypatch.setattr(module, "abilities", frozenset)


def test_products_of_8_bits_are_widened(tmp_path: Path, exact: None) -> None:
    data = rounding_product()
    bias = RNG.normal(size=6).astype(np.float32)
    file = network_file(tmp_path, data, bias=bias)
    arrays = {
        each.name: numpy_helper.to_array(each) for each in onnx.load(file.path).graph.initializer
    }
    x = RNG.normal(size=(3, 4, 8)).astype(np.float32)
    (wide,) = OpenVino(1).open(file).run(["y"], {"x": x})
    np.testing.assert_allclose(wide, x @ (arrays["kernel"] * arrays["factor"]) + bias, atol=1e-4)
    (rounded,) = on_cpu(1).open(file).run(["y"], {"x": x})
    assert 1e-4 < np.abs(rounded - wide).max() < 0.05


def test_a_compiled_network_is_kept_for_the_next_start(
    tmp_path: Path, exact: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, cache = network_file(tmp_path, rounding_product()), Cache(tmp_path / "engines")
    x = RNG.normal(size=(3, 4, 8)).astype(np.float32)
    first = OpenVino(1, cache).open(file).run(["y"], {"x": x})

    def compile_again(*_: object) -> None:
        raise AssertionError("it was compiled again")

    with monkeypatch.context() as patch:
        patch.setattr(OpenVino, "_compiled", compile_again)
        kept = OpenVino(1, cache).open(file).run(["y"], {"x": x})
        np.testing.assert_array_equal(kept, first)
        other = network_file(made(tmp_path / "other"), rounding_product())  # other numbers
        for engine, changed in ((OpenVino(2, cache), file), (OpenVino(1, cache), other)):
            with pytest.raises(AssertionError, match="compiled again"):
                engine.open(changed)


def test_what_openvino_does_not_take_is_compiled_again(tmp_path: Path, exact: None) -> None:
    file, cache = network_file(tmp_path, rounding_product()), Cache(tmp_path / "engines")
    x = RNG.normal(size=(3, 4, 8)).astype(np.float32)
    first = OpenVino(1, cache).open(file).run(["y"], {"x": x})
    key = f"compiled {file.sha256} {OpenVino(1).identity}"
    assert cache.read(key)
    cache.write(key, b"of a version to come")
    np.testing.assert_array_equal(OpenVino(1, cache).open(file).run(["y"], {"x": x}), first)
    assert cache.read(key) != b"of a version to come"


def test_weights_take_the_places_of_the_files_own(tmp_path: Path, exact: None) -> None:
    colours = np.array([[3.0], [-2.0], [0.5]], np.float32)
    image = RNG.uniform(-1, 1, (2, 224, 224, 3)).astype(np.float32)
    file = network_file(tmp_path, clip_tower(), tuned=colours)
    names = list(reversed(CLIP_TOKENS))
    answers = OpenVino(1).open(file).run(names, {"image": image})
    for one, other in zip(answers, on_cpu(1).open(file).run(names, {"image": image}), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_runs_in_several_threads_do_not_mix(tmp_path: Path, exact: None) -> None:
    network = OpenVino(1).open(network_file(tmp_path, rounding_product()))
    inputs = [RNG.normal(size=(1 + n % 3, 4, 8)).astype(np.float32) for n in range(60)]
    alone = [network.run(["y"], {"x": x})[0] for x in inputs]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda x: network.run(["y"], {"x": x})[0], inputs))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_numbers_are_as_short_as_the_processor_multiplies(monkeypatch: pytest.MonkeyPatch) -> None:
    for ability, precision in (("amx_bf16", "bf16"), ("avx512_bf16", "bf16"), ("avx_vnni", "f32")):
        monkeypatch.setattr(module, "abilities", lambda ability=ability: frozenset({ability}))
        assert OpenVino(1).precision == precision


def test_openvino_loads_nothing_that_sends() -> None:
    code = (
        "import sys; from unmask.detector.engines.openvino import OpenVino; OpenVino(1).identity\n"
        "assert 'openvino' in sys.modules\n"
        "print([name for name in sys.modules if name.startswith('openvino_telemetry.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_file_is_what_its_manifest_says(tmp_path: Path) -> None:
    file = network_file(tmp_path, rounding_product())
    with pytest.raises(UnmaskError) as error:
        OpenVino(1).open(NetworkFile(file.path, "0" * 64))
    assert error.value.code == "model_mismatch"
