"""``unmask up``: everything on this machine."""

from __future__ import annotations

import argparse
import os

from unmask.cli.environment import read_settings
from unmask.cli.extras import load
from unmask.cli.faults import Exit, SettingsError


def run(options: argparse.Namespace) -> int:
    """Run until a signal tells it to end; returns the exit status."""
    if os.name != "posix":
        raise SettingsError("`unmask up` runs on Linux and macOS; elsewhere start the parts alone.")
    load("unmask.local.up", "up").serve(read_settings(None))
    return Exit.DONE
