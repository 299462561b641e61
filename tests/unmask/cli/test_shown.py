"""What the command shows, and from where it takes pictures."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from tests.unmask.cli.command import Command, save
from unmask.detector.align import Pixels
from unmask.report import Report


@pytest.mark.parametrize(
    ("name", "row", "sentence"),
    [
        ("fake.jpg", r"1 +FAKE +FAKE 9\d % / REAL \d %", "The face shows signs of manipulation"),
        ("real.jpg", r"1 +REAL +FAKE \d % / REAL 9\d %", "No sign of manipulation was found"),
        ("unsure.png", r"1 +UNSURE +FAKE 50 % / REAL 50 %", "Unsure: "),
        ("no_face.png", None, "No face was found"),
    ],
)
def test_a_table_and_a_sentence(
    unmask: Command, photos: Path, name: str, row: str | None, sentence: str
) -> None:
    status, out, err = unmask.check(photos / name)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == str(photos / name)
    assert any(line.startswith(sentence) for line in lines)
    assert bool(re.search(r"Face +Type +Probability", out)) == (row is not None)
    assert row is None or re.search(row, out)
    assert "\x1b" not in out
    assert "Written" not in out


def test_text_is_in_the_language_of_the_terminal(
    unmask: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    status, out, err = unmask.check(photos / "fake.jpg", tmp_path / "text.jpg")
    assert status == 1
    assert re.search(r"Gesicht +Art +Wahrscheinlichkeit +\n1 +FAKE +FAKE 9\d % / ECHT \d %", out)
    assert "Das Gesicht zeigt Anzeichen von Manipulation (Fälschung 9" in out
    assert "Fehler: Das ist kein Bild. [not_a_picture]" in err
    _, (report, error) = unmask.lines(photos / "fake.jpg", tmp_path / "text.jpg")
    assert report["statement"].startswith("The face shows signs of manipulation")
    assert error["error"]["code"] == "not_a_picture" and "Bild" not in error["error"]["message"]


def test_every_face_has_its_row(unmask: Command, tmp_path: Path, portrait: Pixels) -> None:
    save(tmp_path / "two.png", np.concatenate([portrait, portrait[:, :, ::-1]], axis=1))
    _, out, _ = unmask.check(tmp_path / "two.png")
    assert len(re.findall(r"^\d +(FAKE|REAL) ", out, re.MULTILINE)) == 2
    assert "At least one of the 2 faces shows signs of manipulation" in out


def test_json_is_one_report_a_line_in_the_order_given(unmask: Command, photos: Path) -> None:
    names = ["real.jpg", "fake.jpg", "no_face.png", "real.jpg", "unsure.png"]
    status, lines = unmask.lines(*(photos / name for name in names))
    assert status == 0
    assert [line.pop("file") for line in lines] == [str(photos / name) for name in names]
    reports = [Report.model_validate(line) for line in lines]
    assert [Path(name).stem for name in names] == [report.verdict for report in reports]
    assert reports[0].sha256 == reports[3].sha256
    assert reports[0].model.name == "colour"
    assert reports[0].pictures.annotated is None


def test_long_names_are_not_cut(unmask: Command, photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / ("name" * 30)
    folder.mkdir(parents=True)
    (folder / "x.jpg").write_bytes((photos / "fake.jpg").read_bytes())
    _, out, _ = unmask.check(folder / "x.jpg", folder / "y.jpg")
    assert out.splitlines()[0] == str(folder / "x.jpg")


def test_a_name_cannot_steer_the_terminal(unmask: Command, photos: Path, tmp_path: Path) -> None:
    for name in ("evil\x1b[31m\nline.jpg", "[red]markup[blink].jpg", "no\udcff.jpg"):
        (tmp_path / name).write_bytes((photos / "fake.jpg").read_bytes())
    (tmp_path / "empty\x1b[2J.jpg").touch()
    status, out, err = unmask.check(tmp_path)
    assert status == 1
    assert "\x1b" not in out + err
    assert r"evil\x1b[31m\nline.jpg" in out
    assert "[red]markup[blink].jpg" in out
    assert r"no\udcff.jpg" in out
    assert len(err.splitlines()) == 1
    _, lines = unmask.lines(tmp_path)
    assert [os.fsencode(line["file"]) for line in lines] == sorted(
        os.fsencode(path) for path in tmp_path.iterdir()
    )
