"""CLIP's tower and heads as they are, but thin: the same graph in a second.

The constants that give the tower its measures are module globals, read when a network is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from model_training.export import clip as exporting
from model_training.networks import clip, clip_weights
from model_training.networks.clip_weights import PRODUCTS

Arrays = dict[str, npt.NDArray[Any]]

WIDTH, MLP_WIDTH = 8, 12
#: Small enough to run in no time; side, patches and depths stay as they are.
THIN = {
    "WIDTH": WIDTH,
    "MLP_WIDTH": MLP_WIDTH,
    "HEADS_OF_ATTENTION": 2,
    "JOINED": 10,
    "JOINED_MAP": 6,
}
#: Two blocks, both read: rounding has less to pass on.
SHALLOW = {"BLOCKS": 2, "DEPTHS": (1, 2)}


def thinned(patch: pytest.MonkeyPatch, **more: Any) -> None:
    """Give the tower thin measures, wherever they are read."""
    for name, value in {**THIN, **more}.items():
        for module in (clip, clip_weights, exporting):
            if hasattr(module, name):
                patch.setattr(module, name, value)


def thin(**more: Any) -> Iterator[None]:
    """The body of a fixture under which networks are thin."""
    with pytest.MonkeyPatch.context() as patch:
        thinned(patch, **more)
        yield


def arrays_of(model: keras.Model) -> Arrays:
    """A model's variables by their paths, as the export takes them."""
    return {v.path: np.asarray(keras.ops.convert_to_numpy(v)) for v in model.weights}


def stirred(model: keras.Model, seed: int = 0) -> keras.Model:
    """Every variable given numbers of its own, about as large as trained ones."""
    random = np.random.default_rng(seed)
    for variable in model.weights:
        variable.assign(_numbers(random, variable.path, tuple(variable.shape)))
    return model


def _numbers(
    random: np.random.Generator, path: str, shape: tuple[int, ...]
) -> npt.NDArray[np.float32]:
    layer, _, name = path.rpartition("/")
    if name == "kernel" and layer.startswith("block_"):
        return random.integers(-127, 128, shape).astype(np.float32)
    if name == "scale":
        return random.uniform(0.004, 0.008, shape).astype(np.float32)
    if name == "kernel":
        size = np.prod(shape[:-1]) ** -0.5
        return (random.normal(0, size, shape)).astype(np.float16).astype(np.float32)
    middle = 1.0 if name == "gamma" else 0.0
    return random.normal(middle, 0.2, shape).astype(np.float32)


def published(arrays: Arrays) -> onnx.ModelProto:
    """The file that CLIP's tower is published in, with these arrays: what is read of it."""
    stored: Arrays = {
        "vision_model.embeddings.patch_embedding.weight": arrays["embedding/kernel"].transpose(
            3, 2, 0, 1
        ),
        "vision_model.embeddings.class_embedding": arrays["embedding/class"],
        "vision_model.embeddings.position_embedding.weight": arrays["embedding/position"],
        "vision_model.pre_layrnorm.weight": arrays["pre_norm/gamma"],
        "vision_model.pre_layrnorm.bias": arrays["pre_norm/beta"],
    }
    nodes = []
    for index in range(clip.BLOCKS):
        ours, theirs = f"block_{index + 1}", f"vision_model.encoder.layers.{index}"
        for number in (1, 2):
            stored[f"{theirs}.layer_norm{number}.weight"] = arrays[f"{ours}_norm_{number}/gamma"]
            stored[f"{theirs}.layer_norm{number}.bias"] = arrays[f"{ours}_norm_{number}/beta"]
        for part, name in PRODUCTS.items():
            stem = f"onnx::MatMul_{index}_{part}"
            stored[f"{stem}_quantized"] = arrays[f"{ours}_{part}/kernel"].astype(np.int8)
            stored[f"{stem}_scale"] = arrays[f"{ours}_{part}/scale"]
            stored[f"{stem}_zero_point"] = np.zeros_like(arrays[f"{ours}_{part}/scale"], np.int8)
            stored[f"{theirs}.{name.replace('/', '.')}.bias"] = arrays[f"{ours}_{part}/bias"]
            path = f"/vision_model/encoder/layers.{index}/{name}"
            inputs = [f"{path}/tokens", f"{stem}_quantized", f"{path}/zero", f"{stem}_zero_point"]
            nodes.append(
                helper.make_node(
                    "MatMulInteger", inputs, [f"{path}/product"], name=f"{path}/MatMul_quant"
                )
            )
    image = helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["n", 3, 224, 224])
    tensors = [
        numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in stored.items()
    ]
    return helper.make_model(helper.make_graph(nodes, "clip_encoder", [image], [], tensors))


def write_published(path: Path, arrays: Arrays) -> Path:
    """Write that file; returns its path."""
    path.write_bytes(published(arrays).SerializeToString())
    return path
