"""Trains as the paper says, on whole pictures: the recipe that Unmask grew out of.

What the paper tells: DenseNet121 in Keras, pictures resized to 224 x 224, noise removal, pixel
normalisation, real against fake, binary cross-entropy, Adam, five epochs with validation watched
for overfitting. What it leaves open is chosen here: Adam's usual rate, 32 pictures a step, a 3 x 3
median as noise removal, [-1, 1] as normalisation, and the weights of the epoch with the lowest
validation loss as the result.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from rich.progress import track

from model_training.dataset.data import Row, of_split, read_dataset
from model_training.dataset.landmarks import read_pixels
from model_training.evaluation.metrics import Indices
from model_training.networks.model import (
    INPUT_SIZE,
    build_model,
    load_warmstart,
    read_weights,
    save_weights,
)
from unmask.detector.align import Floats, Pixels
from unmask.detector.preprocess import Denoise, prepare

#: Batches made ahead of the one in work.
AHEAD = 8
BEST, PLAN, PROGRESS = "best.npz", "recipe.json", "progress.json"


@dataclass(frozen=True)
class Recipe:
    """A reproduction. ``steps`` cuts every epoch short; ``warmstart`` and ``imagenet`` say what
    the network starts from, scratch being the default."""

    data: Path
    out: Path
    epochs: int = 5
    batch: int = 32
    rate: float = 1e-3
    denoise: Denoise = Denoise.MEDIAN
    seed: int = 1
    steps: int | None = None
    save_every: int = 200
    warmstart: Path | None = None
    imagenet: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for numbers that no run can have."""
        for name in ("epochs", "batch", "rate", "steps", "save_every"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be more than 0, not {value}")


@dataclass
class _Progress:
    """How far a run has come: steps of the epoch in work, their sums, and epochs done."""

    step: int = 0
    loss: float = 0.0
    accuracy: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


class Reproduction:
    """A run of the recipe in ``recipe.out``; one that was broken off goes on where it was saved."""

    def __init__(self, recipe: Recipe) -> None:
        """Raises ValueError for data without training, validation and test pictures of both
        kinds, and for a folder that holds a run of another recipe."""
        self.recipe, self.at = recipe, _Progress()
        rows = read_dataset(recipe.data)
        self.rows = {split: of_split(rows, split) for split in ("train", "val", "test")}
        for split, own in self.rows.items():
            if {row.label for row in own} != {0, 1}:
                raise ValueError(f"{recipe.data} lacks real or fake pictures in the split {split}")
        _check_folder(recipe)
        keras.utils.set_random_seed(recipe.seed)
        self.model = build_model(weights="imagenet" if recipe.imagenet else None, decoder=False)
        given = recipe.warmstart
        if given is not None and not load_warmstart(self.model, read_weights(given)):
            raise ValueError(f"{given} names none of the network's variables")
        self._learner = keras.Model(self.model.input, self.model.output["logit"])
        self._learner.compile(
            optimizer=keras.optimizers.Adam(recipe.rate),
            loss=keras.losses.BinaryCrossentropy(from_logits=True),
            metrics=[keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)],
            jit_compile=keras.backend.backend() == "jax",  # XLA makes TensorFlow slower on the CPU
        )
        self._learner.optimizer.build(self._learner.trainable_variables)
        self._load()

    def train(self) -> list[dict[str, float]]:
        """Train to the recipe's end; the history, a dict an epoch. Writes best.npz."""
        while len(self.at.history) < self.recipe.epochs:
            self._epoch()
            loss, accuracy = self.validate()
            row = {"epoch": float(len(self.at.history)), "val_loss": loss, "val_accuracy": accuracy}
            row |= {
                "loss": self.at.loss / self.at.step,
                "accuracy": self.at.accuracy / self.at.step,
            }
            if all(loss < old["val_loss"] for old in self.at.history):
                save_weights(self.model, self.recipe.out / BEST, "float32")
            self.at = _Progress(history=[*self.at.history, row])
            self._save()
        return self.at.history

    def validate(self) -> tuple[float, float]:
        """Binary cross-entropy and accuracy on validation."""
        rows = self.rows["val"]
        logit = self.logits(rows)
        label = np.array([row.label for row in rows])
        loss = np.logaddexp(0, logit) - label * logit
        return float(loss.mean()), float(np.mean((logit >= 0) == (label == 1)))

    def take_best(self) -> None:
        """Go back to the weights with the lowest validation loss."""
        load_warmstart(self.model, read_weights(self.recipe.out / BEST))

    def logits(self, rows: Sequence[Row]) -> Floats:
        """What the network says of pictures (n,), above 0 for fake."""
        count = math.ceil(len(rows) / self.recipe.batch)
        order = np.resize(np.arange(len(rows)), count * self.recipe.batch)
        batches = _batches(rows, order.reshape(count, -1), self.recipe.denoise)
        found = [self._learner.predict_on_batch(image) for image, _ in _shown(batches, count)]
        return np.concatenate([np.asarray(part, np.float32).reshape(-1) for part in found])[
            : len(rows)
        ]

    def _epoch(self) -> None:
        """The rest of the epoch in work."""
        rows, recipe = self.rows["train"], self.recipe
        random = np.random.default_rng([recipe.seed, len(self.at.history)])
        steps = math.ceil(len(rows) / recipe.batch)
        order = np.resize(random.permutation(len(rows)), (steps, recipe.batch))
        order = order[self.at.step : recipe.steps]
        batches = _batches(rows, order, recipe.denoise)
        for image, label in _shown(batches, len(order), len(self.at.history) + 1):
            self._learner.reset_metrics()
            found = self._learner.train_on_batch(image, label, return_dict=True)
            self.at.step += 1
            self.at.loss += float(found["loss"])
            self.at.accuracy += float(found["accuracy"])
            if self.at.step % recipe.save_every == 0:
                self._save()

    def _save(self) -> None:
        """Write weights and optimiser, then the note that names them; drop the older ones."""
        out, epoch = self.recipe.out, len(self.at.history)
        path = out / f"checkpoint-{epoch}-{self.at.step}.weights.h5"
        self._learner.save_weights(path)
        note = out / f"{PROGRESS}.part"
        note.write_text(json.dumps({"file": path.name, **asdict(self.at)}), encoding="utf-8")
        note.replace(out / PROGRESS)
        for old in out.glob("checkpoint-*.weights.h5"):
            if old != path:
                old.unlink()

    def _load(self) -> None:
        path = self.recipe.out / PROGRESS
        if path.is_file():
            note = json.loads(path.read_text(encoding="utf-8"))
            self._learner.load_weights(self.recipe.out / note.pop("file"))
            self.at = _Progress(**note)


