"""One training step, as each backend does it fast.

TensorFlow and PyTorch go through Keras's own ``train_on_batch``. Under JAX the whole step is one
compiled function over the variables' values: DenseNet has so many small layers that starting
them one by one takes longer on a GPU than running them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from model_training.batches import Batch
from model_training.losses import face_loss, mask_loss

#: What a step reports, still on the device: loss, accuracy.
Logs = dict[str, Any]
Step = Callable[[Batch], Logs]

LOSSES = {"logit": face_loss, "heatmap_logit": mask_loss}


def make_step(learner: keras.Model, optimizer: keras.optimizers.Optimizer) -> Step:
    """A function that takes one step on a batch. ``learner`` gives ``logit`` and, if it has a
    decoder, ``heatmap_logit``."""
    if keras.backend.backend() == "jax":
        return _jax_step(learner, optimizer)
    names = list(learner.output)
    learner.compile(
        optimizer=optimizer,
        loss={name: LOSSES[name] for name in names},
        metrics={"logit": keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)},
        jit_compile=False,  # XLA makes TensorFlow slower on the CPU
    )

    def step(batch: Batch) -> Logs:
        learner.reset_metrics()
        found = learner.train_on_batch(batch.image, _targets(batch, names), return_dict=True)
        name = "logit_accuracy" if "logit_accuracy" in found else "accuracy"
        return {"loss": found["loss"], "accuracy": found[name]}

    return step


def _targets(batch: Batch, names: list[str]) -> dict[str, Any]:
    wanted = {"logit": batch.label, "heatmap_logit": batch.heatmap}
    return {name: wanted[name] for name in names}


def _jax_step(learner: keras.Model, optimizer: keras.optimizers.Optimizer) -> Step:
    import jax

    names = list(learner.output)
    trained, others, kept = (
        learner.trainable_variables,
        learner.non_trainable_variables,
        optimizer.variables,
    )

    def losses(free: Any, fixed: Any, image: Any, targets: Any) -> Any:
        found, fixed = learner.stateless_call(free, fixed, image, training=True)
        total = sum(keras.ops.mean(LOSSES[name](targets[name], found[name])) for name in names)
        same = (found["logit"] >= 0) == (targets["logit"] > 0.5)
        right = keras.ops.mean(keras.ops.cast(same, "float32"))
        return total, (fixed, right)

    gradient = jax.value_and_grad(losses, has_aux=True)

    @jax.jit  # type: ignore[untyped-decorator]
    def compiled(free: Any, fixed: Any, state: Any, image: Any, targets: Any) -> Any:
        (loss, (fixed, right)), slopes = gradient(free, fixed, image, targets)
        free, state = optimizer.stateless_apply(state, slopes, free)
        return free, fixed, state, loss, right

    def step(batch: Batch) -> Logs:
        groups = trained, others, kept
        values = [[variable.value for variable in group] for group in groups]
        *news, loss, right = compiled(*values, batch.image, _targets(batch, names))
        for group, new in zip(groups, news, strict=True):
            for variable, value in zip(group, new, strict=True):
                variable.assign(value)
        return {"loss": loss, "accuracy": right}

    return step
