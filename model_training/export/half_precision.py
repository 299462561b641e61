"""Stores a network's weights in half precision, which halves its file.

The file converts them back as it is loaded: ONNX Runtime folds a Cast of a constant, so that
nothing is computed in half precision and no time is lost.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

#: Smaller tensors (norms, biases, shapes) stay as they are: they weigh nothing and count more.
LEAST_VALUES = 1024
_SUFFIX = "/half"


def halve_weights(model: onnx.ModelProto) -> int:
    """Replace, in place, each large float32 constant by a float16 one and a Cast; returns how many.

    A value keeps 11 bits. Raises ValueError for one too large for half precision.
    """
    graph = model.graph
    large = [
        tensor
        for tensor in graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) >= LEAST_VALUES
    ]
    for tensor in large:
        name, values = tensor.name, numpy_helper.to_array(tensor)
        if np.abs(values).max() > np.finfo(np.float16).max:
            raise ValueError(f"{name} holds a value that is too large for half precision")
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + _SUFFIX))
        cast = helper.make_node("Cast", [name + _SUFFIX], [name], to=onnx.TensorProto.FLOAT)
        graph.node.insert(0, cast)
    return len(large)
