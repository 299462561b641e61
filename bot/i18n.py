"""The bot's texts in the reader's language, from the gettext catalogues in ``bot/locales``."""

from __future__ import annotations

import gettext
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from unmask.i18n import gettext_noop

__all__ = ["DEFAULT", "LANGUAGES", "Texts", "gettext_noop", "language_of", "texts_in"]

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


class Texts:
    """The texts of one language. Placeholders are those of :meth:`str.format`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._catalogue: gettext.NullTranslations = (
            gettext.NullTranslations()
            if language == DEFAULT
            else gettext.translation("unmask", LOCALES, [language])
        )

    def gettext(self, message: str, **values: Any) -> str:
        """The translation of ``message``, with the values filled in."""
        return self._catalogue.gettext(message).format(**values)

    def ngettext(self, singular: str, plural: str, number: int, **values: Any) -> str:
        """The translation in the plural form for ``number``, which fills ``{number}``."""
        message = self._catalogue.ngettext(singular, plural, number)
        return message.format(number=number, **values)


@cache
def texts_in(language: str) -> Texts:
    """The texts of a language; of English if the bot does not have that language."""
    return Texts(language if language in LANGUAGES else DEFAULT)


def language_of(codes: Iterable[str | None]) -> str:
    """The first of some IETF tags (``pt-BR``) whose language the bot has, else English."""
    for code in codes:
        language = (code or "").partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return DEFAULT
