"""Trains the network on any Keras backend."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import keras

from model_training.dataset.batches import TrainingBatches, validation_batches
from model_training.dataset.data import Row, of_split, read_dataset, write_splits
from model_training.dataset.landmarks import Landmarks, landmarks_of
from model_training.dataset.samples import Mix
from model_training.networks.architectures import Network
from model_training.networks.clip import build_clip
from model_training.networks.clip_weights import read_tower
from model_training.networks.model import build_model, load_all, load_warmstart, read_weights
from model_training.training.config import Plan
from model_training.training.trainer import Run


def train(plan: Plan, resume: bool = False) -> Path:
    """Train by ``plan``; returns the file of the best validation weights, ``out/best.npz``.

    Beside it stand ``last.npz``, ``history.csv``, ``plan.json``, ``splits.csv``,
    ``landmarks.csv`` and ``checkpoint/``. The test split is never read. Raises ValueError for a
    data folder of neither form, one without real and fake faces to train and to validate on, or a
    ``resume`` without a checkpoint or by another plan.
    """
    policy = keras.mixed_precision.dtype_policy()
    try:
        return _train(plan, resume)
    finally:  # Keras keeps the precision for the process, and exports are not made in bfloat16
        keras.mixed_precision.set_dtype_policy(policy)


def _train(plan: Plan, resume: bool) -> Path:
    rows = _rows(plan)
    training, validation = of_split(rows, "train"), of_split(rows, "val")
    if not training or not validation:
        raise ValueError(f"{_named(plan)} has no training pictures or no validation pictures")
    plan.out.mkdir(parents=True, exist_ok=True)
    _note(plan, resume)
    write_splits(rows, plan.out / "splits.csv")
    landmarks = landmarks_of(rows, plan.out / "landmarks.csv")
    _check_faces(plan, training, validation, landmarks)
    run = Run(plan, _model(plan), _teacher(plan))
    if resume:
        run.load()
    checks = validation_batches(validation, landmarks, plan.batch, plan.denoise, frame=plan.frame)
    batches = TrainingBatches(
        training,
        landmarks,
        size=plan.batch,
        seed=plan.seed,
        first=run.at.step,
        processes=plan.processes,
        denoise=plan.denoise,
        mix=Mix(self_made=plan.self_made),
        frame=plan.frame,
    )
    try:
        run.go(batches, checks)
    finally:
        batches.close()
    return plan.out / "best.npz"


#: What may change when a run goes on: where it is, how long it is, and who works on it.
OPEN = {"data", "out", "steps", "minutes", "processes", "tower"}


def _note(plan: Plan, resume: bool) -> None:
    """Write the plan down; one that is resumed must be the one that was begun."""
    path = plan.out / "plan.json"
    wanted = json.loads(json.dumps(asdict(plan), default=str))
    if resume and path.is_file():
        begun = json.loads(path.read_text(encoding="utf-8"))
        other = [name for name in begun if name not in OPEN and begun[name] != wanted.get(name)]
        if other:
            raise ValueError(f"the run in {plan.out} was begun with another {', '.join(other)}")
    path.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")


def _check_faces(
    plan: Plan, training: list[Row], validation: list[Row], landmarks: Landmarks
) -> None:
    for rows, purpose in ((training, "train on"), (validation, "validate on")):
        labels = {row.label for row in rows if landmarks[row.name] is not None}
        if labels != {0, 1}:
            missing = "fake" if 0 in labels else "real"
            raise ValueError(f"{_named(plan)} has no {missing} picture with a face to {purpose}")


def _rows(plan: Plan) -> list[Row]:
    rows = [row for row in read_dataset(plan.data) if row.split != "test"]
    unknown = set(plan.sources) - {row.source for row in rows}
    if unknown:
        raise ValueError(f"{_named(plan)} has no source {', '.join(sorted(unknown))}")
    return [row for row in rows if not plan.sources or row.source in plan.sources]


def _named(plan: Plan) -> str:
    return ", ".join(map(str, plan.data))


def _teacher(plan: Plan) -> keras.Model | None:
    if plan.teacher is None or plan.tower is None:
        return None
    teacher = build_clip()
    load_all(teacher, {**read_tower(plan.tower), **read_weights(plan.teacher)})
    teacher.trainable = False
    return teacher


def _model(plan: Plan) -> keras.Model:
    keras.utils.set_random_seed(plan.seed)
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16" if plan.mixed else "float32")
    if plan.network is Network.CLIP and plan.tower is not None:
        model = build_clip()
        load_warmstart(model, read_tower(plan.tower))
    else:
        model = build_model(weights="imagenet" if plan.imagenet else None, decoder=plan.decoder)
    if plan.warmstart is not None and not load_warmstart(model, read_weights(plan.warmstart)):
        raise ValueError(f"{plan.warmstart} names none of the network's variables")
    return model
