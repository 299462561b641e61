"""What a batch goes through before the network sees it: mixing, and a teacher's opinion.

Both work against learning the training pictures by heart, which a DenseNet121 does with ten
thousand of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from model_training.dataset.batches import Batch
from model_training.dataset.families import HEADS
from unmask.detector.align import Floats

#: The teacher's share in the label; the rest is the truth.
TEACHER_SHARE = 0.5
#: Share of the pictures that are mixed, where any are.
MIXED_SHARE = 0.5

#: A batch by name: ``image``, and the target of each output.
Arrays = dict[str, Any]


@dataclass(frozen=True)
class Lessons:
    """How batches are prepared. ``mixup`` is the parameter of the Beta distribution that a
    picture's share in the mix is drawn from: Zhang et al., "mixup: Beyond Empirical Risk
    Minimization" (2018); 0 mixes nothing. ``teacher`` gives ``logit`` and hints."""

    teacher: keras.Model | None = None
    mixup: float = 0.0
    seed: int = 0

    def shares(self, batch: Batch, number: int) -> Floats:
        """Each picture's share (n, 1) in its mix, for the step of that number."""
        count = len(batch.crops)
        rng = np.random.default_rng([self.seed, number, 1])  # batches draw from [seed, number]
        if not self.mixup:
            return np.ones((count, 1), np.float32)
        drawn = rng.beta(self.mixup, self.mixup, (count, 1))
        mixed = rng.random((count, 1)) < MIXED_SHARE
        return np.where(mixed, np.maximum(drawn, 1 - drawn), 1).astype(np.float32)

    def values(self) -> list[Any] | None:
        """The teacher's values, which a compiled step takes as an argument."""
        if self.teacher is None:
            return None
        teacher = self.teacher
        groups = teacher.trainable_variables, teacher.non_trainable_variables
        return [[variable.value for variable in group] for group in groups]

    def prepare(self, arrays: Arrays, shares: Any, values: list[Any] | None = None) -> Arrays:
        """Each array of a batch, mixed with its neighbour's by ``shares`` (n, 1), with the
        teacher's opinion in ``logit`` and its hints added."""
        if self.mixup:
            arrays = {name: _mixed(array, shares) for name, array in arrays.items()}
        if self.teacher is None:
            return arrays
        said = _ask(self.teacher, arrays["image"], values)
        belief = ops.sigmoid(ops.cast(said["logit"], "float32"))
        label = (1 - TEACHER_SHARE) * arrays["logit"] + TEACHER_SHARE * belief
        taught = {name: value for name, value in said.items() if name.startswith("hint")}
        if "families" in said:
            taught["families"] = _blended(arrays["families"], said["families"])
        return {**arrays, **taught, "logit": label}


def arrays_of(crops: Any, labels: Any, masks: Any, weights: Any, heads: Any) -> Arrays:
    """A batch's bytes as the network's numbers: ``image`` (n, 224, 224, 3) in [-1, 1], ``logit``
    (n, 1), ``families`` (n, 5, 2) with each head's label and its weight, ``heatmap_logit``
    (n, 112, 112, 2) with the mask in [0, 1] and, alike for each pixel, its weight.

    Done where the network runs: a GPU does it in no time, and bytes are a quarter of the way to it.
    """
    mask = ops.cast(masks, "float32") / 255
    weight = ops.broadcast_to(ops.reshape(weights, (-1, 1, 1)), mask.shape)
    return {
        "image": ops.cast(crops, "float32") / 127.5 - 1,  # as unmask.detector.preprocess does
        "logit": ops.reshape(labels, (-1, 1)),
        "families": _family_targets(ops.cast(labels, "float32"), ops.cast(heads, "int32")),
        "heatmap_logit": ops.stack([mask, weight], axis=3),
    }


def _family_targets(labels: Any, heads: Any) -> Any:
    """Each head's label and weight (n, 5, 2): a photograph counts for every head, a fake for the
    first and for its own."""
    own = ops.one_hot(heads, len(HEADS), dtype="float32")
    first = ops.one_hot(ops.zeros_like(heads), len(HEADS), dtype="float32")
    fake = ops.reshape(labels, (-1, 1))
    label = fake * ops.maximum(own, first)
    return ops.stack([label, ops.where(fake > 0.5, label, 1.0)], axis=2)


def _blended(targets: Any, logits: Any) -> Any:
    """The targets (n, 5, 2) with a teacher's opinion (n, 5) in each label. Where the truth says
    nothing, on other families' fakes, the teacher's word alone counts, and half as much."""
    belief = ops.sigmoid(ops.cast(logits, "float32"))
    label, weight = targets[:, :, 0], targets[:, :, 1]
    share = 1 - weight * (1 - TEACHER_SHARE)
    return ops.stack([(1 - share) * label + share * belief, 0.5 + 0.5 * weight], axis=2)


def _ask(teacher: keras.Model, image: Any, values: list[Any] | None) -> Arrays:
    if values is None:
        return dict(teacher(image, training=False))
    said, _ = teacher.stateless_call(*values, image, training=False)
    return dict(said)


def _mixed(array: Any, shares: Any) -> Any:
    """Every row (n, ...) mixed with the one before it."""
    array = ops.convert_to_tensor(array)
    share = ops.reshape(ops.convert_to_tensor(shares), (-1, *[1] * (len(array.shape) - 1)))
    return share * array + (1 - share) * ops.roll(array, 1, axis=0)
