"""Pictures from files, with every way in which a file fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import pictures
from tests.pictures import corners, encoded
from tests.unmask.images.opened import SETTINGS, code_of
from unmask.errors import UnmaskError
from unmask.images import open_picture, read_picture


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "said to be.png"
    path.write_bytes(encoded(corners(), "JPEG"))
    assert read_picture(path, SETTINGS).format == "JPEG"


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for name in ("nothing.jpg", "file/inside.jpg", "zero\0byte.jpg"):
        path = tmp_path / name
        assert code_of(lambda path=path: read_picture(path, SETTINGS)) == "file_not_found"


def test_what_is_no_file_is_unreadable(tmp_path: Path) -> None:
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    for path in (tmp_path, pipe, loop, Path("/dev/zero"), Path("/dev/null")):
        assert code_of(lambda path=path: read_picture(path, SETTINGS)) == "file_unreadable"


def test_a_file_without_permission_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.jpg"
    path.write_bytes(b"x")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, whom no mode stops
    assert code_of(lambda: read_picture(path, SETTINGS)) == "file_unreadable"


def test_a_file_over_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(SETTINGS.max_bytes + 1)

    def never(*_: object) -> None:
        raise AssertionError("the file was opened")

    monkeypatch.setattr(Path, "open", never)
    assert code_of(lambda: read_picture(path, SETTINGS)) == "too_many_bytes"


def test_an_empty_file_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    assert code_of(lambda: read_picture(path, SETTINGS)) == "empty_file"


def test_a_refusal_says_what_broke_which_limit() -> None:
    with pytest.raises(UnmaskError) as caught:
        open_picture(pictures.claiming("PNG", 20_000, 10_000), SETTINGS)
    assert caught.value.detail == {"width": 20_000, "height": 10_000, "limit": 50_000_000}
    assert "20000 x 10000" in caught.value.message
