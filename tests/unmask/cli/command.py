"""Runs the command, in this process or in one of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests import pictures
from unmask.cli import main
from unmask.detector.align import Pixels

ROOT = Path(__file__).parents[3]


DOCS = (ROOT / "docs" / "command.md").read_text()


Run = tuple[int, str, str]


class Command:
    """Runs ``unmask`` in this process, with the colour model."""

    def __init__(self, model: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.model, self.capture = model, capture

    def __call__(self, *arguments: str | Path) -> Run:
        status = main([str(item) for item in arguments])
        shown = self.capture.readouterr()
        assert "Traceback" not in shown.out + shown.err
        return int(status), shown.out, shown.err

    def check(self, *arguments: str | Path) -> Run:
        return self("check", "--model", self.model, *arguments)

    def lines(self, *arguments: str | Path) -> tuple[int, list[dict[str, Any]]]:
        status, out, err = self.check("--json", *arguments)
        assert err == ""
        return status, [json.loads(line) for line in out.splitlines()]


def save(path: Path, pixels: Pixels) -> None:
    bgr = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(path.suffix, bgr)
    assert done
    path.write_bytes(data.tobytes())


def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs ``unmask`` in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    command = [sys.executable, "-m", "unmask", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=60, check=False, **options
    )


def bad_files(folder: Path, photo: bytes) -> dict[str, str]:
    """Every kind of bad file, in ``folder``; returns the error that each deserves."""
    narrow = io.BytesIO()
    pictures.corners(64, 1).save(narrow, "PNG")
    files = {
        "00_empty.jpg": (b"", "empty_file"),
        "01_text.jpg": (b"hello, I am no picture", "not_a_picture"),
        "02_truncated.jpg": (photo[: len(photo) // 2], "truncated"),
        "03_zip.gif": (pictures.gif(40, 40) + pictures.archive(), "polyglot"),
        "05_huge.bmp": (pictures.claiming("BMP", 60_000, 60_000), "too_many_pixels"),
        "06_one_row.png": (narrow.getvalue(), "bad_dimensions"),
        "07_note.txt": (b"remember the milk", "not_a_picture"),
        "08_noextension": (b"\x7fELF" + bytes(200), "not_a_picture"),
        "09_too_large.jpg": (photo + bytes(200_000), "too_many_bytes"),
    }
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    (folder / "10_dead_link.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(folder / "11_pipe.jpg")
    (folder / "12_folder.jpg").mkdir()
    (folder / ".hidden.jpg").touch()
    codes = {name: code for name, (_, code) in files.items()}
    return {**codes, "10_dead_link.jpg": "file_not_found", "11_pipe.jpg": "file_unreadable"}
