"""``unmask PART`` and ``python -m PART`` are one command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from tests.unmask.cli.command import ROOT, run
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
    assert all(command.HELP and command.DESCRIPTION for command in commands.values())


def test_a_room_that_is_not_installed_has_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image holds only the rooms of its part, but the entry points of all."""
    entries = [EntryPoint(name, f"{name}.command", GROUP) for name in ("worker", "not_installed")]
    monkeypatch.setattr("unmask.commands.entry_points", lambda group: entries)
    assert set(installed_commands()) == {"worker"}
