"""What the tests of the command share: the command itself, and photos."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.unmask.cli.command import Command, bad_files, save
from unmask.detector.align import Pixels


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever language the machine's owner reads."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture
def unmask(colour_model: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(colour_model, capsys)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory, portrait: Pixels) -> Path:
    """A folder with one photo of each verdict."""
    folder = tmp_path_factory.mktemp("photos")
    save(folder / "fake.jpg", portrait)
    save(folder / "real.jpg", portrait[:, :, ::-1])
    save(folder / "unsure.png", cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY))
    save(folder / "no_face.png", np.full((120, 160, 3), 90, np.uint8))
    return folder


@pytest.fixture
def mixed(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, dict[str, str]]:
    """A folder of bad files with two good ones between them, and the bad ones' codes."""
    photo = (photos / "fake.jpg").read_bytes()
    monkeypatch.setenv("UNMASK_MAX_BYTES", str(len(photo) + 100_000))
    codes = bad_files(tmp_path, photo)
    for name in ("04_good.jpg", "99_good.jpg"):
        (tmp_path / name).write_bytes(photo)
    return tmp_path, codes
