"""The training command: a wrong call or wrong data is one line and the status 2."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from model_training.cli.main import main  # noqa: E402
from model_training.export import clip_files  # noqa: E402
from model_training.export import export as exporting  # noqa: E402
from model_training.networks import model as networks  # noqa: E402
from tests.model_training.faces import head, write_dataset, write_picture  # noqa: E402
from unmask.detector.manifest import load_manifest  # noqa: E402

Pixels = npt.NDArray[np.uint8]
NEEDS_DATA = {
    "train": ["--out", "OUT"],
    "calibrate": ["--model", "MODEL"],
    "evaluate": ["--model", "MODEL", "--out", "OUT"],
    "denoise": ["--model", "MODEL", "--out", "OUT"],
    "robustness": ["--model", "MODEL", "--out", "OUT"],
    "compare": ["--model", "MODEL"],
    "gallery": ["--model", "MODEL", "--out", "OUT"],
    "reproduce": ["--model", "MODEL", "--out", "OUT"],
}


@pytest.fixture
def fault(capsys: pytest.CaptureFixture[str], tmp_path: Path, colour_model: Path) -> object:
    """Runs a command that must fail, and gives the one line that it says."""
    places = {"OUT": str(tmp_path / "out"), "MODEL": str(colour_model)}

    def run(*arguments: object) -> str:
        capsys.readouterr()
        assert main([places.get(str(value), str(value)) for value in arguments]) == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ")
        assert said.count("\n") == 1
        return said

    return run


@pytest.mark.parametrize("command", NEEDS_DATA)
def test_a_folder_that_is_none_or_empty(fault: object, command: str, tmp_path: Path) -> None:
    missing, empty = tmp_path / "missing", tmp_path / "empty"
    empty.mkdir()
    assert "is not a folder" in fault(command, "--data", missing, *NEEDS_DATA[command])
    assert "holds neither" in fault(command, "--data", empty, *NEEDS_DATA[command])


def test_a_wrong_manifest(fault: object, tmp_path: Path) -> None:
    (tmp_path / "faces.csv").write_text("file,split,label\nx.jpg,train,maybe\n")
    assert "maybe" in fault("train", "--data", tmp_path, "--out", "OUT")
    (tmp_path / "faces.csv").write_text("nothing,that,fits\n1,2,3\n")
    assert "label ''" in fault("train", "--data", tmp_path, "--out", "OUT")


def test_a_split_that_is_missing(fault: object, tmp_path: Path) -> None:
    write_picture(tmp_path / "train/real/1.png", np.zeros((32, 32, 3), np.uint8))
    said = fault("train", "--data", tmp_path, "--out", "OUT")
    assert "no validation pictures" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("faceless", "named"),
    [
        ("train/real", "no real picture with a face to train on"),
        ("train/fake", "no fake picture with a face to train on"),
        ("val/real", "no real picture with a face to validate on"),
        ("val/fake", "no fake picture with a face to validate on"),
    ],
)
def test_pictures_without_faces(
    fault: object, tmp_path: Path, portrait: Pixels, faceless: str, named: str
) -> None:
    for folder in ("train/real", "train/fake", "val/real", "val/fake"):
        pixels = np.full((64, 64, 3), 90, np.uint8) if folder == faceless else head(portrait)[0]
        write_picture(tmp_path / folder / "1.png", pixels)
    assert named in fault("train", "--data", tmp_path, "--out", "OUT")


@pytest.mark.parametrize(
    ("option", "value"), [("--steps", 0), ("--batch", 0), ("--minutes", 0), ("--self-made", 0.9)]
)
def test_numbers_that_no_run_can_have(
    fault: object, tmp_path: Path, option: str, value: float
) -> None:
    said = fault("train", "--data", tmp_path, "--out", "OUT", option, value)
    assert option.strip("-").replace("-", "_") in said
    assert not (tmp_path / "out").exists()


def test_nothing_to_resume_or_to_start_from(
    fault: object, tmp_path: Path, portrait: Pixels
) -> None:
    data = write_dataset(tmp_path / "data", portrait, each=1)
    assert "no checkpoint" in fault("train", "--data", data, "--out", "OUT", "--resume")
    for content in (None, b"no weights"):
        path = tmp_path / "weights.npz"
        if content is not None:
            path.write_bytes(content)
        said = fault("train", "--data", data, "--out", "OUT", "--warmstart", path)
        assert "weights.npz" in said
    np.savez(tmp_path / "other.npz", other=np.zeros(3))
    said = fault("train", "--data", data, "--out", "OUT", "--warmstart", tmp_path / "other.npz")
    assert "names none" in said
    assert keras.mixed_precision.dtype_policy().name == "float32"  # as it was before


def test_weights_that_are_not_there(fault: object, tmp_path: Path) -> None:
    path = tmp_path / "gone.npz"
    said = fault("export", "--weights", path, "--data", tmp_path, "--out", "OUT", "--version", "1")
    assert "gone.npz" in said


def test_a_run_on_another_frame_is_not_exported(fault: object, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"frame": 0.6}')
    options = ["--weights", tmp_path / "w.npz", "--data", tmp_path, "--version", "1"]
    options += ["--out", "OUT"]
    second = ["--clip", tmp_path / "c.npz", "--tower", tmp_path / "t.onnx"]
    assert "another frame" in fault("export", *options, "--run", tmp_path)
    assert "another frame" in fault("export", *options, *second, "--clip-run", tmp_path)
    assert "go together" in fault("export", *options, *second[:2])
    assert "go together" in fault("export", *options, *second[2:])


def test_two_networks_that_see_otherwise_are_not_exported(fault: object, tmp_path: Path) -> None:
    for name, denoise in (("one", "median"), ("two", "none")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.json").write_text(json.dumps({"denoise": denoise}))
    options = ["--weights", tmp_path / "w.npz", "--data", tmp_path, "--version", "1"]
    runs = ["--run", tmp_path / "one", "--clip-run", tmp_path / "two"]
    runs += ["--clip", tmp_path / "c.npz", "--tower", tmp_path / "t.onnx"]
    assert "noise removal" in fault("export", *options, "--out", "OUT", *runs)


def test_clip_is_not_trained_without_its_tower(fault: object, tmp_path: Path) -> None:
    options = ["--data", tmp_path, "--out", "OUT"]
    assert "--tower" in fault("train", *options, "--network", "clip-vit-b16")
    assert "--tower" in fault("train", *options, "--teacher", tmp_path / "clip.npz")


def test_an_export_tells_of_both_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, portrait: Pixels
) -> None:
    exported: dict[str, Any] = {}
    added: list[Any] = []
    said = SimpleNamespace(name="manifest")

    def export(*_: Any, **options: Any) -> Any:
        exported.update(options)
        return said

    given = keras.Input((2,))
    small = keras.Model(given, keras.layers.Dense(1, name="small")(given))
    monkeypatch.setattr(exporting, "export", export)
    monkeypatch.setattr(clip_files, "add_clip", lambda *given: added.extend(given))
    monkeypatch.setattr(networks, "build_model", lambda: small)
    monkeypatch.setattr("model_training.evaluation.predict.face_crops", lambda *_: ["crop"])
    for name in ("one", "two"):
        write_dataset(tmp_path / name, portrait, each=1)
    weights = []
    for number, network in enumerate(("densenet121", "clip-vit-b16"), start=1):
        run = tmp_path / network
        run.mkdir()
        plan = {"network": network, "data": ["/home/somebody/a"], "tower": "/home/somebody/t.onnx"}
        (run / "plan.json").write_text(json.dumps(plan))
        (run / "history.csv").write_text(f"epoch,step\n1,10\n2,{number}0\n")
        networks.save_weights(small, run / "best.npz")
        weights.append(run / "best.npz")
    one, two = weights
    tower = tmp_path / "tower.onnx"
    runs = ["--run", one.parent, "--clip", two, two, "--clip-run", two.parent, "--tower", tower]
    command = ["export", "--weights", one, "--data", tmp_path / "one", tmp_path / "two"]
    command += ["--version", "1", *runs, "--out", tmp_path / "out", "--note", "by hand"]
    assert main([str(word) for word in command]) == 0
    training = exported["training"]
    assert (training["note"], training["steps"], training["clip"]["steps"]) == ("by hand", 10, 20)
    assert training["plan"]["network"] == "densenet121"
    assert training["clip"]["network"] == training["clip"]["plan"]["network"] == "clip-vit-b16"
    assert "somebody" not in json.dumps(training)
    manifest, out, source, arrays, crops = added
    assert (manifest, out, source, crops) == (said, tmp_path / "out", tower, ["crop"])
    assert set(arrays) == {"small/kernel", "small/bias"}


def test_the_first_network_is_calibrated_alone_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, two_judges: Path
) -> None:
    """With the same data and aims, and each folder of them."""
    asked: list[Any] = []

    def calibrate(data: Any, manifest: Path, **options: Any) -> Any:
        asked.append((data, manifest, options["aims"].missed))
        return load_manifest(manifest)

    monkeypatch.setattr("model_training.evaluation.calibrate.calibrate", calibrate)
    alone = tmp_path / "alone.json"
    command = ["calibrate", "--data", tmp_path / "a", tmp_path / "b", "--model", two_judges]
    command += ["--alone", alone, "--missed", "0.2"]
    assert main([str(word) for word in command]) == 0
    folders = [tmp_path / "a", tmp_path / "b"]
    assert asked == [(folders, two_judges, 0.2), (folders, alone, 0.2)]
    assert load_manifest(alone).judges == ("densenet121",)


def test_files_that_are_not_there(fault: object, tmp_path: Path) -> None:
    assert "gone.onnx" in fault("centerface", tmp_path / "gone.onnx", "--out", "OUT")
    gone = tmp_path / "gone.json"
    for page in ("modelcard", "results"):
        said = fault(page, "--evaluation", tmp_path, "--model", "MODEL", "--out", "OUT")
        assert "metrics.json" in said
    assert "gone.json" in fault("modelcard", "--model", gone, "--out", "OUT")
    assert "no training run" in fault("ablate", "--data", tmp_path, "--run", "a=gone")


def test_another_face_detector(fault: object, tmp_path: Path) -> None:
    (tmp_path / "other.onnx").write_bytes(b"another network")
    assert "CenterFace" in fault("centerface", tmp_path / "other.onnx", "--out", "OUT")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["train"],
        ["train", "--data", "x", "--denoise", "guess"],
        ["export"],
        ["ablate", "--data", "x", "--run", "no folder"],
        ["gallery", "--data", "x"],
    ],
)
def test_a_wrong_call(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_every_command_has_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = re.findall(r"^    (\w+)\s", capsys.readouterr().out, re.MULTILINE)
    assert {"train", "export", "evaluate", "goals", "reproduce", "results"} <= set(commands)
    for command in commands:
        with pytest.raises(SystemExit) as end:
            main([command, "--help"])
        assert end.value.code == 0
        assert len(capsys.readouterr().out) > 150
