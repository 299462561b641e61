"""A stand-in for the DenseNet121: one dense block of two layers, a transition, heads and a map.

Its weights are drawn at random; some channels are ten times as wide as others, whose small values
one range for all would round away.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.models import HEATMAP, INPUT, sha256, write_colour_model

#: Channels of the first convolution, of a new feature, and between the two convolutions of a layer.
FIRST, GROWTH, BETWEEN = 6, 4, 8


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._random = np.random.default_rng(7)

    def add(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        output = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, value: Any) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def conv(self, x: str, width: int, channels: int, side: int, bias: bool = True) -> str:
        shape = (channels, width, side, side)
        kernel = self._random.normal(0, (2 / (width * side * side)) ** 0.5, shape)
        inputs = [x, self.constant(kernel.astype(np.float32))]
        if bias:
            inputs.append(self.constant(self._random.normal(0, 0.1, channels).astype(np.float32)))
        return self.add("Conv", *inputs, pads=[side // 2] * 4)

    def norm(self, x: str, width: int) -> str:
        wide = np.where(self._random.random(width) < 0.3, 10, 1) / 5
        factor = self._random.uniform(0.5, 1.5, width) * wide
        values = (
            factor,
            self._random.normal(0, 0.3, width) * wide,
            np.zeros(width),
            np.ones(width),
        )
        names = [self.constant(value.astype(np.float32)) for value in values]
        return self.add("Relu", self.add("BatchNormalization", x, *names, epsilon=0.0))


def dense_model() -> bytes:
    """The ONNX file: image (n, 224, 224, 3) to families (n, 1) and heatmap (n, 112, 112, 1)."""
    graph = _Graph()
    planes = graph.add("Transpose", "image", perm=[0, 3, 1, 2])
    x = graph.add("AveragePool", planes, kernel_shape=[8, 8], strides=[8, 8])
    x = graph.add("Relu", graph.conv(x, 3, FIRST, 3))
    for layer in range(2):
        width = FIRST + layer * GROWTH
        y = graph.add("Relu", graph.conv(graph.norm(x, width), width, BETWEEN, 1))
        x = graph.add("Concat", x, graph.conv(y, BETWEEN, GROWTH, 3, bias=False), axis=1)
    width = FIRST + 2 * GROWTH
    moved = graph.conv(graph.norm(x, width), width, BETWEEN, 1)
    x = graph.norm(graph.add("AveragePool", moved, kernel_shape=[2, 2], strides=[2, 2]), BETWEEN)
    graph.add("ReduceMean", graph.conv(x, BETWEEN, 1, 1), name="families_4", axes=[2, 3])
    graph.add("Reshape", "families_4", graph.constant(np.array([-1, 1])), name="families")
    lateral = graph.conv(moved, BETWEEN, 1, 1)
    scales = graph.constant(np.array([1, 1, 4, 4], np.float32))
    large = graph.add("Sigmoid", graph.add("Resize", lateral, "", scales, mode="nearest"))
    graph.add("Transpose", large, name="heatmap", perm=[0, 2, 3, 1])
    floats = TensorProto.FLOAT
    made = helper.make_graph(
        graph.nodes,
        "dense",
        [helper.make_tensor_value_info("image", floats, ["n", INPUT, INPUT, 3])],
        [
            helper.make_tensor_value_info("families", floats, ["n", 1]),
            helper.make_tensor_value_info("heatmap", floats, ["n", HEATMAP, HEATMAP, 1]),
        ],
        graph.constants,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def write_dense_model(folder: Path) -> Path:
    """Write the model and its manifest into ``folder``; returns the manifest's path."""
    path = write_colour_model(folder)
    data = dense_model()
    (folder / "dense.onnx").write_bytes(data)
    values = {"name": "dense", "file": "dense.onnx", "sha256": sha256(data)}
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    return path
