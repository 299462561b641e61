"""A run's steps, rate, validation and checkpoints, with a network of a few dozen weights.

Keras's default backend is meant, TensorFlow; the JAX path of ``model_training.training.step`` is
not tested here, for JAX is no dependency of the project.
"""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from model_training.dataset.batches import Batch  # noqa: E402
from model_training.dataset.families import HEADS  # noqa: E402
from model_training.evaluation.metrics import roc_auc  # noqa: E402
from model_training.export.record import without_paths  # noqa: E402
from model_training.networks.architectures import Network  # noqa: E402
from model_training.networks.clip import QuantisedDense, is_frozen  # noqa: E402
from model_training.networks.losses import face_loss, families_loss, mask_loss  # noqa: E402
from model_training.networks.model import read_weights  # noqa: E402
from model_training.training.config import Plan  # noqa: E402
from model_training.training.distillation import Lessons, arrays_of  # noqa: E402
from model_training.training.step import make_step  # noqa: E402
from model_training.training.trainer import FLOOR, WARM_UP, Run, means, rate_at, validate  # noqa: E402

Arrays = list[npt.NDArray[Any]]


class PulledPlugError(Exception):
    """Somebody pulled the plug."""


def tiny(decoder: bool = True, whole: bool = False) -> Any:
    """With ``whole``, a product as CLIP's tower has them: int8, never trained, never saved."""
    keras.utils.set_random_seed(0)
    image = keras.Input((224, 224, 3), name="image")
    x = keras.layers.AveragePooling2D(32)(image)
    x = keras.layers.Conv2D(4, 1)(x)
    x = keras.layers.BatchNormalization()(x)
    if whole:
        product = QuantisedDense(4, name="block_1_query")
        tokens = product(keras.layers.Reshape((49, 4))(x))
        product.kernel.assign(np.random.default_rng(0).integers(-127, 128, (4, 4)))
        product.scale.assign(np.full(4, 0.01))
        x = keras.layers.Add()([x, keras.layers.Reshape((7, 7, 4))(tokens)])
    activation = keras.layers.Conv2D(1, 1)(x)
    logit = keras.layers.GlobalAveragePooling2D()(activation)
    others = keras.layers.Dense(len(HEADS) - 1)(keras.layers.GlobalAveragePooling2D()(x))
    families = keras.layers.Concatenate()([logit, others])
    outputs = {"logit": logit, "families": families, "activation": activation}
    if decoder:
        outputs["heatmap_logit"] = keras.layers.UpSampling2D(16)(keras.layers.Conv2D(1, 1)(x))
    return keras.Model(image, outputs)


