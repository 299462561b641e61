"""``unmask server``: the API and the page alone."""

from __future__ import annotations

import argparse

from unmask.cli.environment import read_settings
from unmask.cli.extras import load


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status."""
    status: int = load("server.main", "server").serve(read_settings(None))
    return status
