"""The paper's recipe on a made folder in the form of '140k Real and Fake Faces'."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from model_training.cli.main import main  # noqa: E402
from model_training.dataset.data import read_dataset  # noqa: E402
from model_training.paper import paper  # noqa: E402
from model_training.paper.paper import Recipe, Reproduction, whole_picture  # noqa: E402
from model_training.paper.reproduce import render  # noqa: E402
from tests.model_training.faces import head, write_picture  # noqa: E402
from tests.model_training.stub_model import write_model  # noqa: E402

Pixels = npt.NDArray[np.uint8]


class PulledPlugError(Exception):
    """Somebody pulled the plug."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, portrait: Pixels) -> Path:
    """Fakes have red and blue exchanged; two of each kind and split, six of each to train on."""
    folder = tmp_path_factory.mktemp("archive") / "real_vs_fake" / "real-vs-fake"
    number = 0
    for split, each in (("train", 6), ("valid", 2), ("test", 2)):
        for label in ("real", "fake"):
            for index in range(each):
                pixels, _ = head(portrait, number)
                shown = pixels[..., ::-1] if label == "fake" else pixels
                write_picture(folder / split / label / f"{index}.jpg", shown)
                number += 1
    return folder.parents[1]


def tiny(weights: str | None = None, decoder: bool = True) -> Any:
    assert not decoder
    image = keras.Input((224, 224, 3), name="image")
    x = keras.layers.AveragePooling2D(56)(image)
    logit = keras.layers.Dense(1, name="logit")(keras.layers.Flatten()(x))
    return keras.Model(image, {"logit": logit})


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "build_model", tiny)


def test_the_command_from_folder_to_table(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole DenseNet121, one step of two pictures."""
    out = tmp_path / "run"
    manifest = write_model(tmp_path)
    options = ["--out", out, "--model", manifest, "--epochs", 1, "--batch", 2, "--steps", 1]
    assert main(["reproduce", "--data", str(data), *map(str, options)]) == 0
    said = capsys.readouterr().out
    assert "| accuracy | 99.43 % |" in said
    assert "| test pictures | 20,000 | 4 | 4 |" in said
    assert "Trained on 12 pictures, 4 to validate; epochs: 1." in said
    results = json.loads((out / "results.json").read_text())
    assert sum(results["recipe"]["at_half"]["confusion"].values()) == 4
    assert sum(results["unmask"]["at_half"]["confusion"].values()) == 4
    assert render(results) in said
    with (out / "history.csv").open(newline="") as lines:
        (epoch,) = csv.DictReader(lines)
    assert set(epoch) == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}
    for name in ("history.png", "confusion.png"):
        assert cv2.imread(str(out / name)) is not None


@pytest.mark.usefixtures("small")
def test_it_learns_and_can_be_made_longer(data: Path, tmp_path: Path) -> None:
    recipe = Recipe(data, tmp_path / "run", epochs=3, batch=4, rate=0.05)
    history = Reproduction(recipe).train()
    longer = Reproduction(replace(recipe, epochs=8))
    assert len(longer.at.history) == 3
    history = longer.train()
    assert [row["epoch"] for row in history] == list(range(8))
    assert history[-1]["loss"] < history[0]["loss"]
    longer.take_best()
    loss, _ = longer.validate()
    assert loss == pytest.approx(min(row["val_loss"] for row in history), abs=1e-5)


@pytest.mark.usefixtures("small")
def test_a_run_that_broke_off_ends_as_if_it_had_not(data: Path, tmp_path: Path) -> None:
    recipe = Recipe(data, tmp_path / "whole", epochs=2, batch=2, save_every=2)
    whole = Reproduction(recipe)
    expected = whole.train()
    broken = Reproduction(replace(recipe, out=tmp_path / "broken"))
    step, seen = broken._learner.train_on_batch, []

    def pulled(*arguments: Any, **options: Any) -> Any:
        seen.append(1)
        if len(seen) > 9:  # in the second epoch, one step after the last checkpoint
            raise PulledPlugError
        return step(*arguments, **options)

    broken._learner.train_on_batch = pulled
    with pytest.raises(PulledPlugError):
        broken.train()
    again = Reproduction(replace(recipe, out=tmp_path / "broken"))
    assert (again.at.step, len(again.at.history)) == (2, 1)
    found = again.train()
    for row, wanted in zip(found, expected, strict=True):
        assert row == pytest.approx(wanted, rel=1e-4)
    assert len(list((tmp_path / "broken").glob("checkpoint-*"))) == 1


@pytest.mark.usefixtures("small")
def test_another_recipe_in_the_same_folder_is_refused(data: Path, tmp_path: Path) -> None:
    recipe = Recipe(data, tmp_path, batch=2)
    Reproduction(recipe)
    Reproduction(replace(recipe, epochs=9))
    with pytest.raises(ValueError, match="another recipe"):
        Reproduction(replace(recipe, batch=4))


def test_the_whole_picture_is_shown(tmp_path: Path) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 256, 0).repeat(3, 2)
    write_picture(tmp_path / "train" / "real" / "1.png", ramp)
    shown = whole_picture(read_dataset(tmp_path)[0])
    assert shown.shape == (224, 224, 3)
    assert shown[:, 0].max() <= 1
    assert shown[:, -1].min() >= 254


def test_a_split_without_fakes_is_named(data: Path, tmp_path: Path, portrait: Pixels) -> None:
    for split in ("train", "valid", "test"):
        write_picture(tmp_path / split / "real" / "1.png", head(portrait)[0])
    with pytest.raises(ValueError, match="split train"):
        Reproduction(Recipe(tmp_path, tmp_path / "out"))


@pytest.mark.parametrize("values", [{"epochs": 0}, {"batch": 0}, {"rate": 0.0}, {"steps": 0}])
def test_numbers_that_no_run_can_have(tmp_path: Path, values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        Recipe(tmp_path, tmp_path, **values)


@pytest.mark.usefixtures("small")
def test_weights_of_another_network(data: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", other=np.zeros(3))
    recipe = Recipe(data, tmp_path / "out", warmstart=tmp_path / "other.npz")
    with pytest.raises(ValueError, match="names none"):
        Reproduction(recipe)
