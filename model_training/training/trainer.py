"""One training run: its steps, its clock, its validation and its checkpoints."""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from model_training.dataset.batches import Batch, TrainingBatches
from model_training.evaluation.metrics import roc_auc
from model_training.networks.clip import is_frozen
from model_training.networks.ema import WeightAverage
from model_training.networks.hints import hint_heads
from model_training.networks.losses import mask_loss
from model_training.networks.model import save_weights
from model_training.training.config import Plan
from model_training.training.distillation import Lessons, arrays_of
from model_training.training.step import Logs, make_step
from unmask.detector.align import Floats, Pixels
from unmask.detector.preprocess import normalise

#: Share of a run in which the rate rises to its full height, and its height at the end.
WARM_UP, FLOOR = 0.03, 0.01
#: Steps between two looks at the loss.
LOOK_EVERY = 10


@dataclass
class Progressed:
    """How far a run has come; saved with each checkpoint."""

    step: int = 0
    epoch: int = 0
    seconds: float = 0.0
    best: float = -math.inf
    history: list[dict[str, float]] = field(default_factory=list)


class Run:
    """A model with its optimiser, its average and its place in the plan."""

    def __init__(self, plan: Plan, model: keras.Model, teacher: keras.Model | None = None) -> None:
        self.plan, self.model, self.at = plan, model, Progressed()
        self.average = WeightAverage(model)
        wanted = [name for name in ("logit", "families", "heatmap_logit") if name in model.output]
        outputs = {name: model.output[name] for name in wanted}
        if teacher is not None:
            outputs |= hint_heads(model, teacher)
        self._learner = keras.Model(model.input, outputs)
        self._kept = [variable for variable in self._learner.weights if not is_frozen(variable)]
        self._optimizer = keras.optimizers.AdamW(plan.rate, weight_decay=plan.weight_decay)
        self._optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self._optimizer.build(self._learner.trainable_variables)
        lessons = Lessons(teacher, plan.mixup, plan.seed)
        self._step = make_step(self._learner, self._optimizer, lessons)

    def go(self, batches: TrainingBatches, checks: Sequence[Batch]) -> None:
        """Train to the plan's end, with a check, a history row and a checkpoint an epoch."""
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        with Progress(*columns, refresh_per_second=2) as progress:
            bar = progress.add_task("training", total=1.0)
            progress.update(bar, completed=self.part)
            source = iter(batches)
            while self.part < 1.0:
                start = time.monotonic()
                before = self.at.seconds
                shown = self._epoch(source, progress, bar, start, before)
                self.at.seconds = before + time.monotonic() - start
                self._conclude(shown, checks)
                progress.console.print(_line(self.at.history[-1]), highlight=False)

    @property
    def part(self) -> float:
        """The part of the plan that is done, by the clock if it names minutes, else by steps."""
        if self.plan.minutes is not None:
            return min(self.at.seconds / (60 * self.plan.minutes), 1.0)
        return min(self.at.step / self.plan.steps, 1.0)

    def _epoch(
        self, source: Iterator[Batch], progress: Progress, bar: TaskID, start: float, before: float
    ) -> dict[str, float]:
        shown: list[Logs] = []
        for _ in range(self.plan.epoch_steps):
            self._optimizer.learning_rate.assign(rate_at(self.part, self.plan.rate))
            shown.append(self._step(next(source), self.at.step))
            self.at.step += 1
            self.average.update(self.at.step)
            self.at.seconds = before + time.monotonic() - start
            if self.at.step % LOOK_EVERY == 0:  # reading a number waits for the device
                last = means(shown[-LOOK_EVERY:])
                text = " ".join(f"{name} {value:.4f}" for name, value in last.items())
                progress.update(bar, description=f"step {self.at.step} {text}")
            progress.update(bar, completed=self.part)
            if self.part >= 1.0:
                break
        return means(shown)

    def _conclude(self, shown: dict[str, float], checks: Sequence[Batch]) -> None:
        self.at.epoch += 1
        self.average.swap()
        found = validate(self._learner, checks)
        # by rank, not by loss: calibration mends certainty afterwards, but no wrong order
        if found["val_auc"] > self.at.best:
            self.at.best = found["val_auc"]
            save_weights(self.model, self.plan.out / "best.npz")
        save_weights(self.model, self.plan.out / "last.npz")
        self.average.swap()
        row: dict[str, float] = {"epoch": self.at.epoch, "step": self.at.step}
        row |= {"seconds": round(self.at.seconds, 1), **shown, **found}
        self.at.history.append(row)
        self._write_history()
        self.save()

    def _write_history(self) -> None:
        with (self.plan.out / "history.csv").open("w", newline="", encoding="utf-8") as lines:
            writer = csv.DictWriter(lines, list(self.at.history[0]))
            writer.writeheader()
            writer.writerows(self.at.history)

    def save(self) -> None:
        """Write the checkpoint; an older one stays whole until the new one is."""
        folder = self.plan.out / "checkpoint"
        folder.mkdir(exist_ok=True)
        arrays: dict[str, np.ndarray[Any, Any]] = {}
        for name, values in self._state().items():
            arrays |= {f"{name}/{index}": value for index, value in enumerate(values)}
        with (folder / "state.part").open("wb") as file:
            # numpy's types do not foresee names that are only known when running
            np.savez(file, progressed=np.array(json.dumps(asdict(self.at))), **arrays)  # type: ignore[arg-type]
        (folder / "state.part").replace(folder / "state.npz")

    def load(self) -> None:
        """Take up the checkpoint of an earlier run; ValueError where there is none."""
        path = self.plan.out / "checkpoint" / "state.npz"
        if not path.is_file():
            raise ValueError(f"there is no checkpoint at {path} to resume from")
        with np.load(path) as stored:
            self.at = Progressed(**json.loads(str(stored["progressed"])))
            for index, variable in enumerate(self._kept):
                variable.assign(stored[f"model/{index}"])
            for index, variable in enumerate(self._optimizer.variables):
                variable.assign(stored[f"optimizer/{index}"])
            count = len(self.average.state())
            self.average.restore([stored[f"average/{index}"] for index in range(count)])

    def _state(self) -> dict[str, list[np.ndarray[Any, Any]]]:
        return {
            "model": [_array(variable) for variable in self._kept],
            "optimizer": [_array(variable) for variable in self._optimizer.variables],
            "average": self.average.state(),
        }


