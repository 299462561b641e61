"""CLIP's image tower with int8 weights, of which only norms, biases and scales are trained.

CLIP: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision"
(2021), here ViT-B/16. Tokens of several depths are read, as Koutlis and Papadopoulos, "Leveraging
Representations from Intermediate Encoder-blocks for Synthetic Image Detection" (2024) do. Tuning
little more than the layer norms is what generalises best to fakes of other makers: Yermakov et
al., "Deepfake Detection that Generalizes Across Benchmarks" (2025).

The weight matrices stay the int8 numbers of the file that serves, and activations are rounded here
as ONNX Runtime rounds them there, so that what is trained is what runs: Jacob et al.,
"Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference"
(2018).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from model_training.dataset.families import HEADS

#: The tower: input side, patch side, width, heads, blocks, width within the MLP.
SIDE, PATCH, WIDTH, HEADS_OF_ATTENTION, BLOCKS, MLP_WIDTH = 224, 16, 768, 12, 12, 3072
GRID = SIDE // PATCH
TOKENS = GRID * GRID + 1
#: Blocks whose tokens the heads read, counted from 1.
DEPTHS = (3, 6, 9, 12)
EPSILON = 1e-5
#: Steps of an 8-bit number, the middle one, and the smallest step between two.
LEVELS, MIDDLE, LEAST_STEP = 255, 128, 1e-12
#: The least value of x * sigmoid(1.702 x), rounded down.
GELU_FLOOR = -0.164
#: Mean and spread of CLIP's input, RGB in [0, 1].
MEAN = (0.48145466, 0.4578275, 0.40821073)
SPREAD = (0.26862954, 0.26130258, 0.27577711)
#: Width of the layer that joins the depths, for the verdict and for the heatmap.
JOINED, JOINED_MAP = 384, 128
#: Each patch token says so many by so many pixels of the heatmap.
SUBGRID = 4
DROPOUT = 0.3


@keras.saving.register_keras_serializable(package="unmask")
class QuantisedDense(keras.layers.Layer):  # type: ignore[misc] # Keras has no types
    """``x @ kernel * scale + bias`` with an int8 ``kernel`` that is never trained.

    Each token of ``x`` (n, t, in) is rounded to 8 bits by its own greatest value, which errs
    several times less than one range for all of a picture's tokens; gradients pass the rounding.
    ``floor`` is the least value that inputs can have, where they have one. ``gain`` (out,) is the
    trained factor, less one, on each output's scale.
    """

    def __init__(self, units: int, floor: float | None = None, **options: Any) -> None:
        super().__init__(autocast=False, **options)  # tokens are rounded in single precision
        self.units, self.floor = units, floor

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the variables for inputs (n, t, in)."""
        width = int(input_shape[-1] or 0)
        fixed = {"trainable": False, "initializer": "zeros"}
        self.kernel = self.add_weight(
            name="kernel", shape=(width, self.units), dtype="int8", **fixed
        )
        self.scale = self.add_weight(name="scale", shape=(self.units,), dtype="float32", **fixed)
        self.gain = self.add_weight(
            name="gain", shape=(self.units,), dtype="float32", initializer="zeros"
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.units,), dtype="float32", initializer="zeros"
        )

    def call(self, inputs: Any) -> Any:
        """Tokens (n, t, in) to (n, t, out), float32."""
        x = ops.cast(inputs, "float32")
        whole, step = rounded(x) if self.floor is None else rounded_above(x, self.floor)
        kernel = ops.cast(self.kernel, self.compute_dtype)
        product = ops.cast(ops.matmul(ops.cast(whole, self.compute_dtype), kernel), "float32")
        if self.floor is None:
            shift = 0.0
        else:
            columns = ops.sum(ops.cast(self.kernel, "float32"), axis=0)
            shift = (self.floor + MIDDLE * step) * columns
        return (product * step + shift) * (self.scale * (1 + self.gain)) + self.bias


def rounded(x: Any) -> tuple[Any, Any]:
    """Tokens (n, t, c) as whole numbers from -127 to 127 and each token's step (n, t, 1)."""
    greatest = ops.max(ops.abs(x), axis=2, keepdims=True)
    step = ops.stop_gradient(ops.maximum(greatest / (MIDDLE - 1), LEAST_STEP))
    return _whole(x / step), step


