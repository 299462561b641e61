"""Marks texts that another module translates."""

from __future__ import annotations


def gettext_noop(message: str) -> str:
    """The message itself; marks it for the catalogues."""
    return message


def ngettext_noop(singular: str, plural: str) -> tuple[str, str]:
    """Both forms themselves; marks them for the catalogues."""
    return singular, plural
