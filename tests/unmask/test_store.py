from __future__ import annotations

import errno
import hashlib
import os
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
import pytest

from tests.unmask import bucket
from unmask.errors import UnmaskError
from unmask.settings import Settings
from unmask.store import Store

KEY = "0123456789abcdef" * 2
SHA = hashlib.sha256(b"picture").hexdigest()


def put(store: Store, data: bytes) -> str:
    """Store a picture; returns its hash."""
    sha256 = hashlib.sha256(data).hexdigest()
    store.put_picture(sha256, data)
    return sha256


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    yield Store(str(tmp_path / "with a space") if request.param == "file" else "memory://unmask")
    fsspec.filesystem("memory").store.clear()


def test_a_picture_comes_back_by_its_hash(store: Store) -> None:
    assert put(store, b"picture") == SHA
    assert put(store, b"picture") == SHA
    assert store.get_picture(SHA) == b"picture"
    store.delete_picture(SHA)
    store.delete_picture(SHA)
    assert not store.has_picture(SHA)
    with pytest.raises(UnmaskError) as missing:
        store.get_picture(SHA)
    assert missing.value.code == "picture_missing"


def test_results_come_back_and_go_together(store: Store) -> None:
    store.put_result(KEY, "mask.png", b"old")
    store.put_result(KEY, "mask.png", b"mask")
    store.put_result(KEY, "face-12.jpg", b"face")
    assert store.get_result(KEY, "mask.png") == b"mask"
    assert store.get_result(KEY, "face-12.jpg") == b"face"
    assert store.get_result(KEY, "face-13.jpg") is None
    store.delete_results(KEY)
    store.delete_results(KEY)
    assert store.get_result(KEY, "mask.png") is None


@pytest.mark.parametrize(
    "name", ["../../x.png", "a/b.png", ".png", "", "x.png/..", "X.PNG", "..", "a\0.png", "x" * 50]
)
def test_a_name_that_none_can_have(store: Store, name: str) -> None:
    assert store.get_result(KEY, name) is None
    with pytest.raises(ValueError, match="file name"):
        store.put_result(KEY, name, b"")


