"""Changes an OpenVINO graph as it is opened: tuned weights put in, 8-bit products widened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unmask.detector.align import Floats


def put_weights(model: Any, weights: Mapping[str, Floats]) -> None:
    """Put arrays in the places of the graph's constants of the same names."""
    from openvino import opset13

    for node in model.get_ordered_ops():
        if node.get_type_name() == "Constant" and node.get_friendly_name() in weights:
            array = np.ascontiguousarray(weights[node.get_friendly_name()])
            constant = opset13.constant(array)
            constant.set_friendly_name(node.get_friendly_name())
            _replace(node.output(0), constant.output(0))


def widen(model: Any) -> int:
    """Take the rounding to 8 bits out of the products of a graph; returns of how many.

    ``model_training.export.clip`` writes x times an 8-bit matrix as: x by its step, rounded, times
    the matrix with a factor for each column, times the step. This becomes x times one matrix.
    """
    from openvino import opset13

    count = 0
    for product in model.get_ordered_ops():
        rounded = _rounded(product)
        if rounded is None:
            continue
        tokens, matrix, factor, scaled = rounded
        whole = opset13.constant(matrix.astype(np.float32) * factor)
        product.input(0).replace_source_output(tokens)
        product.input(1).replace_source_output(whole.output(0))
        _replace(scaled.output(0), product.output(0))
        count += 1
    if count:
        model.validate_nodes_and_infer_types()
    return count


def _rounded(product: Any) -> tuple[Any, Any, Any, Any] | None:
    """For a product of rounded tokens with an 8-bit matrix: the tokens as they were, the matrix,
    its factors, and the node that multiplies by the step; None for any other node."""
    if product.get_type_name() != "MatMul":
        return None
    scaling = _source(product, 1)
    if scaling.get_type_name() != "Multiply" or _source(scaling, 0).get_type_name() != "Convert":
        return None
    matrix, factor = _source(_source(scaling, 0), 0), _source(scaling, 1)
    if matrix.get_element_type().get_type_name() != "i8":
        return None
    node = product
    while node.get_type_name() != "Divide":
        node = _source(node, 0)
    (reader,) = product.output(0).get_target_inputs()
    return node.input_value(0), matrix.get_data(), factor.get_data(), reader.get_node()


def _source(node: Any, number: int) -> Any:
    return node.input_value(number).get_node()


def _replace(old: Any, new: Any) -> None:
    for reader in old.get_target_inputs():
        reader.replace_source_output(new)
