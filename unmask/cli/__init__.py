"""The command ``unmask``. Start at :mod:`unmask.cli.command`; docs/command.md says what it does."""

from unmask.cli.command import main

__all__ = ["main"]
