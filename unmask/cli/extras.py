"""Loads the parts that not every installation has: named by dotted name, missing with a word."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from unmask.cli.faults import MissingExtraError

#: Our own rooms, which are there in every installation.
_OURS = ("unmask", "server", "worker", "bot")


def load(module: str, command: str, extra: str = "server") -> ModuleType:
    """The module for ``command``; raises :class:`MissingExtraError` where a package is missing."""
    try:
        return import_module(module)
    except ModuleNotFoundError as fault:
        package = (fault.name or "").partition(".")[0]
        if package in _OURS:
            raise
        needs = f'unmask {command} needs: pip install "unmask[{extra}]" (no {package})'
        raise MissingExtraError(needs) from fault
