"""How the command ends: its exit statuses, and faults that are not a picture's."""

from __future__ import annotations

from enum import IntEnum

from unmask.errors import UnmaskError


class Exit(IntEnum):
    """Exit statuses. ``NO_READER`` is what a shell reports for a program that SIGPIPE ended;
    ``MISCONFIGURED`` (EX_CONFIG) tells whoever keeps a worker running that only people can help."""

    DONE = 0
    SOME_FAILED = 1
    NOTHING_DONE = 2
    MISCONFIGURED = 78
    INTERRUPTED = 130
    NO_READER = 141


class SettingsError(Exception):
    """A setting from the environment is not valid; the message names the variable."""


class MissingExtraError(Exception):
    """A package is not installed; the message says which extra brings it."""


def internal(fault: BaseException) -> UnmaskError:
    """The error shown for an exception that nobody foresaw."""
    said = " ".join(f"{type(fault).__name__}: {fault}".split())
    return UnmaskError("internal", f"Something unforeseen went wrong ({said}).", exception=said)