def rounded_above(x: Any, floor: float) -> tuple[Any, Any]:
    """Tokens (n, t, c) of at least ``floor`` as ``(whole + 128) * step + floor``: whole numbers
    from -128 to 127, which bfloat16 holds exactly, and each token's step (n, t, 1)."""
    span = ops.max(x, axis=2, keepdims=True) - floor
    step = ops.stop_gradient(ops.maximum(span / LEVELS, LEAST_STEP))
    return _whole((x - floor) / step - MIDDLE), step


def _whole(steps: Any) -> Any:
    return steps + ops.stop_gradient(ops.round(steps) - steps)


@keras.saving.register_keras_serializable(package="unmask")
class Embedding(keras.layers.Layer):  # type: ignore[misc] # Keras has no types
    """RGB in [-1, 1], (n, 224, 224, 3), to CLIP's first tokens (n, 197, 768), float32."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the variables; none of them is trained."""
        fixed = {"trainable": False, "initializer": "zeros", "dtype": "float32"}
        self.kernel = self.add_weight(name="kernel", shape=(PATCH, PATCH, 3, WIDTH), **fixed)
        self.first = self.add_weight(name="class", shape=(WIDTH,), **fixed)
        self.position = self.add_weight(name="position", shape=(TOKENS, WIDTH), **fixed)

    def call(self, inputs: Any) -> Any:
        """Cut into patches, project, put the class token in front, add the positions."""
        image = (ops.cast(inputs, "float32") + 1) / 2
        image = (image - ops.array(MEAN, "float32")) / ops.array(SPREAD, "float32")
        patches = ops.conv(image, self.kernel, strides=PATCH, padding="valid")
        patches = ops.reshape(patches, (-1, GRID * GRID, WIDTH))
        first = ops.broadcast_to(self.first, (ops.shape(patches)[0], 1, WIDTH))
        return ops.concatenate([first, patches], axis=1) + self.position


@keras.saving.register_keras_serializable(package="unmask")
class Attention(keras.layers.Layer):  # type: ignore[misc] # Keras has no types
    """Multi-head attention over given queries, keys and values, each (n, t, 768)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(autocast=False, **options)

    def call(self, query: Any, key: Any, value: Any) -> Any:
        """The values (n, t, 768), mixed by how well keys answer queries."""
        q, k, v = (self._heads(tokens) for tokens in (query, key, value))
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2)))
        shares = ops.softmax(ops.cast(scores, "float32") / (WIDTH // HEADS_OF_ATTENTION) ** 0.5)
        mixed = ops.matmul(ops.cast(shares, self.compute_dtype), v)
        mixed = ops.transpose(mixed, (0, 2, 1, 3))
        return ops.reshape(ops.cast(mixed, "float32"), (-1, TOKENS, WIDTH))

    def _heads(self, tokens: Any) -> Any:
        parts = ops.reshape(tokens, (-1, TOKENS, HEADS_OF_ATTENTION, WIDTH // HEADS_OF_ATTENTION))
        return ops.cast(ops.transpose(parts, (0, 2, 1, 3)), self.compute_dtype)


def is_frozen(variable: keras.Variable) -> bool:
    """Whether a variable is never trained, so that it stands in the tower's own file alone."""
    layer, _, name = variable.path.rpartition("/")
    return layer == "embedding" or (layer.startswith("block_") and name in {"kernel", "scale"})


def build_tower() -> keras.Model:
    """RGB in [-1, 1], (n, 224, 224, 3), to the tokens ``tokens_3`` to ``tokens_12`` after those
    blocks, each (n, 197, 768): the class token first, then 14 by 14 patches in rows."""
    image = keras.Input((SIDE, SIDE, 3), name="image")
    x = Embedding(name="embedding", dtype="float32")(image)
    x = _norm("pre_norm")(x)
    outputs = {}
    for number in range(1, BLOCKS + 1):
        x = _block(x, f"block_{number}")
        if number in DEPTHS:
            outputs[f"tokens_{number}"] = x
    return keras.Model(image, outputs, name="clip_vit_b16")


