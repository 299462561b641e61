"""A real run of the command, small: the whole DenseNet121 on TensorFlow, two pictures a step."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from model_training.cli.main import main  # noqa: E402
from model_training.networks.model import build_model, load_warmstart, read_weights  # noqa: E402
from tests.model_training.faces import write_dataset  # noqa: E402

ROOT = Path(__file__).parents[3]
Pixels = npt.NDArray[np.uint8]
History = list[dict[str, str]]


@dataclass(frozen=True)
class Trained:
    """A finished command: the run's folder, what it printed, and its history as it then stood."""

    out: Path
    said: str
    history: History


def train(data: Path, out: Path, *options: str) -> Trained:
    command = [sys.executable, "-m", "model_training", "train", "--data", str(data)]
    command += ["--out", str(out), "--batch", "2", "--epoch-steps", "2", "--processes", "1"]
    done = subprocess.run(
        [*command, "--no-mixed", *options],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    with (out / "history.csv").open(newline="") as lines:
        return Trained(out, done.stdout, list(csv.DictReader(lines)))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, portrait: Pixels) -> Path:
    """With a test picture that cannot be decoded: training never reads that split."""
    folder = write_dataset(tmp_path_factory.mktemp("data"), portrait, each=2)
    (folder / "broken.png").write_bytes(b"no picture")
    with (folder / "faces.csv").open("a") as lines:
        lines.write("broken.png,test,fake,stylegan,fake,broken,,\n")
    return folder


@pytest.fixture(scope="module")
def first(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(data, tmp_path_factory.mktemp("run") / "out", "--steps", "4")


@pytest.fixture(scope="module")
def resumed(data: Path, first: Trained) -> Trained:
    return train(data, first.out, "--steps", "6", "--resume")


def test_a_run_writes_what_it_promises(first: Trained) -> None:
    assert [row["step"] for row in first.history] == ["2", "4"]
    for name in ("loss", "val_loss", "val_accuracy", "val_auc", "val_mask_loss"):
        assert all(np.isfinite(float(row[name])) for row in first.history), name
    assert f"best validation weights: {first.out / 'best.npz'}" in first.said
    landmarks = (first.out / "landmarks.csv").read_text().splitlines()
    assert len(landmarks) == 8
    assert all(len(line.split(",")) == 11 for line in landmarks)


def test_a_resumed_run_goes_on(first: Trained, resumed: Trained) -> None:
    assert resumed.history[:2] == first.history
    assert [(row["epoch"], row["step"]) for row in resumed.history] == [
        ("1", "2"),
        ("2", "4"),
        ("3", "6"),
    ]
    assert float(resumed.history[2]["seconds"]) > float(first.history[1]["seconds"])
    assert json.loads((resumed.out / "plan.json").read_text())["steps"] == 6
    with np.load(resumed.out / "checkpoint" / "state.npz") as stored:
        assert json.loads(str(stored["progressed"]))["step"] == 6


@pytest.mark.parametrize("name", ["best.npz", "last.npz"])
def test_the_weights_fit_the_network(resumed: Trained, name: str) -> None:
    weights = read_weights(resumed.out / name)
    model = build_model()
    assert load_warmstart(model, weights) == len(model.weights) == len(weights)
    assert all(np.isfinite(value).all() for value in weights.values())
    assert (resumed.out / name).stat().st_size < 30_000_000


@pytest.mark.parametrize("change", [["--mixup", "0.4"], ["--batch", "3"], ["--seed", "2"]])
def test_another_plan_does_not_go_on_with_a_run(
    data: Path, resumed: Trained, change: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = (resumed.out / "plan.json").read_text()
    options = ["--batch", "2", "--epoch-steps", "2", "--steps", "8", "--no-mixed", *change]
    command = ["train", "--data", str(data), "--out", str(resumed.out), "--resume", *options]
    assert main(command) == 2
    assert "begun with another" in capsys.readouterr().err
    assert (resumed.out / "plan.json").read_text() == before
