"""Puts back the batch norms that the conversion to ONNX takes apart.

tf2onnx folds a batch norm into the convolution before it. DenseNet's norms come *before* their
convolutions, and are left as a Mul and an Add over channels. ONNX Runtime keeps its fast blocked
memory layout across a BatchNormalization but not across those two, and so copies every map twice.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Weights = dict[str, onnx.TensorProto]
Array = npt.NDArray[np.float32]


def fuse_batch_norms(model: onnx.ModelProto) -> int:
    """Rewrite, in place, each ``x * scale + shift`` over channels as one BatchNormalization.

    ``scale`` and ``shift`` are constants of shape (1, c, 1, 1) or (c, 1, 1), and nothing else
    reads the product. Returns how many were rewritten. The result is the same function: a norm
    with mean 0, variance 1 and epsilon 0. Constants that nothing reads any more are dropped.
    """
    graph = model.graph
    weights: Weights = {tensor.name: tensor for tensor in graph.initializer}
    readers = Counter(name for node in graph.node for name in node.input)
    readers.update(value.name for value in graph.output)
    makers = {node.output[0]: node for node in graph.node}
    fused: dict[str, onnx.NodeProto] = {}
    dropped: set[str] = set()
    for add in graph.node:
        found = _scale_and_shift(add, makers, weights) if add.op_type == "Add" else None
        if found is None or readers[found[0].output[0]] != 1:
            continue
        product, scale, shift = found
        fused[add.output[0]] = _norm(graph, add, product, (scale, shift), weights)
        dropped.add(product.output[0])
    kept = [fused.get(node.output[0], node) for node in graph.node if node.output[0] not in dropped]
    del graph.node[:]
    graph.node.extend(kept)
    _drop_unread(graph)
    return len(fused)


def _scale_and_shift(
    add: onnx.NodeProto, makers: dict[str, onnx.NodeProto], weights: Weights
) -> tuple[onnx.NodeProto, Array, Array] | None:
    """The Mul before ``add`` and both vectors (c,), where the two make up a batch norm."""
    shift = _channel_vector(add, weights)
    if shift is None:
        return None
    product = makers.get(_variable_input(add, weights))
    if product is None or product.op_type != "Mul":
        return None
    scale = _channel_vector(product, weights)
    if scale is None or scale.shape != shift.shape:
        return None
    return product, scale, shift


def _channel_vector(node: onnx.NodeProto, weights: Weights) -> Array | None:
    """The node's one constant, (1, c, 1, 1) or (c, 1, 1), as a vector (c,); None if it has none."""
    constants = [weights[name] for name in node.input if name in weights]
    if len(constants) != 1 or constants[0].data_type != onnx.TensorProto.FLOAT:
        return None
    dims = list(constants[0].dims)
    if len(dims) == 4 and dims[0] == 1:
        dims = dims[1:]
    if len(dims) != 3 or dims[1:] != [1, 1]:
        return None
    return np.asarray(numpy_helper.to_array(constants[0]), np.float32).reshape(-1)


def _variable_input(node: onnx.NodeProto, weights: Weights) -> str:
    """The input of a Mul or Add that is not its constant."""
    return next((name for name in node.input if name not in weights), "")


def _norm(
    graph: onnx.GraphProto,
    add: onnx.NodeProto,
    product: onnx.NodeProto,
    vectors: tuple[Array, Array],
    weights: Weights,
) -> onnx.NodeProto:
    """The BatchNormalization that replaces ``product`` and ``add``; adds its constants."""
    scale, shift = vectors
    stem = add.output[0]
    names = {f"{stem}/scale": scale, f"{stem}/shift": shift}
    # Mean and variance say nothing here, so norms of equal width share theirs.
    width = len(scale)
    names[f"fused/zero_{width}"] = np.zeros(width, np.float32)
    names[f"fused/one_{width}"] = np.ones(width, np.float32)
    for name, value in names.items():
        if name not in weights:
            weights[name] = numpy_helper.from_array(value, name)
            graph.initializer.append(weights[name])
    inputs = [_variable_input(product, weights), *names]
    return helper.make_node("BatchNormalization", inputs, [stem], name=f"{stem}/fused", epsilon=0.0)


def _drop_unread(graph: onnx.GraphProto) -> None:
    read = {name for node in graph.node for name in node.input}
    read.update(value.name for value in graph.output)
    kept = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.initializer[:]
    graph.initializer.extend(kept)
