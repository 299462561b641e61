"""``unmask keys``: makes, lists and revokes API keys."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from unmask.commands import needing

if TYPE_CHECKING:  # loaded by the functions that need it
    from unmask.settings import Settings

HELP = "make, list and revoke API keys"
DESCRIPTION = "Makes, lists and revokes the keys that callers of the API need."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``create``, ``list`` and ``revoke``."""
    with needing("keys"):
        from server.security import keys_cli
    keys_cli.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Carry out the parsed action; returns the exit status."""
    with needing("keys"):
        from server.security import keys_cli
        from unmask.environment import read_settings
    with _queue(read_settings()) as url:
        return keys_cli.run(options, url, _print)


@contextmanager
def _queue(settings: Settings) -> Iterator[str]:
    """The URL of the queue; an embedded Valkey that did not run before is stopped again."""
    if settings.redis_url:
        yield settings.redis_url
        return
    with needing("keys"):
        from unmask.queue.valkey import EmbeddedValkey
    valkey = EmbeddedValkey(settings.data)
    ran_before = valkey.ping()
    url = valkey.ensure()
    try:
        yield url
    finally:
        if not ran_before:
            valkey.stop()


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
