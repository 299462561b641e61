"""Changes a DenseNet's weights so that one range of 8-bit numbers suits all channels of a tensor.

Neither step changes what the network computes, but for the last digits. Channels before a
convolution share their range with its weights: Xiao et al., "SmoothQuant" (2023), which follows
Nagel et al., "Data-free quantization through weight equalization and bias correction" (2019). New
features are moved and scaled channel by channel, since all that reads them is a batch norm or a
convolution of one pixel, which undoes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from model_training.export.calibration import Observed

Array = npt.NDArray[np.float32]
Factors = npt.NDArray[np.floating[Any]]
#: How much of a channel's range goes to the weights: 1 is all of it.
SHARE = 0.75
#: Channels of less than this part of the widest one's range, or weight, count as that.
LEAST = 1e-4


class Network:
    """A network's nodes with their readers, and its constants by name, which can be changed."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = onnx.ModelProto()
        self.model.CopyFrom(model)
        graph = self.model.graph
        self.weights = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
        self.makers = {name: node for node in graph.node for name in node.output}
        self.readers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in graph.node:
            for name in node.input:
                self.readers[name].append(node)

    def features(self) -> list[onnx.NodeProto]:
        """The convolutions of dense blocks and transitions: each reads a ReLU that nothing else
        reads, and what it makes is a feature or read by the next ReLU."""
        return [node for node in self.model.graph.node if self._is_of_features(node)]

    def input_of(self, node: onnx.NodeProto) -> onnx.NodeProto:
        """The batch norm or convolution before the ReLU that a convolution of features reads."""
        return self.makers[self.makers[node.input[0]].input[0]]

    def is_feature(self, node: onnx.NodeProto) -> bool:
        """Whether what a convolution makes stays: it is joined with others, or pooled."""
        kinds = {reader.op_type for reader in self.readers[node.output[0]]}
        return bool(kinds & {"Concat", "AveragePool"})

    def add_to_bias(
        self, node: onnx.NodeProto, shift: Factors, factor: Factors | float = 1.0
    ) -> None:
        """Make a convolution's bias ``(bias + shift) * factor``; one without gets one."""
        if len(node.input) < 3:
            node.input.append(f"{node.output[0]}/bias")
            self.weights[node.input[2]] = np.zeros(len(shift), np.float32)
        changed = (self.weights[node.input[2]] + shift) * factor
        self.weights[node.input[2]] = np.asarray(changed, np.float32)

    def multiply(self, name: str, factor: Factors) -> None:
        """Multiply a constant."""
        self.weights[name] = np.asarray(self.weights[name] * factor, np.float32)

    def changed(self) -> onnx.ModelProto:
        """The model with its constants as they are now."""
        del self.model.graph.initializer[:]
        self.model.graph.initializer.extend(
            numpy_helper.from_array(np.ascontiguousarray(value), name)
            for name, value in self.weights.items()
        )
        return self.model

    def _is_of_features(self, node: onnx.NodeProto) -> bool:
        if node.op_type != "Conv" or len(self.readers[node.input[0]]) > 1:
            return False
        relu = self.makers.get(node.input[0])
        if relu is None or relu.op_type != "Relu" or len(self.readers[relu.input[0]]) > 1:
            return False
        before = self.makers.get(relu.input[0])
        if before is None or before.op_type not in {"BatchNormalization", "Conv"}:
            return False
        kinds = {reader.op_type for reader in self.readers[node.output[0]]}
        return self.is_feature(node) or kinds == {"Relu"}


def equalise_inputs(network: Network, seen: Mapping[str, Observed]) -> None:
    """Divide the channels that each convolution of features reads by what suits their range and
    its weights, before the ReLU, and multiply the weights by it. ``seen`` has what it reads."""
    for node in network.features():
        kernel, before = network.weights[node.input[1]], network.input_of(node)
        ranges = _bounded(seen[node.input[0]].greatest)
        sizes = _bounded(np.sqrt(np.square(kernel).mean((0, 2, 3))))
        factor = ranges**SHARE / sizes ** (1 - SHARE)
        factor = np.asarray(factor / np.exp(np.log(factor).mean()), np.float32)
        network.multiply(node.input[1], factor[None, :, None, None])
        if before.op_type == "BatchNormalization":
            network.multiply(before.input[1], 1 / factor)
            network.multiply(before.input[2], 1 / factor)
        else:
            network.multiply(before.input[1], 1 / factor[:, None, None, None])
            if len(before.input) > 2:
                network.multiply(before.input[2], 1 / factor)


def equalise_outputs(network: Network, seen: Mapping[str, Observed]) -> None:
    """Make every channel of a feature span -1 to 1, and let what reads it undo that. ``seen`` has
    the features.

    Raises ValueError where something else than a norm or a convolution of one pixel reads them.
    """
    #: for each changed tensor, by channel: what it was is what it is times a scale, plus a middle
    changes: dict[str, tuple[Array, Array]] = {}
    features = {node.output[0] for node in network.features() if network.is_feature(node)}
    for node in network.model.graph.node:
        if any(name in changes for name in node.input):
            _undo(network, node, changes)
        if node.output[0] in features:
            one = seen[node.output[0]]
            scale = np.maximum((one.greatest - one.least) / 2, 1e-6).astype(np.float32)
            middle = ((one.greatest + one.least) / 2).astype(np.float32)
            network.multiply(node.input[1], 1 / scale[:, None, None, None])
            network.add_to_bias(node, -middle, 1 / scale)
            changes[node.output[0]] = scale, middle


def _undo(network: Network, node: onnx.NodeProto, changes: dict[str, tuple[Array, Array]]) -> None:
    """Let a reader of changed tensors undo the change, or pass it on to what reads its output."""
    name = node.input[0]
    if node.op_type == "AveragePool":
        changes[node.output[0]] = changes[name]
    elif node.op_type == "Concat":
        parts = [changes.get(each) or _unchanged(network, each) for each in node.input]
        scale, middle = (np.concatenate(part) for part in zip(*parts, strict=True))
        changes[node.output[0]] = scale, middle
    elif node.op_type == "BatchNormalization":
        scale, middle = changes[name]
        factor, shift = (network.weights[each] for each in node.input[1:3])
        network.weights[node.input[2]] = np.asarray(shift + factor * middle, np.float32)
        network.multiply(node.input[1], scale)
    elif node.op_type == "Conv" and network.weights[node.input[1]].shape[2:] == (1, 1):
        scale, middle = changes[name]
        network.add_to_bias(node, network.weights[node.input[1]][:, :, 0, 0] @ middle)
        network.multiply(node.input[1], scale[None, :, None, None])
    else:
        raise ValueError(f"{node.op_type} {node.name} reads features: the network is no DenseNet")


def _unchanged(network: Network, name: str) -> tuple[Array, Array]:
    channels = _channels(network, name)
    return np.ones(channels, np.float32), np.zeros(channels, np.float32)


def _channels(network: Network, name: str) -> int:
    """How many channels a tensor has."""
    node = network.makers[name]
    if node.op_type == "Conv":
        return len(network.weights[node.input[1]])
    if node.op_type == "Concat":
        return sum(_channels(network, each) for each in node.input)
    return _channels(network, node.input[0])


def _bounded(values: Array) -> npt.NDArray[np.float64]:
    return np.maximum(values.astype(np.float64), LEAST * max(float(values.max()), 1e-6))