def batch_of(number: int, size: int = 2) -> Batch:
    """Random pictures, the fake ones lighter."""
    random = np.random.default_rng(number)
    labels = (np.arange(size) % 2).astype(np.float32)
    light = 60 * labels[:, None, None, None]
    crops = (random.integers(0, 190, (size, 224, 224, 3)) + light).astype(np.uint8)
    masks = np.zeros((size, 112, 112), np.uint8)
    masks[labels > 0, 30:70, 30:80] = 255
    heads = (labels * (1 + np.arange(size) // 2 % 2)).astype(np.uint8)
    return Batch(crops, labels, masks, np.ones(size, np.float32), heads)


def batches(first: int = 0, fail_after: int | None = None) -> Iterator[Batch]:
    for number in count(first):
        if fail_after is not None and number >= fail_after:
            raise PulledPlugError
        yield batch_of(number)


CHECKS = [batch_of(1000, 4), batch_of(1001, 3)]


def plan(out: Path, **values: Any) -> Plan:
    out.mkdir(exist_ok=True)
    return Plan(data=(out,), out=out, **{"steps": 6, "batch": 2, "epoch_steps": 2} | values)


def weights(run: Run) -> Arrays:
    return [
        np.array(keras.ops.convert_to_numpy(weight))
        for weight in run.model.weights
        if not is_frozen(weight)
    ]


def history(out: Path) -> list[dict[str, str]]:
    with (out / "history.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_plan_that_cannot_be(tmp_path: Path) -> None:
    clip = {"network": Network.CLIP}
    for values, named in (
        ({"mixup": -1.0}, "mixup must"),
        ({"frame": 0.1}, "frame must"),
        ({**clip, "tower": tmp_path, "imagenet": True}, "ImageNet"),
        (clip, "--tower"),
        ({"teacher": tmp_path / "clip.npz"}, "--tower"),
    ):
        with pytest.raises(ValueError, match=named):
            plan(tmp_path / "out", **values)
    assert plan(tmp_path / "out", **clip, tower=tmp_path / "tower.onnx").network is Network.CLIP


def test_a_plan_is_told_without_the_paths_of_a_machine(tmp_path: Path) -> None:
    files = {"teacher": tmp_path / "t.npz", "tower": tmp_path / "tower.onnx"}
    told = without_paths(vars(plan(tmp_path / "out", **files, minutes=3.0)))
    assert (told["teacher"], told["warmstart"], told["minutes"]) == (True, False, 3.0)
    assert not {"data", "out", "processes", "steps"} & set(told)
    assert str(tmp_path) not in repr(told)


# ---- steps -------------------------------------------------------------------------------------


def numbers(function: Any, *given: Any) -> npt.NDArray[Any]:
    tensors = [keras.ops.convert_to_tensor(value) for value in given]
    return np.asarray(keras.ops.convert_to_numpy(function(*tensors)))


@pytest.mark.parametrize("decoder", [True, False])
def test_a_step_reports_its_loss_and_learns(decoder: bool) -> None:
    model = tiny(decoder)
    names = ["logit", "families", *(["heatmap_logit"] if decoder else [])]
    learner = keras.Model(model.input, {name: model.output[name] for name in names})
    step = make_step(learner, keras.optimizers.SGD(0.05))
    batch = batch_of(0)
    given = arrays_of(**vars(batch))
    found = learner(given["image"], training=True)
    wanted = numbers(face_loss, given["logit"], found["logit"]).mean()
    wanted += numbers(families_loss, given["families"], found["families"]).mean()
    if decoder:
        wanted += numbers(mask_loss, given["heatmap_logit"], found["heatmap_logit"]).mean()
    right = (np.asarray(found["logit"])[:, 0] >= 0) == (batch.labels > 0.5)
    first = step(batch, 0)
    assert float(first["loss"]) == pytest.approx(float(wanted), rel=1e-3)
    assert float(first["accuracy"]) == pytest.approx(right.mean())
    for number in range(1, 21):
        last = step(batch, number)
    assert float(last["loss"]) < float(first["loss"])


def test_a_step_with_mixed_pictures_reports_how_many_it_got_right() -> None:
    """Labels are soft then, and are right by the side they lean to."""
    model = tiny(decoder=False)
    learner = keras.Model(model.input, {"logit": model.output["logit"]})
    lessons = Lessons(mixup=0.4)
    batch = batch_of(0, 8)
    given = lessons.prepare(arrays_of(**vars(batch)), lessons.shares(batch, 5))
    logit = np.asarray(learner(given["image"], training=True)["logit"])
    wanted = ((logit >= 0) == (np.asarray(given["logit"]) > 0.5)).mean()
    step = make_step(learner, keras.optimizers.SGD(0.0), lessons)
    assert float(step(batch, 5)["accuracy"]) == pytest.approx(wanted)
    assert ((np.asarray(given["logit"]) % 1) > 0).any()


def test_the_rate_rises_and_falls_along_a_cosine() -> None:
    parts = np.linspace(0, 1, 1001)
    rates = np.array([rate_at(part, 2.0) for part in parts])
    assert rates.max() == pytest.approx(2.0, rel=1e-3)
    assert parts[rates.argmax()] == pytest.approx(WARM_UP, abs=1e-3)
    assert 0 < rates[0] < 0.1
    assert rates[-1] == pytest.approx(2 * FLOOR)
    top = rates.argmax()
    assert (np.diff(rates[: top + 1]) >= 0).all()
    assert (np.diff(rates[top:]) < 0).all()
    assert rate_at((1 + WARM_UP) / 2, 1.0) == pytest.approx((1 + FLOOR) / 2)


def test_means_of_what_steps_report() -> None:
    assert means([{"loss": 1.0, "accuracy": 0.5}, {"loss": 2.0, "accuracy": 1.0}]) == {
        "loss": 1.5,
        "accuracy": 0.75,
    }
    assert means([]) == {}


# ---- validation --------------------------------------------------------------------------------


def test_validation_is_that_of_plain_numpy() -> None:
    """The last batch is smaller, and the classes are not of one size."""
    model = tiny()
    names = ("logit", "families", "heatmap_logit")
    learner = keras.Model(model.input, {name: model.output[name] for name in names})
    logits, labels, masks, families, heads = [], [], [], [], []
    for one in CHECKS:
        given = arrays_of(**vars(one))
        found = learner(given["image"], training=False)
        logits.append(np.asarray(found["logit"])[:, 0])
        labels.append(one.labels)
        families.append(np.asarray(found["families"]))
        heads.append(one.heads)
        masks.append(numbers(mask_loss, given["heatmap_logit"], found["heatmap_logit"]))
    logit, label = np.concatenate(logits), np.concatenate(labels)
    each = np.log1p(np.exp(logit)) - label * logit
    assert label.tolist() == [0, 1, 0, 1, 0, 1, 0]
    shown = validate(learner, CHECKS)
    assert shown["val_loss"] == pytest.approx(
        (each[label == 0].mean() + each[label == 1].mean()) / 2, rel=1e-4
    )
    assert shown["val_accuracy"] == pytest.approx(np.mean((logit >= 0) == (label > 0.5)))
    assert shown["val_auc"] == pytest.approx(roc_auc(label.astype(int), logit))
    assert shown["val_mask_loss"] == pytest.approx(np.concatenate(masks).mean(), rel=1e-4)
    said, own = np.concatenate(families), np.concatenate(heads)
    assert {1, 2} <= set(own.tolist())
    areas = []
    for head in (1, 2):  # a family's fakes and all photographs; other families' are left out
        part = (label == 0) | (own == head)
        areas.append(roc_auc((own[part] == head).astype(int), said[part, head]))
    assert shown["val_family_auc"] == pytest.approx(np.mean(areas))


def test_without_a_decoder_there_is_no_mask_to_validate() -> None:
    model = tiny(decoder=False)
    learner = keras.Model(model.input, {"logit": model.output["logit"]})
    found = validate(learner, CHECKS)
    assert math.isnan(found["val_mask_loss"])
    assert math.isnan(found["val_family_auc"])  # nor heads, where the network has none


# ---- runs --------------------------------------------------------------------------------------


def finished(out: Path, model: Any) -> Run:
    """Six steps in three epochs, without an interruption."""
    run = Run(plan(out), model)
    run.go(batches(), CHECKS)
    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return finished(tmp_path_factory.mktemp("whole"), tiny())


def test_a_run_keeps_to_its_plan(whole: Run) -> None:
    out = whole.plan.out
    assert (whole.at.step, whole.at.epoch, whole.part) == (6, 3, 1.0)
    rows = history(out)
    assert [(row["epoch"], row["step"]) for row in rows] == [("1", "2"), ("2", "4"), ("3", "6")]
    assert all(math.isfinite(float(value)) for row in rows for value in row.values())
    assert whole.at.best == max(float(row["val_auc"]) for row in rows)
    assert sorted(path.name for path in out.iterdir()) == [
        "best.npz",
        "checkpoint",
        "history.csv",
        "last.npz",
    ]
    assert [path.name for path in (out / "checkpoint").iterdir()] == ["state.npz"]


def test_the_weights_kept_are_the_average(whole: Run) -> None:
    last = read_weights(whole.plan.out / "last.npz")
    for weight, average in zip(whole.model.weights, whole.average.state(), strict=True):
        np.testing.assert_allclose(last[weight.path], average, rtol=1e-3, atol=1e-4)
    differ = [
        np.abs(now - then).max()
        for now, then in zip(weights(whole), whole.average.state(), strict=True)
    ]
    assert max(differ) > 1e-4  # and not the weights themselves


@pytest.fixture(scope="module")
def clip_like(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return finished(tmp_path_factory.mktemp("clip"), tiny(whole=True))


def test_what_is_frozen_is_never_written_and_never_changes(clip_like: Run) -> None:
    run, out = clip_like, clip_like.plan.out
    (kernel, scale) = (weight for weight in run.model.weights if is_frozen(weight))
    before = np.random.default_rng(0).integers(-127, 128, (4, 4))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(kernel), before)
    names = {weight.path for weight in run.model.weights}
    for name in ("best.npz", "last.npz"):
        assert set(read_weights(out / name)) == names - {kernel.path, scale.path}
    with np.load(out / "checkpoint" / "state.npz") as stored:
        kept = [name for name in stored.files if name.startswith("model/")]
        assert all(stored[name].dtype == np.float32 for name in kept)
    assert len(kept) == len(names) - 2
    gain = run.model.get_layer("block_1_query").gain
    assert np.abs(keras.ops.convert_to_numpy(gain)).max() > 0


@pytest.mark.parametrize("is_clip", [False, True], ids=["densenet", "clip"])
def test_an_interrupted_run_ends_as_if_it_had_not_been(
    whole: Run, clip_like: Run, tmp_path: Path, is_clip: bool
) -> None:
    """The run dies in the third epoch; the next one repeats what came after the second."""

    whole = clip_like if is_clip else whole
    first = Run(plan(tmp_path / "out"), tiny(whole=is_clip))
    with pytest.raises(PulledPlugError):
        first.go(batches(fail_after=5), CHECKS)
    assert len(history(tmp_path / "out")) == 2

    second = Run(plan(tmp_path / "out"), tiny(whole=is_clip))
    for weight in second.model.weights:
        if not is_frozen(weight):  # that comes from the tower's own file
            weight.assign(weight.value + 1.0)
    second.load()
    assert (second.at.step, second.at.epoch) == (4, 2)
    assert second.at.history == first.at.history
    second.go(batches(first=second.at.step), CHECKS)
    for found, wanted in zip(weights(second), weights(whole), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)
    for found, wanted in zip(second.average.state(), whole.average.state(), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)
    for found, wanted in zip(second.at.history, whole.at.history, strict=True):
        assert found == pytest.approx(wanted | {"seconds": found["seconds"]}, rel=1e-4)
    seconds = [row["seconds"] for row in second.at.history]
    assert seconds == sorted(seconds)


def test_only_a_better_epoch_replaces_the_best(tmp_path: Path) -> None:
    run = Run(plan(tmp_path, steps=2), tiny())
    run.at.best = 2.0
    run.go(batches(), CHECKS)
    assert not (tmp_path / "best.npz").exists()
    assert (tmp_path / "last.npz").exists()
    assert run.at.best == 2


def test_a_run_by_the_clock_ends_by_the_clock(tmp_path: Path) -> None:
    run = Run(plan(tmp_path, minutes=1.0, steps=1), tiny())
    run.at.seconds = 59.9999
    run.go(batches(), CHECKS)
    assert run.part == 1.0
    assert 1 <= run.at.step <= 2


def test_a_broken_save_leaves_the_older_checkpoint(
    whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(plan(tmp_path, steps=2), tiny())
    run.go(batches(), CHECKS)
    before = (tmp_path / "checkpoint" / "state.npz").read_bytes()

    def full(file: Any, **arrays: Any) -> None:
        file.write(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space"):
        run.save()
    assert (tmp_path / "checkpoint" / "state.npz").read_bytes() == before
    monkeypatch.undo()
    again = Run(plan(tmp_path, steps=2), tiny())
    again.load()
    assert again.at.step == 2


def test_there_must_be_a_checkpoint_to_resume_from(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no checkpoint"):
        Run(plan(tmp_path), tiny()).load()


def test_a_checkpoint_says_how_far_it_is(whole: Run) -> None:
    with np.load(whole.plan.out / "checkpoint" / "state.npz") as stored:
        at = json.loads(str(stored["progressed"]))
    assert (at["step"], at["epoch"], len(at["history"])) == (6, 3, 3)


# ---- the plan ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("minutes", 0.0),
        ("batch", -1),
        ("rate", math.nan),
        ("epoch_steps", 0),
        ("self_made", 0.6),
        ("self_made", -0.1),
    ],
)
def test_a_plan_that_no_run_can_follow(tmp_path: Path, name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        plan(tmp_path, **{name: value})
