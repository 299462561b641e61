"""``unmask evidence``: what the file tells, for people and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unmask.evidence.files import marked, plain
from unmask.cli.command import main

FIELDS = {
    "XMP-photoshop:Credit": "Made with Google AI",
    "EXIF:ImageDescription": "\x1b[31mred\nA lighthouse",
    "EXIF:Software": "Adobe Photoshop 26",
}


def test_a_marked_file_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "marked.jpg"
    path.write_bytes(marked("JPEG", FIELDS))
    assert main(["evidence", str(path)]) == 0
    out = capsys.readouterr().out
    for words in (
        "The file says that the picture was made by Google (unsigned mark).",
        "a hint: anybody can write this",
        "Does not show: Who wrote them",
        "The metadata name a program that edits pictures: Adobe Photoshop.",
        "XMP-photoshop:Credit: Made with Google AI  (Who is to be credited)",
    ):
        assert words in out
    assert "\x1b[31mred" not in out


def test_json_holds_findings_and_all_metadata(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jpg").write_bytes(marked("JPEG", FIELDS))
    (tmp_path / "b.png").write_bytes(plain("PNG"))
    assert main(["evidence", "--json", str(tmp_path)]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["evidence_says"] == "generated"
    assert first["evidence"][0]["sentence"].endswith("was made by Google.")
    names = [field["name"] for field in first["metadata"]["fields"]]
    assert set(FIELDS) <= set(names)
    assert (second["evidence_says"], second["evidence"]) == ("nothing", [])


def test_what_is_no_picture_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "no.jpg").write_bytes(b"no picture")
    assert main(["evidence", str(tmp_path / "no.jpg"), str(tmp_path / "missing.jpg")]) == 1
    errors = capsys.readouterr().err
    assert "[not_a_picture]" in errors and "[file_not_found]" in errors
    main(["evidence", "--json", str(tmp_path / "no.jpg")])
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "not_a_picture"
