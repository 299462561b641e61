"""What is kept of engines: read back whole, and trusted only where nobody else can have written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from unmask.detector.engines.cache import KEPT, Cache


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_what_is_kept_is_read_by_its_key(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "engines"
    Cache(folder).write("one", b"compiled")
    assert Cache(folder).read("one") == b"compiled"
    assert Cache(folder).read("two") is None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert only_file(folder).stat().st_mode & 0o777 == 0o600


def test_a_later_one_takes_the_place_of_the_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "engines")
    cache.write("one", b"old")
    cache.write("one", b"new")
    assert cache.read("one") == b"new"
    only_file(tmp_path / "engines")


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: kept[:-1],
        lambda kept: kept + b"!",
        lambda kept: kept[:40] + b"?" + kept[41:],
        lambda kept: kept[:16],
        lambda kept: b"",
    ],
    ids=["cut", "longer", "changed", "half a digest", "empty"],
)
def test_a_damaged_file_counts_as_nothing(
    tmp_path: Path, damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    cache = Cache(tmp_path / "engines")
    cache.write("one", b"compiled network")
    path = only_file(tmp_path / "engines")
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))
    assert cache.read("one") is None
    assert "is damaged" in caplog.text
    cache.write("one", b"again")
    assert cache.read("one") == b"again"


def test_a_file_under_the_name_of_another_key_counts_as_nothing(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "engines")
    cache.write("old version", b"compiled")
    path = only_file(tmp_path / "engines")
    cache.write("new version", b"compiled otherwise")
    (other,) = set((tmp_path / "engines").iterdir()) - {path}
    path.replace(other)
    assert cache.read("new version") is None


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_folder_that_others_can_write_is_not_used(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "engines"
    cache = Cache(folder)
    cache.write("one", b"compiled")
    folder.chmod(mode)
    assert cache.read("one") is None
    cache.write("two", b"compiled")
    folder.chmod(0o700)
    assert cache.read("two") is None
    assert cache.read("one") == b"compiled"


def test_a_file_that_others_can_write_is_not_read(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "engines")
    cache.write("one", b"compiled")
    only_file(tmp_path / "engines").chmod(0o666)
    assert cache.read("one") is None


def test_what_another_account_made_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path / "engines")
    cache.write("one", b"compiled")
    own = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    assert cache.read("one") is None


@pytest.mark.parametrize("linked", ["the folder", "the file"])
def test_links_are_not_followed(tmp_path: Path, linked: str) -> None:
    folder = tmp_path / "engines"
    cache = Cache(folder)
    cache.write("one", b"compiled")
    path = folder if linked == "the folder" else only_file(folder)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert cache.read("one") is None


def test_a_folder_that_cannot_be_made_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "file" / "engines", tmp_path / "file", None):
        Cache(folder).write("one", b"compiled")
        assert Cache(folder).read("one") is None


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path / "engines")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    cache.write("one", b"compiled")
    assert list((tmp_path / "engines").iterdir()) == []


def test_the_files_used_last_are_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "engines")
    for number in range(KEPT):
        cache.write(str(number), b"compiled")
    for path in (tmp_path / "engines").iterdir():
        os.utime(path, (1, 1))
    assert cache.read("0") == b"compiled"
    for number in range(KEPT, 2 * KEPT - 1):
        cache.write(str(number), b"compiled")
    assert len(list((tmp_path / "engines").iterdir())) == KEPT
    assert cache.read("0") == b"compiled"
    assert all(cache.read(str(number)) is None for number in range(1, KEPT))
