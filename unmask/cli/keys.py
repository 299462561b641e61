"""``unmask keys``: makes, lists and revokes API keys."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from unmask.cli.environment import read_settings
from unmask.cli.extras import load
from unmask.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the server's own arguments; it is imported for that."""
    load("server.security.keys_cli", "keys").add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Carry out what was parsed; returns the exit status."""
    keys = load("server.security.keys_cli", "keys")
    with _queue(read_settings(None)) as url:
        status: int = keys.run(options, url, _print)
    return status


@contextmanager
def _queue(settings: Settings) -> Iterator[str]:
    """The URL of the queue; an embedded Valkey that did not run before is stopped again."""
    if settings.redis_url:
        yield settings.redis_url
        return
    valkey = load("unmask.queue.valkey", "keys").EmbeddedValkey(settings.data)
    ran_before = valkey.ping()
    url: str = valkey.ensure()
    try:
        yield url
    finally:
        if not ran_before:
            valkey.stop()


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
