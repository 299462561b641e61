"""``python -m worker`` with settings that it cannot start with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.faults.queue_harness import ROOT, _environment


def refusal(**settings: str) -> dict[str, Any]:
    """The error that a worker ends with; its status says that only people can help."""
    ended = subprocess.run(
        [sys.executable, "-m", "worker"],
        cwd=ROOT,
        env=_environment() | {f"UNMASK_{name.upper()}": text for name, text in settings.items()},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert ended.returncode == 78, ended.stderr
    (line,) = ended.stderr.splitlines()
    error: dict[str, Any] = json.loads(line)["error"]
    return error


def test_a_setting_that_cannot_be(tmp_path: Path) -> None:
    error = refusal(batch_size="0", data=str(tmp_path))
    assert error["code"] == "bad_request" and "UNMASK_BATCH_SIZE=0" in error["message"]


def test_a_model_may_be_named_by_its_folder(tmp_path: Path) -> None:
    error = refusal(model=str(tmp_path), data=str(tmp_path))
    assert error["code"] == "model_missing"
    assert error["detail"]["path"] == str(tmp_path / "manifest.json")
