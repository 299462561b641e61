"""The first frame of a clip, decoded in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests import pictures
from unmask.video import clip, first_frame

pytestmark = pytest.mark.anyio


def decode(data: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "unmask.video.decode"]
    return subprocess.run(command, input=data, capture_output=True, check=False)


def test_the_first_frame_of_a_clip(tmp_path: Path) -> None:
    path = str(tmp_path / "clip.mp4")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"mp4v"), 5, (64, 48))
    for shade in (200, 20):
        writer.write(np.full((48, 64, 3), shade, np.uint8))
    writer.release()
    process = decode(Path(path).read_bytes())
    assert process.returncode == 0
    frame = np.asarray(Image.open(BytesIO(process.stdout)))
    assert frame.shape == (48, 64, 3) and abs(float(frame.mean()) - 200) < 8


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 400,
        b"\x1a\x45\xdf\xa3" + b"\xff" * 400,
        pictures.encoded(pictures.corners(), "JPEG"),
    ],
)
def test_a_clip_without_a_frame(data: bytes) -> None:
    process = decode(data)
    assert process.returncode == 1 and not process.stdout


async def test_a_clip_that_takes_too_long_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder that is killed cannot remove its copy of the file."""
    slow, folder, copy = tmp_path / "slow", tmp_path / "folder", tmp_path / "copy"
    slow.write_text(f'#!/bin/sh\ncat > "$TMPDIR/clip"\ncp "$TMPDIR/clip" "{copy}"\nexec sleep 60\n')
    slow.chmod(0o700)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(clip.sys, "executable", str(slow))
    monkeypatch.setattr(clip, "_SECONDS", 1.0)
    assert await first_frame(b"a stranger's video") is None
    assert copy.read_bytes() == b"a stranger's video"
    assert not list(folder.iterdir())


async def test_the_decoder_of_clips_does_not_see_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printer = tmp_path / "printer"
    printer.write_text("#!/bin/sh\nenv\n")
    printer.chmod(0o700)
    monkeypatch.setattr(clip.sys, "executable", str(printer))
    monkeypatch.setenv("UNMASK_TELEGRAM_TOKEN", "1:secret")
    monkeypatch.setenv("REDIS_URL", "redis://:secret@localhost")
    output = await first_frame(b"")
    assert output is not None and b"TMPDIR=" in output and b"secret" not in output
