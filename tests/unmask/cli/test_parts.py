"""``unmask PART`` and ``python -m PART`` are one command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints, PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from tests.unmask.cli.command import ROOT, run
from unmask.cli import main
from unmask.commands import GROUP, installed_commands
from unmask.errors import Exit

PARTS = ("server", "worker", "bot")


def run_part(part: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs ``python -m PART``."""
    return subprocess.run(
        [sys.executable, "-m", part, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("part", PARTS)
def test_a_wrong_setting_ends_both_alike(part: str, tmp_path: Path) -> None:
    wrong = {"UNMASK_PROXIES": "-1", "UNMASK_DATA": str(tmp_path), "TELEGRAM_TOKEN": "1:abc"}
    alone, command = run_part(part, **wrong), run(part, env=wrong)
    assert (alone.returncode, alone.stdout, alone.stderr) == (
        command.returncode,
        command.stdout,
        command.stderr,
    )
    assert alone.stdout == ""
    if part == "worker":
        error = json.loads(alone.stderr)["error"]
        assert error["code"] == "bad_request" and "UNMASK_PROXIES=-1" in error["message"]
    else:
        assert re.fullmatch(r"unmask.*: UNMASK_PROXIES=-1: .+\n", alone.stderr)
    expected = Exit.NOTHING_DONE if part == "server" else Exit.MISCONFIGURED
    assert alone.returncode == expected


@pytest.mark.parametrize("part", PARTS)
def test_both_have_the_same_help(part: str) -> None:
    assert run_part(part, "--help").stdout == run(part, "--help").stdout != ""


def test_every_part_is_an_installed_command() -> None:
    commands = installed_commands()
    assert set(commands) == {"up", "keys", "desk", *PARTS}
    modules = [command.load() for command in commands.values()]
    assert all(module.HELP and module.DESCRIPTION for module in modules)


def test_a_room_that_is_not_installed_has_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image holds only the rooms of its part, but the entry points of all."""
    entries = EntryPoints(
        EntryPoint(name, f"{name}.command", GROUP) for name in ("worker", "not_installed")
    )
    metadata = SimpleNamespace(entry_points=entries)
    monkeypatch.setattr("unmask.commands.distribution", lambda name: metadata)
    assert set(installed_commands()) == {"worker"}


def test_a_heart_that_nothing_has_installed_has_its_own_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> NoReturn:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("unmask.commands.distribution", missing)
    assert installed_commands() == {}
    assert main(["--help"]) == Exit.DONE
    assert "check" in capsys.readouterr().out
