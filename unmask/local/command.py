"""``unmask up``: everything on this machine."""

from __future__ import annotations

import argparse
import os

from unmask.commands import needing
from unmask.errors import Exit, SettingsError

HELP = "run the whole service on this machine"
DESCRIPTION = (
    "Starts a Valkey (unless REDIS_URL is set), one worker and the server, and prints one line, "
    "ready http://HOST:PORT, once a check can be taken. Starts again what ends; ends all in order "
    "on SIGTERM or Ctrl-C."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: everything is a setting."""


def run(options: argparse.Namespace) -> int:
    """Run until a signal ends it; returns the exit status."""
    if os.name != "posix":
        raise SettingsError("`unmask up` runs on Linux and macOS; elsewhere start the parts alone.")
    with needing("up"):
        from unmask.environment import read_settings
        from unmask.local.up import serve
    serve(read_settings())
    return Exit.DONE