def whole_picture(row: Row) -> Pixels:
    """The picture as the paper shows it to its network: all of it, resized, (224, 224, 3) RGB."""
    pixels = read_pixels(row.path)[:, :, ::-1]
    method = cv2.INTER_AREA if pixels.shape[0] > INPUT_SIZE else cv2.INTER_LINEAR
    small = cv2.resize(pixels, (INPUT_SIZE, INPUT_SIZE), interpolation=method)
    return np.ascontiguousarray(small, np.uint8)


def _check_folder(recipe: Recipe) -> None:
    """Note the recipe in its folder, or compare it with the one that the folder began with."""
    recipe.out.mkdir(parents=True, exist_ok=True)
    path = recipe.out / PLAN
    open_ended = {"out", "epochs", "save_every"}  # a run may be made longer
    plan = {k: v for k, v in asdict(recipe).items() if k not in open_ended}
    text = json.dumps(plan, indent=2, default=str)
    if path.is_file() and path.read_text(encoding="utf-8") != text:
        raise ValueError(f"{recipe.out} holds a run of another recipe: name another folder")
    path.write_text(text, encoding="utf-8")


def _batches(
    rows: Sequence[Row], order: Indices, denoise: Denoise
) -> Iterator[tuple[Floats, Floats]]:
    """Network inputs and labels (n, 1) for each line of indices, made by threads ahead of time."""

    def make(chosen: Indices) -> tuple[Floats, Floats]:
        own = [rows[index] for index in chosen]
        image = prepare([whole_picture(row) for row in own], denoise)
        return image, np.array([[row.label] for row in own], np.float32)

    waiting: deque[Future[tuple[Floats, Floats]]] = deque()
    with ThreadPoolExecutor() as pool:
        for chosen in order:
            waiting.append(pool.submit(make, chosen))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _shown(batches: Iterator[Any], count: int, epoch: int = 0) -> Iterator[Any]:
    """The batches with a bar that tells how far they have come."""
    text = f"Epoch {epoch}" if epoch else "Judging"
    return iter(track(batches, total=count, description=text))
