"""Pictures by the sha256 of their bytes, and the files of each result, over fsspec.

A directory by default; ``s3://`` and the rest work where their fsspec package is installed. A file
appears whole or not at all. The queue decides what is removed (:mod:`unmask.queue`).

Layout: ``pictures/<2 of sha256>/<sha256>`` and ``results/<2 of key>/<key>/<name>``, which expire,
and ``cases/<team>/<key>/<name>``, which the team desk keeps and removes by itself.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import re
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from unmask.errors import UnmaskError
from unmask.logs import kind_of
from unmask.settings import Settings

_log = logging.getLogger(__name__)

#: Errors of the system for no room: on the disk, in the quota, for one file.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: Name of a file that is being written; if it is older than an hour, its writer is dead.
_UNFINISHED, _UNFINISHED_SECONDS = ".unfinished-", 3600.0

#: How often a file is written whose folder is removed meanwhile.
_MAX_TRIES = 8

_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[a-z0-9-]{1,40}\.[a-z]{2,5}")
#: A file of ours, below the root: of a picture, of a result, or not finished.
_PLACE = re.compile(
    r"(?P<kind>pictures|results)/[0-9a-f]{2}/"
    r"(?:(?P<key>[0-9a-f]{64}|[0-9a-f]{32}(?=/))(?:/[^/]+)?|\.unfinished-[^/]+)"
)


class Store:
    """The store of pictures and results. Methods block; one instance serves several threads.

    Writing raises :class:`UnmaskError` ``storage_full`` or ``output_unwritable``; every other
    failure raises ``OSError``.
    """

    def __init__(self, url: str) -> None:
        """``url`` is a path or an fsspec URL such as ``s3://bucket/prefix``."""
        self._files: Any
        # A cached listing would hide what other hosts store and remove.
        self._files, root = fsspec.url_to_fs(url, use_listings_cache=False)
        self._root = root.rstrip("/")
        self._local = isinstance(self._files, LocalFileSystem)

    @classmethod
    def of(cls, settings: Settings) -> Store:
        """The store that the settings name, by default a directory in ``settings.data``."""
        return cls(settings.store or str(settings.data.expanduser().absolute() / "store"))

    def put_picture(self, sha256: str, data: bytes) -> None:
        """Store a picture's bytes under their ``sha256``, unless they are stored already.

        The caller has computed the hash, as :class:`unmask.images.Picture` does.
        """
        try:
            is_stored = self.has_picture(sha256)
        except OSError as error:
            raise _as_unmask_error(error) from error
        if not is_stored:
            self._write(self._picture(sha256), data)

    def has_room(self, min_free: int) -> bool:
        """Whether ``min_free`` bytes are free on the store's disk; an object store always has."""
        if not self._local:
            return True
        folder = Path(self._root)
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return shutil.disk_usage(folder).free >= min_free

    def has_picture(self, sha256: str) -> bool:
        """Whether a picture is stored."""
        with _faults():
            return bool(self._files.exists(self._picture(sha256)))

    def get_picture(self, sha256: str) -> bytes:
        """A picture's bytes; raises ``picture_missing``."""
        data = self._read(self._picture(sha256))
        if data is None:
            message = "The picture is no longer in the store; send it again."
            raise UnmaskError("picture_missing", message)
        return data

    def delete_picture(self, sha256: str) -> None:
        """Remove a picture, if it is stored."""
        self._remove(self._picture(sha256))

    def put_result(self, key: str, name: str, data: bytes) -> None:
        """Store one file of a result; replaces a file of that name."""
        self._write(self._result(key, name), data)

    def get_result(self, key: str, name: str) -> bytes | None:
        """One file of a result, None if there is none, also for an invalid name."""
        return self._read(self._result(key, name)) if _NAME.fullmatch(name) else None

    def delete_results(self, key: str) -> None:
        """Remove every file of a result."""
        folder = self._folder(key)
        for path in self._find(folder):
            self._remove(path)
        self._drop_if_empty(folder)

    def put_case_file(self, team_id: int, key: str, name: str, data: bytes) -> None:
        """Store one file of a picture that a team keeps; replaces a file of that name."""
        self._write(self._case_file(team_id, key, name), data)

    def get_case_file(self, team_id: int, key: str, name: str) -> bytes | None:
        """One file of a picture that a team keeps, None if there is none."""
        if not (_KEY.fullmatch(key) and _NAME.fullmatch(name)):
            return None
        return self._read(self._case_file(team_id, key, name))

    def delete_case_files(self, team_id: int, key: str) -> None:
        """Remove every file of a picture that a team keeps."""
        folder = self._case_folder(team_id, key)
        for path in self._find(folder):
            self._remove(path)
        self._drop_if_empty(folder)

    def case_keys(self, team_id: int) -> dict[str, float]:
        """The keys under which a team keeps files, each with the Unix time of its last one."""
        root = f"{self._root}/cases/{team_id}/"
        keys: dict[str, float] = {}
        for path, info in self._find(root.rstrip("/")).items():
            key = path.removeprefix(root).partition("/")[0]
            if _KEY.fullmatch(key):
                keys[key] = max(keys.get(key, 0.0), _written(info))
        return keys

    def sweep(
        self,
        now: float,
        retention: float,
        wanted: Callable[[str, str], bool] = lambda kind, key: False,
    ) -> int:
        """Remove files last written more than ``retention`` seconds before ``now`` (Unix time).

        ``wanted(kind, key)`` tells whether a check still needs the ``pictures`` or ``results`` of
        that sha256 or key. Unfinished files of a writer that died are removed too, files of other
        programs stay. A file that cannot be removed is left to the next sweep. Returns how many
        files were removed.
        """
        stale = [
            path
            for path, kind, key in self._old_files(now, retention)
            if _UNFINISHED in path or not wanted(kind, key)
        ]
        removed = 0
        for path in stale:
            try:
                self._remove(path)
            except OSError as error:
                _log.warning("store: a file could not be removed (%s)", kind_of(error))
                continue
            removed += 1
            if path.startswith(f"{self._root}/results/"):
                self._drop_if_empty(path.rpartition("/")[0])
        return removed

    def _old_files(self, now: float, retention: float) -> Iterator[tuple[str, str, str]]:
        """Path, kind and key of each file that is older than its limit."""
        for path, info in self._find(self._root).items():
            place = _PLACE.fullmatch(path[len(self._root) + 1 :])
            limit = _UNFINISHED_SECONDS if _UNFINISHED in path else retention
            if place and _written(info) <= now - limit:
                yield path, place["kind"], place["key"] or ""

    def _find(self, folder: str) -> dict[str, dict[str, Any]]:
        """The properties of each file below a folder, by its path."""
        with _faults():
            return dict(self._files.find(folder, detail=True))

    def _drop_if_empty(self, folder: str) -> None:
        """Remove the folder of a result; the folders above it hold others and stay."""
        if self._local:
            with contextlib.suppress(OSError):
                self._files.rmdir(folder)

    def _write(self, path: str, data: bytes) -> None:
        folder, _, name = path.rpartition("/")
        # An object store shows a whole object or none; a directory needs the detour.
        target = f"{folder}/{_UNFINISHED}{uuid4().hex}-{name}" if self._local else path
        try:
            self._create(folder, target, path, data)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._remove(target)
            raise _as_unmask_error(error) from error

    def _create(self, folder: str, target: str, path: str, data: bytes) -> None:
        """Write ``target`` and rename it to ``path``.

        A process that removes the folder's files meanwhile may take the folder, still empty, or
        the new file itself: then it is written again.
        """
        for left in reversed(range(_MAX_TRIES)):
            try:
                with _faults():
                    self._files.makedirs(folder, exist_ok=True)
                    self._files.pipe_file(target, data)
                    if target != path:
                        self._files.mv(target, path)
                return
            except (FileNotFoundError, FileExistsError):  # the latter: it was there, then not
                if not left:
                    raise
                time.sleep(0.002 * (_MAX_TRIES - left))

    def _read(self, path: str) -> bytes | None:
        try:
            with _faults():
                return bytes(self._files.cat_file(path))
        except FileNotFoundError:
            return None

    def _remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError), _faults():
            self._files.rm_file(path)

    def _picture(self, sha256: str) -> str:
        if not _SHA256.fullmatch(sha256):
            raise ValueError("not a sha256")
        return f"{self._root}/pictures/{sha256[:2]}/{sha256}"

    def _folder(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise ValueError("not a result's key")
        return f"{self._root}/results/{key[:2]}/{key}"

    def _case_folder(self, team_id: int, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise ValueError("not a key of a team's picture")
        return f"{self._root}/cases/{int(team_id)}/{key}"

    def _case_file(self, team_id: int, key: str, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError("not a name of a team's file")
        return f"{self._case_folder(team_id, key)}/{name}"

    def _result(self, key: str, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError("not a result's file name")
        return f"{self._folder(key)}/{name}"


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    """Turns an object store's own exceptions into an ``OSError``."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(errno.EIO, f"{type(error).__name__}: {error}") from error


def _as_unmask_error(error: OSError) -> UnmaskError:
    if error.errno in _NO_ROOM:
        message = "There is no room left for the picture or its result; try again later."
        return UnmaskError("storage_full", message)
    return UnmaskError("output_unwritable", "The store cannot be written just now.")


def _written(info: dict[str, Any]) -> float:
    """When a file was last written, Unix time; file systems of fsspec name it differently."""
    when = next(
        (info[name] for name in ("mtime", "LastModified", "updated", "created") if name in info),
        time.time(),
    )
    return when.timestamp() if isinstance(when, datetime) else float(when)
