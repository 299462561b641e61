"""Reads CLIP's int8 image tower from the ONNX file that it is published in, as Keras's arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from model_training.networks.clip import BLOCKS

Arrays = dict[str, np.ndarray[Any, Any]]

#: Our name of each matrix product in a block, and that of the file's node.
PRODUCTS = {
    "query": "self_attn/q_proj",
    "key": "self_attn/k_proj",
    "value": "self_attn/v_proj",
    "out": "self_attn/out_proj",
    "widen": "mlp/fc1",
    "narrow": "mlp/fc2",
}


def read_tower(source: Path) -> Arrays:
    """The arrays of ``clip_encoder.int8.onnx`` under the variable paths of ``build_tower``.

    Raises ValueError where the file is of another network, or where a weight's zero point is not
    0, for which ``QuantisedDense`` has no place.
    """
    graph = onnx.load(source).graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    nodes = {node.name: node for node in graph.node if node.op_type == "MatMulInteger"}

    def values(name: str) -> np.ndarray[Any, Any]:
        if name not in stored:
            raise ValueError(f"{source} holds no {name}: it is not CLIP's int8 image tower")
        return np.asarray(numpy_helper.to_array(stored[name]))

    # the file's patch kernel is (out, in, h, w), Keras's (h, w, in, out)
    patches = values("vision_model.embeddings.patch_embedding.weight").transpose(2, 3, 1, 0)
    arrays = {
        "embedding/kernel": patches,
        "embedding/class": values("vision_model.embeddings.class_embedding"),
        "embedding/position": values("vision_model.embeddings.position_embedding.weight"),
        # the name is misspelt in the published model
        "pre_norm/gamma": values("vision_model.pre_layrnorm.weight"),
        "pre_norm/beta": values("vision_model.pre_layrnorm.bias"),
    }
    for index in range(BLOCKS):
        ours, theirs = f"block_{index + 1}", f"vision_model.encoder.layers.{index}"
        for number in (1, 2):
            arrays[f"{ours}_norm_{number}/gamma"] = values(f"{theirs}.layer_norm{number}.weight")
            arrays[f"{ours}_norm_{number}/beta"] = values(f"{theirs}.layer_norm{number}.bias")
        for part, name in PRODUCTS.items():
            node = nodes.get(f"/vision_model/encoder/layers.{index}/{name}/MatMul_quant")
            if node is None:
                raise ValueError(f"{source} has no int8 product {name} in block {index}")
            _, kernel, _, zero = node.input
            if np.any(values(zero)):
                raise ValueError(f"{source}: the weights of {name} are not symmetric")
            stem = kernel.removesuffix("_quantized")
            arrays[f"{ours}_{part}/kernel"] = values(kernel)
            arrays[f"{ours}_{part}/scale"] = values(f"{stem}_scale")
            arrays[f"{ours}_{part}/gain"] = np.zeros_like(values(f"{stem}_scale"))
            arrays[f"{ours}_{part}/bias"] = values(f"{theirs}.{name.replace('/', '.')}.bias")
    return arrays
