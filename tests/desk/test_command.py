"""``unmask desk``: what an operator sees."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from unmask.cli import main


@pytest.fixture
def data(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(sqlite_template, tmp_path / "desk.db")
    monkeypatch.setenv("UNMASK_DATA", str(tmp_path))
    monkeypatch.setenv("UNMASK_PUBLIC_URL", "https://desk.example.org/")
    return tmp_path


def test_a_team_is_made_once_and_its_admin_invited(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["desk", "team", "create", "fact-desk", "--name", "The desk"]) == 0
    shown = capsys.readouterr().out
    assert "https://desk.example.org/join/" in shown and "48 hours" in shown
    assert main(["desk", "team", "invite", "fact-desk"]) == 0
    assert main(["desk", "team", "list"]) == 0
    assert "fact-desk  The desk" in capsys.readouterr().out
    for words in (["create", "fact-desk"], ["create", "Not A Name"], ["invite", "none"]):
        assert main(["desk", "team", *words]) == 2
        assert capsys.readouterr().err.startswith("unmask: error: ")


def test_verifying_names_what_was_changed(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["desk", "team", "create", "one"])
    assert main(["desk", "verify"]) == 0
    assert "one: 2 entries hold; head " in capsys.readouterr().out
    with sqlite3.connect(data / "desk.db") as connection:
        connection.execute("DROP TRIGGER history_no_update")
        connection.execute("UPDATE history SET actor = 'person:9' WHERE seq = 2")
    assert main(["desk", "verify", "one"]) == 1
    assert "one: BROKEN at entry 2 (hash)" in capsys.readouterr().out
    assert main(["desk", "verify", "none"]) == 2


def test_an_empty_database_is_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNMASK_DATA", str(tmp_path / "new"))
    assert main(["desk", "migrate"]) == 0
    assert "(before: none)" in capsys.readouterr().out
    monkeypatch.setenv("UNMASK_DATABASE", "mysql://host/desk")
    assert main(["desk", "migrate"]) == 2
    assert "UNMASK_DATABASE" in capsys.readouterr().err
