"""The bot's texts in the user's language: its own, in ``bot/locales``, and those of all rooms."""

from __future__ import annotations

from pathlib import Path

from unmask import i18n

LOCALES = Path(__file__).parent / "locales"


def texts_in(language: str) -> i18n.Texts:
    """The texts of a language; of English if that is none of ours."""
    return i18n.texts_in(language, LOCALES)
