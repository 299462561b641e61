"""CLIP's tower and heads as ONNX graphs, built node by node.

The tower's file holds what is never trained, int8 matrices above all, and is committed once. What
training changes in it are small vectors, which stand in a file of their own and take the places
of the tower's as the session is opened (``unmask.detector.clip``). The heads are a second graph.

Matrices are multiplied by ONNX Runtime's MatMulIntegerToFloat on tokens that were rounded as
``QuantisedDense`` rounds them in training, each by its own greatest value. As no picture's
rounding hangs on another's, neither do the results of a batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from model_training.networks.clip import (
    BLOCKS,
    DEPTHS,
    EPSILON,
    GELU_FLOOR,
    GRID,
    HEADS_OF_ATTENTION,
    LEAST_STEP,
    LEVELS,
    MEAN,
    MIDDLE,
    PATCH,
    SIDE,
    SPREAD,
    SUBGRID,
    TOKENS,
    WIDTH,
)
from model_training.networks.clip_weights import PRODUCTS

Arrays = Mapping[str, npt.NDArray[Any]]
OPSET = 18
#: ONNX Runtime's own operators: products of whole numbers with their factors in one step.
OWN = "com.microsoft"


class Graph:
    """Nodes and constants on their way into a file; every method returns the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def add(self, operation: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """A node; its result is called ``name`` if that is given."""
        output = name or f"{operation.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, value: npt.ArrayLike, dtype: Any = np.float32) -> str:
        """A constant by its name; one of a name that is there already is not stored again."""
        if name not in self.constants:
            array = np.array(value, dtype, order="C")
            self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def half(self, name: str, value: npt.ArrayLike) -> str:
        """A constant stored in half precision, and computed with in single."""
        stored = self.constant(f"{name}/half", value, np.float16)
        return self.add("Cast", stored, name=name, to=TensorProto.FLOAT)

    def shape(self, *sides: int) -> str:
        """The constant shape of a Reshape, or the places of a Slice or Transpose."""
        return self.constant(f"shape_{'_'.join(map(str, sides))}", sides, np.int64)

    def norm(self, x: str, arrays: Arrays, layer: str) -> str:
        """Layer normalisation over the last axis."""
        gamma = self.constant(f"{layer}/gamma", arrays[f"{layer}/gamma"])
        beta = self.constant(f"{layer}/beta", arrays[f"{layer}/beta"])
        return self.add("LayerNormalization", x, gamma, beta, axis=-1, epsilon=EPSILON)

    def dense(self, x: str, arrays: Arrays, layer: str) -> str:
        """A product with a matrix in half precision, and a bias."""
        product = self.add("MatMul", x, self.half(f"{layer}/kernel", arrays[f"{layer}/kernel"]))
        return self.add("Add", product, self.constant(f"{layer}/bias", arrays[f"{layer}/bias"]))

    def gelu(self, x: str) -> str:
        """Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016), by the error function."""
        scaled = self.add("Mul", x, self.constant("root_half", 0.5**0.5))
        risen = self.add("Add", self.add("Erf", scaled), self.constant("one", 1.0))
        return self.add("Mul", self.add("Mul", x, risen), self.constant("half", 0.5))

    def model(
        self, name: str, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        """The finished file, checked."""
        graph = helper.make_graph(self.nodes, name, inputs, outputs, list(self.constants.values()))
        imports = [helper.make_opsetid("", OPSET), helper.make_opsetid(OWN, 1)]
        model = helper.make_model(graph, opset_imports=imports, producer_name="unmask")
        model.ir_version = 10
        onnx.checker.check_model(model)
        return model


def tuned_arrays(arrays: Arrays) -> dict[str, npt.NDArray[np.float32]]:
    """What training changes in the tower, under the names that its graph has for it.

    ``arrays`` are the variables of ``build_tower`` by their paths.
    """
    found = {
        name: np.asarray(arrays[name], np.float32)
        for name in arrays
        if name.endswith(("/gamma", "/beta")) and name.startswith(("pre_norm", "block_"))
    }
    for number in range(1, BLOCKS + 1):
        for part in PRODUCTS:
            layer = f"block_{number}_{part}"
            factor = arrays[f"{layer}/scale"] * (1 + np.asarray(arrays[f"{layer}/gain"]))
            bias = np.asarray(arrays[f"{layer}/bias"], np.float64)
            if part == "narrow":  # what taking the floor off the inputs took off the product
                columns = np.asarray(arrays[f"{layer}/kernel"], np.int64).sum(axis=0)
                bias = bias + GELU_FLOOR * columns * factor
            found[f"{layer}/factor"] = np.asarray(factor, np.float32)
            found[f"{layer}/bias"] = np.asarray(bias, np.float32)
    return found


def tower_model(arrays: Arrays) -> onnx.ModelProto:
    """The tower from ``image`` (n, 224, 224, 3), RGB in [-1, 1], to ``tokens_3`` to ``tokens_12``,
    each (n, 197, 768). ``arrays`` are the variables of ``build_tower`` by their paths."""
    graph = Graph()
    values: Arrays = {**arrays, **tuned_arrays(arrays)}
    x = graph.norm(_embedding(graph, values), values, "pre_norm")
    outputs = []
    for number in range(1, BLOCKS + 1):
        name = f"tokens_{number}" if number in DEPTHS else ""
        x = _block(graph, x, values, f"block_{number}", name)
        if name:
            outputs.append(_value(name, "batch", TOKENS, WIDTH))
    return graph.model("clip_vit_b16", [_value("image", "batch", SIDE, SIDE, 3)], outputs)


def heads_model(arrays: Arrays) -> onnx.ModelProto:
    """The heads from the tower's tokens to ``families`` (n, 5) and ``heatmap`` (n, 112, 112, 1)
    in [0, 1]. ``arrays`` are the variables of ``build_heads`` by their paths."""
    graph = Graph()
    summaries, places = [], []
    for depth in DEPTHS:
        name = f"tokens_{depth}"
        first = graph.add("Gather", name, graph.constant("first", 0, np.int64), axis=1)
        bounds = (graph.shape(1), graph.shape(TOKENS), graph.shape(1))
        patches = graph.add("Slice", name, *bounds)
        mean = graph.add("ReduceMean", patches, graph.shape(1), keepdims=0)
        for part, summary in (("class", first), ("mean", mean)):
            summaries.append(graph.norm(summary, arrays, f"{name}_{part}_norm"))
        normed = graph.norm(patches, arrays, f"{name}_map_norm")
        places.append(graph.dense(normed, arrays, f"{name}_map"))
    joined = graph.dense(graph.add("Concat", *summaries, axis=1), arrays, "joined")
    families = graph.dense(graph.gelu(joined), arrays, "families")
    graph.add("Identity", families, name="families")
    summed = places[0]
    for other in places[1:]:
        summed = graph.add("Add", summed, other)
    _heatmap(graph, graph.dense(graph.gelu(summed), arrays, "map"))
    side = GRID * SUBGRID * 2
    return graph.model(
        "clip_heads",
        [_value(f"tokens_{depth}", "batch", TOKENS, WIDTH) for depth in DEPTHS],
        [_value("families", "batch", 5), _value("heatmap", "batch", side, side, 1)],
    )


def _heatmap(graph: Graph, y: str) -> None:
    """Each patch's sixteen numbers in their places, enlarged twice, as chances."""
    y = graph.add("Reshape", y, graph.shape(-1, GRID, GRID, SUBGRID, SUBGRID))
    y = graph.add("Transpose", y, perm=[0, 1, 3, 2, 4])
    side = GRID * SUBGRID
    y = graph.add("Reshape", y, graph.shape(-1, 1, side, side))
    scales = graph.constant("enlarged", (1, 1, 2, 2))
    y = graph.add(
        "Resize", y, "", scales, mode="linear", coordinate_transformation_mode="half_pixel"
    )
    y = graph.add("Reshape", y, graph.shape(-1, 2 * side, 2 * side, 1))
    graph.add("Sigmoid", y, name="heatmap")


def _embedding(graph: Graph, arrays: Arrays) -> str:
    """Normalise, cut into patches, project, put the class token in front, add the positions."""
    # ((x + 1) / 2 - mean) / spread as one factor and one shift
    spread, mean = np.asarray(SPREAD), np.asarray(MEAN)
    scaled = graph.add("Mul", "image", graph.constant("input_factor", 0.5 / spread))
    moved = graph.add("Add", scaled, graph.constant("input_shift", (0.5 - mean) / spread))
    planes = graph.add("Transpose", moved, perm=[0, 3, 1, 2])
    kernel = np.asarray(arrays["embedding/kernel"]).transpose(3, 2, 0, 1)
    patches = graph.add(
        "Conv", planes, graph.constant("embedding/kernel", kernel), strides=[PATCH, PATCH]
    )
    patches = graph.add("Reshape", patches, graph.shape(0, WIDTH, GRID * GRID))
    patches = graph.add("Transpose", patches, perm=[0, 2, 1])
    # the class token as often as there are pictures
    count = graph.add("Shape", "image", start=0, end=1)
    sides = graph.add("Concat", count, graph.shape(1, WIDTH), axis=0)
    first = graph.constant("embedding/class", np.reshape(arrays["embedding/class"], (1, 1, WIDTH)))
    tokens = graph.add("Concat", graph.add("Expand", first, sides), patches, axis=1)
    return graph.add(
        "Add", tokens, graph.constant("embedding/position", arrays["embedding/position"])
    )


def _block(graph: Graph, x: str, arrays: Arrays, name: str, result: str) -> str:
    y = _Rounded(graph, graph.norm(x, arrays, f"{name}_norm_1"))
    query, key, value = (y.product(arrays, f"{name}_{part}") for part in ("query", "key", "value"))
    width = WIDTH // HEADS_OF_ATTENTION
    q, k, v = (
        graph.add(
            "Transpose",
            graph.add("Reshape", part, graph.shape(0, 0, HEADS_OF_ATTENTION, width)),
            perm=order,
        )
        for part, order in ((query, [0, 2, 1, 3]), (key, [0, 2, 3, 1]), (value, [0, 2, 1, 3]))
    )
    q = graph.add("Mul", q, graph.constant("attention_scale", width**-0.5))
    shares = graph.add("Softmax", graph.add("MatMul", q, k), axis=-1)
    mixed = graph.add("Transpose", graph.add("MatMul", shares, v), perm=[0, 2, 1, 3])
    mixed = graph.add("Reshape", mixed, graph.shape(0, 0, WIDTH))
    x = graph.add("Add", x, _Rounded(graph, mixed).product(arrays, f"{name}_out"))
    y = _Rounded(graph, graph.norm(x, arrays, f"{name}_norm_2"))
    wide = y.product(arrays, f"{name}_widen")
    gate = graph.add("Sigmoid", graph.add("Mul", wide, graph.constant("quick_gelu", 1.702)))
    y = _Rounded(graph, graph.add("Mul", wide, gate), GELU_FLOOR)
    return graph.add("Add", x, y.product(arrays, f"{name}_narrow"), name=result)


class _Rounded:
    """Tokens (n, t, c) as unsigned 8-bit numbers about ``middle``, with each token's step."""

    def __init__(self, graph: Graph, x: str, floor: float | None = None) -> None:
        self._graph = graph
        last = graph.shape(-1)
        if floor is None:
            span = graph.add("ReduceMax", graph.add("Abs", x), last, keepdims=1)
            levels, self._middle = MIDDLE - 1, graph.constant("middle", MIDDLE, np.uint8)
        else:
            x = graph.add("Sub", x, graph.constant("floor", floor))
            span = graph.add("ReduceMax", x, last, keepdims=1)
            levels, self._middle = LEVELS, graph.constant("bottom", 0, np.uint8)
        step = graph.add("Mul", span, graph.constant(f"per_level_{levels}", 1 / levels))
        self._step = graph.add("Max", step, graph.constant("least_step", LEAST_STEP))
        steps = graph.add("Div", x, self._step)
        self._unit = graph.constant("unit", 1.0)
        self._whole = graph.add("QuantizeLinear", steps, self._unit, self._middle)

    def product(self, arrays: Arrays, layer: str) -> str:
        """The tokens times a layer's int8 matrix, plus its bias."""
        graph = self._graph
        kernel = graph.constant(f"{layer}/kernel", arrays[f"{layer}/kernel"], np.int8)
        factor, bias = (
            graph.constant(f"{layer}/{part}", arrays[f"{layer}/{part}"])
            for part in ("factor", "bias")
        )
        inputs = (self._whole, kernel, self._unit, factor, self._middle)
        product = graph.add("MatMulIntegerToFloat", *inputs, domain=OWN)
        return graph.add("Add", graph.add("Mul", product, self._step), bias)


def _value(name: str, *sides: str | int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(sides))
