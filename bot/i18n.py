"""Every text in the language of whoever reads it, by gettext catalogues in ``bot/locales``."""

from __future__ import annotations

import gettext
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

LOCALES = Path(__file__).parent / "locales"
#: The languages, each by its own name.
LANGUAGES = {
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "de": "Deutsch",
    "hi": "हिन्दी",
    "te": "తెలుగు",
}
DEFAULT = "en"


def later(message: str) -> str:
    """Marks a text for the catalogues that is said elsewhere."""
    return message


class Words:
    """Says texts in one language. Placeholders are those of :meth:`str.format`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts: gettext.NullTranslations = (
            gettext.NullTranslations()
            if language == DEFAULT
            else gettext.translation("unmask", LOCALES, [language])
        )

    def say(self, message: str, **values: Any) -> str:
        """``message`` in this language, with the values put in."""
        return self._texts.gettext(message).format(**values)

    def count(self, one: str, many: str, number: int, **values: Any) -> str:
        """``one`` or ``many``, as the language counts; ``number`` is put in as ``{number}``."""
        return self._texts.ngettext(one, many, number).format(number=number, **values)


@cache
def words(language: str) -> Words:
    """The words of a language that the bot has."""
    return Words(language if language in LANGUAGES else DEFAULT)


def language_of(codes: Iterable[str | None]) -> str:
    """The first of some IETF tags (``pt-BR``) whose language the bot has, else English."""
    for code in codes:
        language = (code or "").partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return DEFAULT
