"""Bad input costs its own line, and no other picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unmask.cli.command import Command
from unmask.cli import check
from unmask.detector.align import Pixels
from unmask.detector.detector import Detector
from unmask.detector.examination import Examination
from unmask.errors import UnmaskError
from unmask.images import Picture


def test_a_folder_of_bad_files_gives_one_line_each(
    unmask: Command, mixed: tuple[Path, dict[str, str]]
) -> None:
    folder, codes = mixed
    status, out, err = unmask.check(folder)
    assert status == 1
    found = [re.fullmatch(r"(.+?): error: (.+) \[(\w+)\]", line) for line in err.splitlines()]
    assert {Path(hit[1]).name: hit[3] for hit in found if hit} == codes
    assert len(found) == len(codes)
    assert out.count("The face shows signs of manipulation") == 2


def test_bad_files_have_their_line_of_json_in_its_place(
    unmask: Command, mixed: tuple[Path, dict[str, str]]
) -> None:
    folder, codes = mixed
    status, lines = unmask.lines(folder)
    assert status == 1
    said = {Path(line["file"]).name: line.get("error", {}).get("code") for line in lines}
    assert said == {**codes, "04_good.jpg": None, "99_good.jpg": None}
    assert list(said) == sorted(said)
    for line in lines:
        if "error" in line:
            assert set(line) == {"file", "error"}
            assert set(line["error"]) == {"code", "message", "detail"}


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("nowhere.jpg", "file_not_found"),
        ("nowhere/x.jpg", "file_not_found"),
        ("*.jpg", "file_not_found"),
        ("https://example.org/face.jpg", "file_not_found"),
        ("**/[ab].png", "file_not_found"),
        ("", "file_not_found"),
        ("empty", "file_not_found"),
        ("zero\0byte.jpg", "file_not_found"),
        ("n" * 5000, "file_unreadable"),
        ("/dev/null", "file_unreadable"),
    ],
)
def test_arguments_that_name_nothing(
    *,
    unmask: Command,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    argument: str,
    code: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    status, lines = unmask.lines(argument, photos / "fake.jpg")
    assert status == 1
    assert lines[0]["file"] == argument
    assert lines[0]["error"]["code"] == code
    assert lines[1]["verdict"] == "fake"


def failing_for(sha256: str) -> Any:
    """Detector.examine, but with an unforeseen fault for one picture."""
    examine = Detector.examine

    def examine_or_fail(
        self: Detector, batch: Sequence[Picture]
    ) -> list[Examination | UnmaskError]:
        if any(picture.sha256 == sha256 for picture in batch):
            raise RuntimeError("out of luck\nand of memory")
        return examine(self, batch)

    return examine_or_fail


def test_an_unforeseen_fault_costs_its_own_picture_only(
    unmask: Command,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, lines = unmask.lines(photos / "real.jpg")
    monkeypatch.setattr(Detector, "examine", failing_for(lines[0]["sha256"]))
    names = ("fake.jpg", "real.jpg", "unsure.png")
    status, out, err = unmask.check(*(photos / name for name in names))
    assert status == 1
    assert out.count("Probability") == 2
    assert len(err.splitlines()) == 1
    assert "out of luck and of memory" in err
    assert "[internal]" in err
    assert "out of luck" in caplog.text


def test_a_fault_in_drawing_costs_its_own_picture_only(
    unmask: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Pixels) -> bytes:
        raise MemoryError

    monkeypatch.setattr(check, "encode_jpeg", fail)
    status, lines = unmask.lines("--out", tmp_path, photos / "fake.jpg", tmp_path / "x.jpg")
    assert status == 1
    assert [line["error"]["code"] for line in lines] == ["internal", "file_not_found"]
