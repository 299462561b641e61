"""A stand-in for the trained model: some hundred bytes of ONNX that judge by colour alone.

Its score is sigmoid(16 * (red - blue)), red and blue from 0 to 1: for the heatmap in each pixel,
for the probability over the face. So a face in natural colours is fake, a grey one unsure, and one
with red and blue swapped is real.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

INPUT, HEATMAP = 224, 112
#: The network's input spans -1 to 1, twice what colours span here.
SLOPE = 16.0 / 2


def colour_model() -> bytes:
    """The ONNX file: image (n, 224, 224, 3) to probability (n, 1) and heatmap (n, 112, 112, 1)."""
    floats = TensorProto.FLOAT
    nodes = [
        helper.make_node("MatMul", ["image", "red_minus_blue"], ["score"]),
        helper.make_node("Transpose", ["score"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "AveragePool", ["planes"], ["halved"], kernel_shape=[2, 2], strides=[2, 2]
        ),
        helper.make_node("Sigmoid", ["halved"], ["heatmaps"]),
        helper.make_node("Transpose", ["heatmaps"], ["heatmap"], perm=[0, 2, 3, 1]),
        helper.make_node("ReduceMean", ["score"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Sigmoid", ["mean"], ["probability"]),
    ]
    weights = np.array([[SLOPE], [0.0], [-SLOPE]], np.float32)
    graph = helper.make_graph(
        nodes,
        "colour",
        [helper.make_tensor_value_info("image", floats, ["n", INPUT, INPUT, 3])],
        [
            helper.make_tensor_value_info("probability", floats, ["n", 1]),
            helper.make_tensor_value_info("heatmap", floats, ["n", HEATMAP, HEATMAP, 1]),
        ],
        [numpy_helper.from_array(weights, "red_minus_blue")],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def write_colour_model(folder: Path) -> Path:
    """Write the model and its manifest into ``folder``; returns the manifest's path."""
    data = colour_model()
    (folder / "colour.onnx").write_bytes(data)
    manifest = {
        "name": "colour",
        "version": "0.0.1",
        "file": "colour.onnx",
        "sha256": hashlib.sha256(data).hexdigest(),
        "input_size": INPUT,
        "frame": "ffhq",
        "normalisation": "x / 127.5 - 1",
        "thresholds": {"fake": 0.7, "real": 0.3, "mask": 0.6},
        "calibration": {"scale": 1.0, "offset": 0.0},
    }
    path = folder / "manifest.json"
    path.write_text(json.dumps(manifest))
    return path
