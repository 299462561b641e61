"""An average of the weights over the last steps, which judges better than the last step's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

Arrays = list[np.ndarray[Any, Any]]


class WeightAverage:
    """An exponential moving average of all weights, statistics of normalisation included; whole
    numbers are never trained and so have none.

    Polyak and Juditsky, "Acceleration of stochastic approximation by averaging" (1992). Updated
    every few steps, which costs less and changes nothing that matters.
    """

    EVERY = 5

    def __init__(self, model: keras.Model, momentum: float = 0.999) -> None:
        self._weights = [w for w in model.weights if keras.backend.is_float_dtype(w.dtype)]
        self._keep = momentum**self.EVERY
        self._values = self._copies()
        self._mix = _compiled(_mix)

    def update(self, step: int) -> None:
        """Take in the weights after ``step``; early on the average follows quickly."""
        if step % self.EVERY == 0:
            keep = np.float32(min(self._keep, (1 + step) / (50 + step)))
            weights = [ops.stop_gradient(weight.value) for weight in self._weights]
            self._values = self._mix(self._values, weights, keep)

    def swap(self) -> None:
        """Exchange the weights and their average."""
        current = self._copies()
        for weight, value in zip(self._weights, self._values, strict=True):
            weight.assign(value)
        self._values = current

    def state(self) -> Arrays:
        """The average as arrays, in the order of the model's weights."""
        return [np.asarray(ops.convert_to_numpy(value)) for value in self._values]

    def restore(self, arrays: Sequence[np.ndarray[Any, Any]]) -> None:
        """Take up a saved state."""
        self._values = [ops.convert_to_tensor(array) for array in arrays]

    def _copies(self) -> list[Any]:
        arrays = [np.array(ops.convert_to_numpy(weight.value)) for weight in self._weights]
        return [ops.convert_to_tensor(array) for array in arrays]


def _mix(old: list[Any], new: list[Any], keep: Any) -> list[Any]:
    return [a + (ops.cast(b, a.dtype) - a) * (1 - keep) for a, b in zip(old, new, strict=True)]


def _compiled(function: Any) -> Any:
    """One compiled call under JAX, which would otherwise compile each shape apart."""
    if keras.backend.backend() != "jax":
        return function
    import jax

    return jax.jit(function)
