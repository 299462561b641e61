"""Durations and sizes, as people say them."""

from __future__ import annotations

from unmask.i18n import Texts


def duration(texts: Texts, seconds: float) -> str:
    """A duration in the largest unit of which there are at least two."""
    if seconds >= 2 * 86_400:
        return texts.ngettext("{number} day", "{number} days", round(seconds / 86_400))
    if seconds >= 2 * 3_600:
        return texts.ngettext("{number} hour", "{number} hours", round(seconds / 3_600))
    if seconds >= 120:
        return texts.ngettext("{number} minute", "{number} minutes", round(seconds / 60))
    return texts.ngettext("{number} second", "{number} seconds", max(1, round(seconds)))


def megabytes(count: int) -> str:
    """A number of bytes in MB, with no more digits than it takes."""
    return f"{count / 1_000_000:.6f}".rstrip("0").rstrip(".")
