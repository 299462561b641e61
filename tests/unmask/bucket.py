"""A file system that behaves as an object store's does: it keeps listings, and it has words of its
own for its faults. ``bucket://`` once :func:`tests.unmask.bucket.register` was called."""

from __future__ import annotations

from typing import Any, ClassVar

import fsspec
from fsspec import AbstractFileSystem
from fsspec.implementations.memory import MemoryFileSystem


class EndpointError(Exception):
    """What botocore raises without a network: neither an ``OSError`` nor one of ours."""


class Bucket(MemoryFileSystem):
    """One instance for each host; all of them see the same objects."""

    protocol = "bucket"
    cachable = False
    objects: ClassVar[dict[str, Any]] = {}
    folders: ClassVar[list[str]] = [""]
    away: ClassVar[bool] = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.store, self.pseudo_dirs = self.objects, self.folders

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.removeprefix("bucket://")))

    def ls(self, path: str, detail: bool = True, **options: Any) -> Any:
        self._reach()
        path = self._strip_protocol(path)
        found = self.dircache.get(path)
        if found is None:
            found = self.dircache[path] = super().ls(path, detail=True)
        return found if detail else [about["name"] for about in found]

    def find(self, path: str, maxdepth: int | None = None, **options: Any) -> Any:
        return AbstractFileSystem.find(self, path, maxdepth, **options)

    def exists(self, path: str, **options: Any) -> bool:
        self._reach()
        path = self._strip_protocol(path)
        parent = self.dircache.get(self._parent(path))
        return path in self.store if parent is None else path in [f["name"] for f in parent]

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: Any) -> None:
        self._reach()
        super().pipe_file(path, value, mode, **options)

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **options: Any
    ) -> bytes:
        self._reach()
        return bytes(super().cat_file(path, start, end, **options))

    def rm_file(self, path: str) -> None:
        self._reach()
        super()._rm(path)

    def _reach(self) -> None:
        if type(self).away:
            raise EndpointError("Could not connect to the endpoint")


def register() -> None:
    """Make ``bucket://`` known, empty and at hand."""
    fsspec.register_implementation("bucket", Bucket, clobber=True)
    Bucket.away = False
    Bucket.objects.clear()
    Bucket.folders[:] = [""]
