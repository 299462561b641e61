"""The maps by which CLIP teaches the DenseNet121 what to see.

Hinton et al., "Distilling the Knowledge in a Neural Network" (2015); Romero et al., "FitNets: Hints
for Thin Deep Nets" (2015).
"""

from __future__ import annotations

import keras

#: The side of the input over that of a map that is taught, and DenseNet121's map of that side.
TAUGHT = {16: "pool4_conv", 32: "relu"}


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
        for side in TAUGHT
    }
