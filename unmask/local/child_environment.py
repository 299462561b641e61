"""What each process of `unmask up` gets of its environment: what it needs, and no other's secrets.

Workers decode strangers' files, so a fault in a decoder must find no token and no password there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import unmask
from unmask.settings import Settings

#: What a program needs to start, to find its libraries and to speak the reader's language, and what
#: tunes the run time of the model.
_SYSTEM = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TERM", "TMPDIR", "TEMP"),
        *("TMP", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LD_PRELOAD"),
        *("DYLD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "GLIBC_TUNABLES"),
    }
)
_SYSTEM_PREFIXES = (
    *("LC_", "XDG_", "PYTHON", "MALLOC_", "OMP_", "OPENBLAS_", "MKL_", "OPENCV_", "ORT_"),
    *("CUDA_", "NVIDIA_", "COVERAGE_"),
)
#: Memory in pages of 2 MB, where the system lends them to who asks (Linux, glibc 2.35 or later).
#: What the networks hold between their layers fills some 65,000 pages of 4 KB in one look, and to
#: be given these takes up to a fifth of its time. docker/Dockerfile says the same.
_LARGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
_BOT = ("UNMASK_TELEGRAM_", "UNMASK_BOT_", "TELEGRAM_")
_DESK = ("UNMASK_DATABASE",)


def server_environment(
    settings: Settings, source: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The environment of the server: without what is the bot's."""
    return _own(settings, source, _BOT)


def worker_environment(
    settings: Settings, source: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The environment of a worker: without what is the bot's or the desk's, and with large pages
    unless it says otherwise."""
    return {**_LARGE_PAGES, **_own(settings, source, (*_BOT, *_DESK))}


def _own(settings: Settings, source: Mapping[str, str], others: tuple[str, ...]) -> dict[str, str]:
    """The variables of the system and ours, less those of ``others``. If the store is a remote one,
    all the rest too: each of fsspec's packages reads its credentials from variables of its own."""
    is_remote = "://" in (settings.store or "") and not str(settings.store).startswith("file://")
    environment = {
        name: value
        for name, value in source.items()
        if not name.startswith(others) and (is_remote or _is_system(name) or _is_ours(name))
    }
    # The path of this code: the current folder may hold another.
    paths = [str(Path(unmask.__file__).parents[1]), source.get("PYTHONPATH", "")]
    return {**environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def _is_system(name: str) -> bool:
    return name in _SYSTEM or name.startswith(_SYSTEM_PREFIXES)


def _is_ours(name: str) -> bool:
    return name.startswith("UNMASK_") or name == "REDIS_URL"
