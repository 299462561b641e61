"""The network: DenseNet121 with one logit for the face and a light decoder for the heatmap.

DenseNet: Huang et al., "Densely Connected Convolutional Networks" (2017). The decoder adds up the
dense blocks' maps from coarse to fine, as Lin et al., "Feature Pyramid Networks for Object
Detection" (2017) do.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from model_training.dataset.families import HEADS
from model_training.networks.clip import is_frozen

#: Side of the network's input, in pixels.
INPUT_SIZE = 224
#: Maps that the decoder reads, finest first: 1/4, 1/8, 1/16 and 1/32 of the input's side.
LATERALS = ("pool2_conv", "pool3_conv", "pool4_conv", "relu")
DECODER_WIDTH = 48
#: Share of the last map's channels left out in training.
DROPOUT = 0.2


def build_model(
    input_size: int | None = INPUT_SIZE, weights: str | None = None, decoder: bool = True
) -> keras.Model:
    """A model from RGB in [-1, 1], (n, s, s, 3), to named outputs.

    ``logit`` (n, 1): of the face being fake, the mean of ``activation`` over its places.
    ``activation`` (n, s/32, s/32, 1): the class-activation map, Zhou et al., "Learning Deep
    Features for Discriminative Localization" (2016).
    ``families`` (n, 5): the same for each of ``HEADS``, the first being ``logit`` itself.
    ``heatmap_logit`` (n, s/2, s/2, 1), with ``decoder``: of each pixel being tampered with.

    ``weights="imagenet"`` starts from Keras's ImageNet weights, which Keras downloads.
    """
    image = keras.Input((input_size, input_size, 3), name="image")
    backbone = keras.applications.DenseNet121(
        include_top=False, weights=weights, input_tensor=image
    )
    features = keras.layers.SpatialDropout2D(DROPOUT, name="dropout")(backbone.output)
    activation = keras.layers.Conv2D(1, 1, dtype="float32", name="cam")(features)
    logit = keras.layers.GlobalAveragePooling2D(dtype="float32", name="logit")(activation)
    pooled = keras.layers.GlobalAveragePooling2D(dtype="float32", name="pooled")(features)
    others = keras.layers.Dense(len(HEADS) - 1, dtype="float32", name="by_family")(pooled)
    families = keras.layers.Concatenate(dtype="float32", name="families")([logit, others])
    outputs = {"logit": logit, "activation": activation, "families": families}
    if decoder:
        outputs["heatmap_logit"] = _decode(backbone)
    return keras.Model(image, outputs, name="unmask_densenet121")


def _decode(backbone: keras.Model) -> keras.KerasTensor:
    x = None
    for name in reversed(LATERALS):
        lateral = backbone.get_layer(name).output
        lateral = keras.layers.Conv2D(DECODER_WIDTH, 1, name=f"lateral_{name}")(lateral)
        if x is not None:
            x = keras.layers.UpSampling2D(2, name=f"up_{name}")(x)
            lateral = keras.layers.Add(name=f"sum_{name}")([lateral, x])
        x = _smooth(lateral, f"smooth_{name}")
    x = keras.layers.UpSampling2D(2, interpolation="bilinear", name="up_last")(x)
    x = _smooth(x, "smooth_last", DECODER_WIDTH // 2)
    return keras.layers.Conv2D(1, 1, dtype="float32", name="heatmap_logit")(x)


def _smooth(x: keras.KerasTensor, name: str, width: int = DECODER_WIDTH) -> keras.KerasTensor:
    x = keras.layers.Conv2D(width, 3, padding="same", use_bias=False, name=name)(x)
    x = keras.layers.BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.Activation("relu", name=f"{name}_relu")(x)


def serving_model(model: keras.Model) -> keras.Model:
    """The same network with what serving reads: ``families`` (n, 5), the logits of ``HEADS``;
    ``heatmap`` (n, s/2, s/2, 1) in [0, 1]; and ``activation`` (n, s/32, s/32, 1)."""
    outputs = model.output
    return keras.Model(
        model.input,
        {
            "families": outputs["families"],
            "heatmap": keras.ops.sigmoid(outputs["heatmap_logit"]),
            "activation": outputs["activation"],
        },
        name=model.name,
    )


Weights = Mapping[str, npt.NDArray[np.floating[Any]]]


def read_weights(path: Path) -> Weights:
    """The arrays of an .npz by name. Raises ValueError where it is none."""
    try:
        with np.load(path) as stored:
            return {name: stored[name].astype(np.float32) for name in stored.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not an .npz of weights") from error


def average_weights(paths: Sequence[Path]) -> Weights:
    """The mean of several runs' or epochs' weights.

    Wortsman et al., "Model soups" (2022). Raises ValueError where they name different variables.
    """
    first, *others = (read_weights(path) for path in paths)
    if any(other.keys() != first.keys() for other in others):
        raise ValueError("the files to average are not of one network")
    return {name: np.mean([first[name], *(o[name] for o in others)], axis=0) for name in first}


def load_warmstart(model: keras.Model, weights: Weights) -> int:
    """Assign the variables that ``weights`` names by their Keras paths; returns how many.

    Variables it does not name keep their values. Raises ValueError where a shape differs.
    """
    count = 0
    for variable in model.weights:
        if variable.path in weights:
            variable.assign(weights[variable.path])
            count += 1
    return count


def load_all(model: keras.Model, weights: Weights) -> None:
    """Assign every variable. Raises ValueError where ``weights`` lacks one or a shape differs."""
    missing = {variable.path for variable in model.weights} - set(weights)
    if missing:
        raise ValueError(f"the weights lack {len(missing)} variables of the network {model.name}")
    load_warmstart(model, weights)


def save_weights(model: keras.Model, path: Path, dtype: str = "float16") -> None:
    """Write every variable under its Keras path as a compressed .npz, in half precision by
    default: half the size, and no verdict in a thousand changes by it. What is frozen in CLIP's
    tower is left out."""
    kept = (v for v in model.weights if not is_frozen(v))
    values = ((v.path, np.asarray(keras.ops.convert_to_numpy(v))) for v in kept)
    arrays = {name: value.astype(dtype) for name, value in values}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type] # numpy foresees no such names
