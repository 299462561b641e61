"""``unmask trust-list``: installs the list of signers whose Content Credentials are trusted."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from unmask.commands import needing
from unmask.environment import make_private_folder, read_settings
from unmask.errors import Exit, SettingsError, UnmaskError
from unmask.evidence.credentials.trust_list import (
    INSTALLED,
    MAX_BYTES,
    PUBLISHED,
    holders,
    joined_list,
)


def run(options: argparse.Namespace) -> int:
    """Write the list and say what it holds; returns the exit status.

    Raises :class:`SettingsError` where a list cannot be read or is none; nothing is replaced then.
    """
    settings = read_settings(None)
    files: list[Path] | None = options.files
    lists = _read(files) if files else asyncio.run(_download())
    text = joined_list(lists, datetime.now(UTC).date())
    if options.out is None:
        make_private_folder(settings.data)
    path = options.out or settings.data / INSTALLED
    _replace(path, text)
    names = holders(text)
    number = text.count("-----BEGIN")
    sys.stdout.write(f"{number} certificates: {'; '.join(names)}\n")
    sys.stdout.write(f"written: {path}\n")
    return Exit.DONE


def _read(files: list[Path]) -> dict[str, bytes]:
    lists = {}
    for path in files:
        try:
            lists[path.name] = path.read_bytes()
        except OSError as fault:
            raise SettingsError(f"{path} cannot be read: {fault.strerror}.") from fault
    return lists


async def _download() -> dict[str, bytes]:
    with needing("trust-list"):
        from unmask.fetch import Fetcher

    lists = {}
    async with Fetcher(MAX_BYTES) as fetcher:
        for url in PUBLISHED:
            try:
                lists[url] = await fetcher.fetch(url)
            except UnmaskError as error:
                message = f"{url} cannot be downloaded [{error.code}]; save it and use --from FILE."
                raise SettingsError(message) from error
    return lists


def _replace(path: Path, text: str) -> None:
    """Write a file whole: a worker that starts meanwhile reads the old one or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="ascii")
        beside.replace(path)
    except OSError as fault:
        beside.unlink(missing_ok=True)
        raise SettingsError(f"{path} cannot be written: {fault.strerror}.") from fault