def _block(x: Any, name: str) -> Any:
    y = _norm(f"{name}_norm_1")(x)
    parts = [QuantisedDense(WIDTH, name=f"{name}_{part}")(y) for part in ("query", "key", "value")]
    y = Attention(name=f"{name}_attention")(*parts)
    x = keras.layers.Add(name=f"{name}_sum_1", dtype="float32")(
        [x, QuantisedDense(WIDTH, name=f"{name}_out")(y)]
    )
    y = _norm(f"{name}_norm_2")(x)
    y = QuantisedDense(MLP_WIDTH, name=f"{name}_widen")(y)
    y = y * ops.sigmoid(1.702 * y)
    return keras.layers.Add(name=f"{name}_sum_2", dtype="float32")(
        [x, QuantisedDense(WIDTH, GELU_FLOOR, name=f"{name}_narrow")(y)]
    )


def _norm(name: str) -> keras.layers.Layer:
    return keras.layers.LayerNormalization(epsilon=EPSILON, name=name, dtype="float32")


def build_heads() -> keras.Model:
    """The tower's tokens to ``families`` (n, 5), a logit for each of ``HEADS``, and
    ``heatmap_logit`` (n, 112, 112, 1)."""
    tokens = {
        f"tokens_{depth}": keras.Input((TOKENS, WIDTH), name=f"tokens_{depth}") for depth in DEPTHS
    }
    summaries, places = [], []
    for name, value in tokens.items():
        first, patches = value[:, 0], value[:, 1:]
        for part, summary in (("class", first), ("mean", ops.mean(patches, axis=1))):
            summaries.append(_norm(f"{name}_{part}_norm")(summary))
        normed = _norm(f"{name}_map_norm")(patches)
        places.append(keras.layers.Dense(JOINED_MAP, name=f"{name}_map")(normed))
    x = keras.layers.Concatenate(name="summary")(summaries)
    x = keras.layers.Dropout(DROPOUT, name="summary_dropout")(x)
    x = keras.layers.Dense(JOINED, activation="gelu", name="joined")(x)
    x = keras.layers.Dropout(DROPOUT, name="joined_dropout")(x)
    families = keras.layers.Dense(len(HEADS), dtype="float32", name="families")(x)
    y = ops.gelu(keras.layers.Add(name="map_sum")(places), approximate=False)
    y = keras.layers.Dense(SUBGRID * SUBGRID, dtype="float32", name="map")(y)
    return keras.Model(
        tokens, {"families": families, "heatmap_logit": _spread_out(y)}, name="clip_heads"
    )


def _spread_out(y: Any) -> Any:
    """Each patch's sixteen numbers (n, 196, 16) in their places, enlarged to (n, 112, 112, 1)."""
    y = ops.reshape(y, (-1, GRID, GRID, SUBGRID, SUBGRID))
    y = ops.reshape(ops.transpose(y, (0, 1, 3, 2, 4)), (-1, GRID * SUBGRID, GRID * SUBGRID, 1))
    return keras.layers.UpSampling2D(2, interpolation="bilinear", name="map_up", dtype="float32")(y)


def build_clip() -> keras.Model:
    """Tower and heads as one network from RGB in [-1, 1] to ``logit`` (n, 1), the head over all
    fakes; ``families`` (n, 5); ``heatmap_logit`` (n, 112, 112, 1); and the hints ``hint_16``
    (n, 14, 14, 768) and ``hint_32`` (n, 7, 7, 768) that teach the DenseNet121."""
    tower, heads = build_tower(), build_heads()
    tokens = tower.output
    given = heads(tokens)
    middle, last = (
        ops.reshape(tokens[f"tokens_{depth}"][:, 1:], (-1, GRID, GRID, WIDTH)) for depth in (6, 12)
    )
    hint_32 = keras.layers.AveragePooling2D(2, name="hint_32_pool", dtype="float32")(last)
    return keras.Model(
        tower.input,
        {
            "logit": given["families"][:, :1],
            "families": given["families"],
            "heatmap_logit": given["heatmap_logit"],
            "hint_16": middle,
            "hint_32": hint_32,
        },
        name="unmask_clip",
    )