def means(logs: Sequence[Logs]) -> dict[str, float]:
    """The mean of each number that the steps reported."""
    names = logs[0] if logs else ()
    return {name: float(np.mean([float(log[name]) for log in logs])) for name in names}


def rate_at(part: float, height: float) -> float:
    """The learning rate at a part of the run: a short rise, then half a cosine.

    Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017).
    """
    if part < WARM_UP:
        return height * max(part / WARM_UP, 0.02)
    angle = math.pi * (part - WARM_UP) / (1 - WARM_UP)
    return height * (FLOOR + (1 - FLOOR) * (1 + math.cos(angle)) / 2)


def validate(learner: keras.Model, checks: Sequence[Batch]) -> dict[str, float]:
    """Loss (both classes weighing the same), accuracy and ROC AUC over the validation batches,
    the mean of the AUC of each family's own head, and the mean of the mask's loss."""
    logits, labels, masks, families, heads = [], [], [], [], []
    for batch in checks:
        count, size = len(batch.crops), len(checks[0].crops)
        # one shape for all, as a compiling backend would compile each again
        crops = np.resize(batch.crops, (size, *batch.crops.shape[1:]))
        found = learner.predict_on_batch(normalise(crops))
        found = {name: value[:count] for name, value in found.items()}
        logits.append(np.asarray(found["logit"], np.float32).reshape(-1))
        labels.append(batch.labels)
        if "families" in found:
            families.append(np.asarray(found["families"], np.float32))
            heads.append(batch.heads)
        if "heatmap_logit" in found:
            target = arrays_of(**vars(batch))["heatmap_logit"]
            loss = mask_loss(target, keras.ops.convert_to_tensor(found["heatmap_logit"]))
            masks.append(np.asarray(keras.ops.convert_to_numpy(loss)))
    logit, label = np.concatenate(logits), np.concatenate(labels)
    each = np.logaddexp(0, logit) - label * logit
    loss = float(np.mean([each[label == value].mean() for value in np.unique(label)]))
    return {
        "val_loss": loss,
        "val_accuracy": float(np.mean((logit >= 0) == (label > 0.5))),
        "val_auc": float(roc_auc(label.astype(int), logit)),
        "val_family_auc": _family_auc(families, heads, label),
        "val_mask_loss": float(np.concatenate(masks).mean()) if masks else math.nan,
    }


def _family_auc(logits: list[Floats], heads: list[Pixels], labels: Floats) -> float:
    """The mean, over the families that have fakes, of how well a head parts them from the real."""
    if not logits:
        return math.nan
    shown, own = np.concatenate(logits), np.concatenate(heads)
    values = []
    for head in np.unique(own[own > 0]):
        part = (labels < 0.5) | (own == head)
        values.append(roc_auc((own[part] == head).astype(int), shown[part, head]))
    return float(np.mean(values)) if values else math.nan


def _array(variable: keras.Variable) -> np.ndarray[Any, Any]:
    return np.asarray(keras.ops.convert_to_numpy(variable.value))


def _line(row: dict[str, float]) -> str:
    return " ".join(f"{name}={value:.5g}" for name, value in row.items())