@pytest.mark.parametrize("key", ["", "..", "../" * 11, "g" * 32, KEY + "/", KEY.upper() + "a"])
def test_a_key_that_none_can_have(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        store.get_result(key, "mask.png")
    with pytest.raises(ValueError, match="sha256"):
        store.get_picture(key)


def test_sweep_removes_what_is_old_and_not_wanted(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    kept = put(store, b"wanted")
    young = put(store, b"young")
    put(store, b"picture")
    store.put_result(KEY, "mask.png", b"mask")
    now = (tmp_path / "pictures" / kept[:2] / kept).stat().st_mtime
    os.utime(tmp_path / "pictures" / young[:2] / young, (now + 50, now + 50))
    asked = []

    def wanted(kind: str, key: str) -> bool:
        asked.append((kind, key))
        return key == kept

    assert store.sweep(now + 10, 100, wanted) == 0
    assert store.sweep(now + 101, 100, wanted) == 2
    assert sorted(asked) == sorted([("pictures", kept), ("pictures", SHA), ("results", KEY)])
    assert store.has_picture(kept) and store.has_picture(young)
    assert not list(tmp_path.rglob(KEY)), "its empty folder is left"


def test_sweep_leaves_the_files_of_others(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    sha256 = put(store, b"picture")
    others = [
        tmp_path / name
        for name in (".DS_Store", "pictures/.DS_Store", f"pictures/{sha256[:2]}/.DS_Store", "a/b/c")
    ]
    for path in others:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    assert store.sweep(time.time() + 101, 100) == 1
    assert not store.has_picture(sha256) and all(path.exists() for path in others)


def test_sweep_goes_on_after_a_file_that_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(str(tmp_path))
    pictures = [put(store, b"%d" % number) for number in range(5)]
    remove = store._files.rm_file

    def refuse_the_first(path: str) -> None:
        if path.endswith(min(pictures)):
            raise PermissionError(errno.EACCES, "denied", path)
        remove(path)

    monkeypatch.setattr(store._files, "rm_file", refuse_the_first)
    assert store.sweep(time.time() + 101, 100) == 4
    assert [sha256 for sha256 in pictures if store.has_picture(sha256)] == [min(pictures)]


def test_sweep_removes_what_a_dead_writer_left(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    sha256 = put(store, b"picture")
    half = tmp_path / "pictures" / sha256[:2] / ".unfinished-1"
    half.write_bytes(b"pic")
    now = half.stat().st_mtime
    assert store.sweep(now + 3500, 86_400) == 0
    assert store.sweep(now + 3700, 86_400) == 1
    assert store.has_picture(sha256) and not half.exists()


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system refuses to let any file of this process grow larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    with files_of_at_most(1000), pytest.raises(UnmaskError) as full:
        store.put_result(KEY, "mask.png", bytes(5000))
    assert full.value.code == "storage_full"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnmaskError) as refused:
        put(Store(str(tmp_path / "file")), b"picture")
    assert refused.value.code == "output_unwritable"


def test_a_reader_sees_a_whole_file_or_none(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    bodies = [bytes([n]) * 300_000 for n in range(8)]
    done = threading.Event()

    def write() -> None:
        for body in bodies * 12:
            store.put_result(KEY, "mask.png", body)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not done.is_set():
        found = store.get_result(KEY, "mask.png")
        if found is not None:
            assert found in bodies
            seen.add(found[0])
    writer.join()
    assert seen


def test_a_sweep_does_not_hinder_a_writer(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    done = threading.Event()

    def sweep() -> None:
        while not done.is_set():
            store.sweep(0, 100)
            store.delete_results(KEY)
            time.sleep(0.001)

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for number in range(500):
            store.delete_picture(put(store, b"%d" % number))
            store.put_result(KEY, "mask.png", b"mask")
    finally:
        done.set()
        sweeper.join()


def test_the_store_of_the_settings(tmp_path: Path) -> None:
    sha256 = put(Store.of(Settings(data=tmp_path)), b"x")
    assert (tmp_path / "store" / "pictures" / sha256[:2] / sha256).read_bytes() == b"x"
    sha256 = put(Store.of(Settings(data=tmp_path, store=f"file://{tmp_path}/other")), b"x")
    assert (tmp_path / "other" / "pictures" / sha256[:2] / sha256).exists()


def test_every_kind_of_no_room_has_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (errno.ENOSPC, errno.EDQUOT):
        store = Store(str(tmp_path))

        def refuse(*_: object, number: int = number) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(store._files, "pipe_file", refuse)
        with pytest.raises(UnmaskError) as full:
            put(store, b"x")
        assert full.value.code == "storage_full"


@pytest.fixture
def hosts() -> Iterator[tuple[Store, Store]]:
    """Two hosts with one object store."""
    bucket.register()
    yield Store("bucket://unmask"), Store("bucket://unmask")
    bucket.register()


def test_hosts_see_what_others_store_and_remove(hosts: tuple[Store, Store]) -> None:
    here, there = hosts
    sha256 = put(here, b"picture")
    there.sweep(time.time(), 100)  # looks at every file
    here.delete_picture(sha256)
    assert not there.has_picture(sha256)
    assert put(there, b"picture") == sha256
    assert here.get_picture(sha256) == b"picture"
    here.put_result(KEY, "mask.png", b"mask")
    there.sweep(time.time(), 100)
    here.put_result(KEY, "report.json", b"report")
    there.delete_results(KEY)
    assert here.get_result(KEY, "report.json") is None


def test_an_object_store_that_is_away(hosts: tuple[Store, Store]) -> None:
    store = hosts[0]
    sha256 = put(store, b"picture")
    bucket.Bucket.away = True
    for write in (lambda: put(store, b"new"), lambda: store.put_result(KEY, "a.png", b"")):
        with pytest.raises(UnmaskError) as refused:
            write()
        assert refused.value.code == "output_unwritable"
    for other in (
        lambda: store.has_picture(sha256),
        lambda: store.get_picture(sha256),
        lambda: store.delete_picture(sha256),
        lambda: store.delete_results(KEY),
        lambda: store.sweep(time.time(), 100),
    ):
        with pytest.raises(OSError, match="EndpointError") as failed:
            other()
        assert failed.value.errno == errno.EIO
