"""``unmask server``, or ``python -m server``: the API and the page alone."""

from __future__ import annotations

import argparse

from unmask.commands import needing

HELP = "run the API and the page alone"
DESCRIPTION = (
    "Runs the API and the page. Workers may run elsewhere, with the same REDIS_URL and store."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: everything is a setting."""


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status."""
    with needing("server"):
        from server.main import serve
        from unmask.environment import read_settings
    return serve(read_settings())
