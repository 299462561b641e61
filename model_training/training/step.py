"""One training step, as each backend does it fast.

TensorFlow and PyTorch go through Keras's own ``train_on_batch``. Under JAX the whole step is one
compiled function over the variables' values: DenseNet has so many small layers that starting
them one by one takes longer on a GPU than running them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from model_training.dataset.batches import Batch
from model_training.networks.losses import (
    accuracy,
    face_loss,
    families_loss,
    hint_loss,
    mask_loss,
)
from model_training.training.distillation import Lessons, arrays_of

#: What a step reports, still on the device: loss, accuracy.
Logs = dict[str, Any]
Step = Callable[[Batch, int], Logs]

LOSSES = {
    "logit": face_loss,
    "families": families_loss,
    "heatmap_logit": mask_loss,
    "hint_16": hint_loss,
    "hint_32": hint_loss,
}


def make_step(
    learner: keras.Model, optimizer: keras.optimizers.Optimizer, lessons: Lessons | None = None
) -> Step:
    """A function that takes one step on a batch, given its number. ``learner`` gives ``logit``
    and, as the case may be, ``families``, ``heatmap_logit`` and a teacher's hints."""
    lessons = lessons or Lessons()
    if keras.backend.backend() == "jax":
        return _jax_step(learner, optimizer, lessons)
    names = list(learner.output)
    learner.compile(
        optimizer=optimizer,
        loss={name: LOSSES[name] for name in names},
        metrics={"logit": accuracy},
        jit_compile=False,  # XLA makes TensorFlow slower on the CPU
    )

    def step(batch: Batch, number: int) -> Logs:
        learner.reset_metrics()
        given = lessons.prepare(arrays_of(**vars(batch)), lessons.shares(batch, number))
        targets = {name: given[name] for name in names}
        found = learner.train_on_batch(given["image"], targets, return_dict=True)
        name = "logit_accuracy" if "logit_accuracy" in found else "accuracy"
        return {"loss": found["loss"], "accuracy": found[name]}

    return step


def _jax_step(
    learner: keras.Model, optimizer: keras.optimizers.Optimizer, lessons: Lessons
) -> Step:
    import jax

    names = list(learner.output)
    trained, others, kept = (
        learner.trainable_variables,
        learner.non_trainable_variables,
        optimizer.variables,
    )

    def losses(free: Any, fixed: Any, given: Any) -> Any:
        found, fixed = learner.stateless_call(free, fixed, given["image"], training=True)
        total = sum(keras.ops.mean(LOSSES[name](given[name], found[name])) for name in names)
        right = keras.ops.mean(accuracy(given["logit"], found["logit"]))
        return total, (fixed, right)

    gradient = jax.value_and_grad(losses, has_aux=True)

    @jax.jit  # type: ignore[untyped-decorator]
    def compiled(free: Any, fixed: Any, state: Any, taught: Any, batch: Any, shares: Any) -> Any:
        given = jax.lax.stop_gradient(lessons.prepare(arrays_of(**batch), shares, taught))
        (loss, (fixed, right)), slopes = gradient(free, fixed, given)
        free, state = optimizer.stateless_apply(state, slopes, free)
        return free, fixed, state, loss, right

    taught = lessons.values()

    def step(batch: Batch, number: int) -> Logs:
        groups = trained, others, kept
        values = [[variable.value for variable in group] for group in groups]
        shares = lessons.shares(batch, number)
        *news, loss, right = compiled(*values, taught, vars(batch), shares)
        for group, new in zip(groups, news, strict=True):
            for variable, value in zip(group, new, strict=True):
                variable.assign(value)
        return {"loss": loss, "accuracy": right}

    return step
