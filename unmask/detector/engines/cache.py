"""What an engine computed when it opened a network, kept for the next start.

A file is trusted only where this account alone can have written it, and where its digest fits it
and the key that it is asked for by: the key names everything that its contents hang on. Anything
else counts as nothing, and is computed again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_log = logging.getLogger(__name__)

_DIGEST = hashlib.sha256().digest_size
#: Files that are kept: those of the versions, models and engines of one installation.
KEPT = 8
#: What groups and others must not be able to do: write.
_SHARED = stat.S_IWGRP | stat.S_IWOTH


class Cache:
    """Files by key in one folder, of this account alone. A cache without a folder keeps nothing."""

    def __init__(self, folder: Path | None = None) -> None:
        # without accounts as POSIX has them, nobody can tell who wrote a file
        self._folder = folder if hasattr(os, "getuid") else None

    def read(self, key: str) -> bytes | None:
        """What is kept under a key, None for nothing that can be trusted."""
        if self._folder is None:
            return None
        path = self._folder / _name(key)
        try:
            if not _is_own(os.lstat(self._folder), stat.S_ISDIR):
                return None
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as file:
                if not _is_own(os.fstat(handle), stat.S_ISREG):
                    return None
                kept = file.read()
            with suppress(OSError):
                os.utime(path)  # the files that were not asked for longest go first
        except OSError:
            return None
        data = kept[_DIGEST:]
        if _digest(key, data) != kept[:_DIGEST]:
            _log.warning("the engines' cache: %s is damaged, and made again", path.name)
            return None
        return data

    def write(self, key: str, data: bytes) -> None:
        """Keep ``data`` under a key, as a whole or not at all; a folder that cannot be written, or
        that others can write, keeps nothing."""
        if self._folder is None:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_own(os.lstat(self._folder), stat.S_ISDIR):
                return
            self._replace(_name(key), _digest(key, data) + data)
            self._drop_oldest()
        except OSError as error:
            _log.debug("the engines' cache cannot be written (%s)", type(error).__name__)

    def _replace(self, name: str, data: bytes) -> None:
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
            path = Path(file.name)
            try:
                file.write(data)
                file.flush()
                path.replace(path.with_name(name))
            except BaseException:
                path.unlink(missing_ok=True)
                raise

    def _drop_oldest(self) -> None:
        """Remove all but the files that were last written or read, unfinished ones among them."""
        if self._folder is None:
            return
        ages = []
        for path in self._folder.iterdir():
            with suppress(OSError):
                ages.append((path.stat().st_mtime, path))
        for _, path in sorted(ages, reverse=True)[KEPT:]:
            with suppress(OSError):
                path.unlink()


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _digest(key: str, data: bytes) -> bytes:
    digest = hashlib.sha256(key.encode() + b"\0")
    digest.update(data)
    return digest.digest()


def _is_own(state: os.stat_result, is_kind: Callable[[int], bool]) -> bool:
    """Whether a file or folder is of a kind, belongs to this account, and no other may write it."""
    return is_kind(state.st_mode) and state.st_uid == os.getuid() and not state.st_mode & _SHARED
