"""Stand-ins for the trained model: some hundred bytes of ONNX that judge by colour alone.

Its score is sigmoid(16 * (red - blue)), red and blue from 0 to 1: for the heatmap in each pixel,
for the probability over the face, of which it gives the logit as its one head. So a face in
natural colours is fake, a grey one unsure, and one with red and blue swapped is real.

With two judges, the first has a head a family, all of which say the same, and the second, in the
place of CLIP, judges by red less green in the same way. As with CLIP, its tower by itself sees
nothing: which colours it tells apart is what was tuned.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

INPUT, HEATMAP = 224, 112
#: The network's input spans -1 to 1, twice what colours span here.
SLOPE = 16.0 / 2
CLIP_TOKENS = ("tokens_3", "tokens_6", "tokens_9", "tokens_12")


def colour_model(heads: int = 1) -> bytes:
    """The ONNX file: image (n, 224, 224, 3) to families (n, heads) and heatmap (n, 112, 112, 1).

    Of several heads the first says nothing and all others the same."""
    floats = TensorProto.FLOAT
    nodes = [
        helper.make_node("MatMul", ["image", "red_minus_blue"], ["score"]),
        helper.make_node("Transpose", ["score"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "AveragePool", ["planes"], ["halved"], kernel_shape=[2, 2], strides=[2, 2]
        ),
        helper.make_node("Sigmoid", ["halved"], ["heatmaps"]),
        helper.make_node("Transpose", ["heatmaps"], ["heatmap"], perm=[0, 2, 3, 1]),
        helper.make_node("ReduceMean", ["score"], ["logit"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["logit", "spread"], ["families"]),
    ]
    weights = np.array([[SLOPE], [0.0], [-SLOPE]], np.float32)
    graph = helper.make_graph(
        nodes,
        "colour",
        [helper.make_tensor_value_info("image", floats, ["n", INPUT, INPUT, 3])],
        [
            helper.make_tensor_value_info("families", floats, ["n", heads]),
            helper.make_tensor_value_info("heatmap", floats, ["n", HEATMAP, HEATMAP, 1]),
        ],
        [
            numpy_helper.from_array(weights, "red_minus_blue"),
            numpy_helper.from_array(_spread(heads), "spread"),
        ],
    )
    return _checked(graph)


def _spread(heads: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """One logit as that of every head but the first of several."""
    return np.array([[1.0] if heads == 1 else [0.0] + [1.0] * (heads - 1)], np.float32)


def _checked(graph: onnx.GraphProto) -> bytes:
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def clip_tower() -> bytes:
    """The second judge's tower: image (n, 224, 224, 3) to the tokens of four depths, here all the
    same (n, 197, 1): the score's mean over all, then over each patch."""
    floats, patch = TensorProto.FLOAT, 16
    nodes = [
        helper.make_node("MatMul", ["image", "tuned"], ["score"]),
        helper.make_node("Transpose", ["score"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "AveragePool",
            ["planes"],
            ["patches"],
            kernel_shape=[patch, patch],
            strides=[patch, patch],
        ),
        helper.make_node("Reshape", ["patches", "rows"], ["tokens"]),
        helper.make_node("ReduceMean", ["tokens"], ["first"], axes=[1], keepdims=1),
        *(helper.make_node("Concat", ["first", "tokens"], [name], axis=1) for name in CLIP_TOKENS),
    ]
    graph = helper.make_graph(
        nodes,
        "colour_tower",
        [helper.make_tensor_value_info("image", floats, ["n", INPUT, INPUT, 3])],
        [helper.make_tensor_value_info(name, floats, ["n", 197, 1]) for name in CLIP_TOKENS],
        [
            numpy_helper.from_array(np.zeros((3, 1), np.float32), "tuned"),
            numpy_helper.from_array(np.array([0, -1, 1]), "rows"),
        ],
    )
    return _checked(graph)


def clip_heads() -> bytes:
    """Its heads: the logits (n, 5) from the first token, the heatmap (n, 112, 112, 1) from the
    others."""
    floats = TensorProto.FLOAT
    nodes = [
        helper.make_node("Gather", [CLIP_TOKENS[0], "zero"], ["first"], axis=1),
        helper.make_node("MatMul", ["first", "spread"], ["families"]),
        helper.make_node("Slice", [CLIP_TOKENS[-1], "one", "end", "one"], ["patches"]),
        helper.make_node("Reshape", ["patches", "grid"], ["planes"]),
        helper.make_node("Resize", ["planes", "", "scales"], ["large"], mode="nearest"),
        helper.make_node("Transpose", ["large"], ["moved"], perm=[0, 2, 3, 1]),
        helper.make_node("Sigmoid", ["moved"], ["heatmap"]),
    ]
    numbers = {"zero": 0, "one": [1], "end": [197], "grid": [0, 1, 14, 14]}
    constants = [numpy_helper.from_array(np.array(value), key) for key, value in numbers.items()]
    scales = np.array([1, 1, 8, 8], np.float32)
    graph = helper.make_graph(
        nodes,
        "colour_heads",
        [helper.make_tensor_value_info(name, floats, ["n", 197, 1]) for name in CLIP_TOKENS],
        [
            helper.make_tensor_value_info("families", floats, ["n", 5]),
            helper.make_tensor_value_info("heatmap", floats, ["n", HEATMAP, HEATMAP, 1]),
        ],
        [
            *constants,
            numpy_helper.from_array(scales, "scales"),
            numpy_helper.from_array(_spread(5), "spread"),
        ],
    )
    return _checked(graph)


def tuned_colours(*colours: float) -> bytes:
    """The .npz of what was tuned: how much each of red, green and blue counts."""
    file = io.BytesIO()
    np.savez(file, tuned=SLOPE * np.array(colours, np.float32)[:, None])
    return file.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_two_judges(folder: Path, **values: Any) -> Path:
    """Write the model of two judges and its manifest into ``folder``, with other ``values`` in
    it; returns the manifest's path."""
    path = write_colour_model(folder)
    files = {
        "colour.onnx": colour_model(heads=5),
        "tower.onnx": clip_tower(),
        "tuned.npz": tuned_colours(1, -1, 0),
        "heads.onnx": clip_heads(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    manifest = json.loads(path.read_text())
    manifest["sha256"] = sha256(files["colour.onnx"])
    manifest["clip"] = {
        part: {"file": name, "sha256": sha256(files[name])}
        for part, name in (
            ("tower", "tower.onnx"),
            ("tuned", "tuned.npz"),
            ("heads", "heads.onnx"),
        )
    }
    manifest["joining"] = {
        "weights": {"densenet121": 0.25, "clip": 0.75},
        "heatmap": {"densenet121": 0.5, "clip": 0.5},
        "any_weight": 0.5,
    }
    path.write_text(json.dumps(manifest | values))
    return path


def write_colour_model(folder: Path) -> Path:
    """Write the model and its manifest into ``folder``; returns the manifest's path."""
    data = colour_model()
    (folder / "colour.onnx").write_bytes(data)
    manifest = {
        "name": "colour",
        "version": "0.0.1",
        "file": "colour.onnx",
        "sha256": sha256(data),
        "input_size": INPUT,
        "frame": "ffhq",
        "normalisation": "x / 127.5 - 1",
        "thresholds": {"fake": 0.7, "real": 0.3, "mask": 0.6},
        "calibration": {"scale": 1.0, "offset": 0.0},
    }
    path = folder / "manifest.json"
    path.write_text(json.dumps(manifest))
    return path
