"""Writes a DenseNet121 whose convolutions multiply 8-bit numbers, for real faces' ranges.

Weights are signed, each output channel with a scale of its own; what a convolution reads is
unsigned, with one range for all channels, which :mod:`model_training.export.equalise` makes alike.
The mean error that rounding leaves in a channel is taken off its bias (Nagel et al., 2019). The
first convolution, the heads and the decoder stay in single precision: they cost little and err
much. ONNX Runtime's quantiser puts in the nodes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import QuantType
from onnxruntime.quantization.calibrate import CalibrationMethod, TensorData, TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from model_training.export.calibration import Observed, best_range, observe, rounded
from model_training.export.equalise import Network, equalise_inputs, equalise_outputs
from unmask.detector.align import Floats

#: Of a signed 8-bit weight; the least number is not used, so that 0 lies in the middle.
GREATEST = 127


def quantise(data: bytes, images: Floats, with_outputs: bool) -> tuple[bytes, int]:
    """The ONNX file ``data`` with 8-bit products, calibrated on faces (n, 224, 224, 3), RGB in
    [-1, 1]; and how many convolutions it has of them.

    ``with_outputs`` rounds also what the convolutions of features make: ONNX Runtime multiplies
    8-bit numbers only then; OpenVINO does so either way, and errs less without. Raises ValueError
    where no convolution of the network can be rounded.
    """
    network = Network(_plain(data))
    if not network.features():
        raise ValueError("the network has no dense blocks, whose convolutions could take 8 bits")
    names = _observed_names(network, with_outputs)
    seen = observe(network.model, names, images)
    equalise_inputs(network, seen)
    if with_outputs:
        equalise_outputs(network, seen)
    network = Network(network.changed())
    seen = observe(network.model, names, images)
    ranges = {name: best_range(one) for name, one in seen.items()}
    for node in network.features():
        _correct_bias(network, node, seen[node.input[0]], ranges[node.input[0]])
    return _rounded_model(network, ranges, with_outputs), len(network.features())


def _plain(data: bytes) -> onnx.ModelProto:
    """The model with its weights in single precision, each node with a name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(path)
        options.log_severity_level = 3
        onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        model = onnx.load(path)
    for node in model.graph.node:
        node.name = node.output[0]
    return model


def _observed_names(network: Network, with_outputs: bool) -> list[str]:
    """What the convolutions of features read and, if asked for, the features."""
    nodes = network.features()
    made = [node.output[0] for node in nodes if network.is_feature(node)] if with_outputs else []
    return [*(node.input[0] for node in nodes), *made]


def _correct_bias(
    network: Network, node: onnx.NodeProto, seen: Observed, span: tuple[float, float]
) -> None:
    """Take off the mean error of a convolution's channels; what lies beyond the border is left
    out of account."""
    kernel = network.weights[node.input[1]]
    sums, own = (each.sum((2, 3)) for each in (kernel, _rounded_weights(kernel)))
    network.add_to_bias(node, sums @ seen.sample.mean(0) - own @ rounded(seen.sample, span).mean(0))


def _rounded_weights(kernel: Floats) -> Floats:
    """Weights (o, i, h, w) as signed 8-bit numbers with a scale for each output channel."""
    steps = np.abs(kernel).max((1, 2, 3), keepdims=True) / GREATEST
    steps[steps == 0] = 1
    return np.asarray(np.rint(kernel / steps) * steps, np.float32)


def _rounded_model(
    network: Network, ranges: dict[str, tuple[float, float]], with_outputs: bool
) -> bytes:
    nodes = network.features()
    # a ReLU between two convolutions is no more than the least value of the range after it
    between = [reader for node in nodes for reader in network.readers[node.output[0]]]
    joined = [node for node in between if node.op_type == "Relu"] if with_outputs else []
    options: dict[str, Any] = {"ActivationSymmetric": False, "WeightSymmetric": True}
    if not with_outputs:
        options["OpTypesToExcludeOutputQuantization"] = ["Conv"]
    # the quantiser asks for the range of what it then replaces by the ReLU's output
    spans = ranges | {node.input[0]: ranges[node.output[0]] for node in joined}
    quantiser = QDQQuantizer(
        onnx.shape_inference.infer_shapes(network.changed()),
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(
            CalibrationMethod.MinMax,
            {
                name: TensorData(lowest=np.float32(low), highest=np.float32(high))
                for name, (low, high) in spans.items()
            },
        ),
        nodes_to_quantize=[node.name for node in (*nodes, *joined)],
        nodes_to_exclude=[],
        op_types_to_quantize=["Conv", "Relu"],
        extra_options=options,
    )
    quantiser.quantize_model()
    quantiser.model.topological_sort()
    model = quantiser.model.model
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())
