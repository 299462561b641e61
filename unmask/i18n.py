"""Texts in a reader's language, from the gettext catalogues of the rooms.

The words that several rooms say (verdicts, warnings, errors) have their catalogue here, in
``unmask/locales``; a room with words of its own has another beside its code. All of them are kept
by ``python -m scripts.catalogues``.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

LOCALES = Path(__file__).parent / "locales"
DOMAIN = "unmask"
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


def gettext_noop(message: str) -> str:
    """The message itself; marks it for the catalogues, because another module translates it."""
    return message


def ngettext_noop(singular: str, plural: str) -> tuple[str, str]:
    """Both forms themselves; marks them for the catalogues."""
    return singular, plural


class Texts:
    """The texts of one language. Placeholders are those of :meth:`str.format`."""

    def __init__(self, language: str, room: Path | None = None) -> None:
        """``room`` is the folder with a room's own catalogues, which are looked into first."""
        self.language = language
        self._catalogue = _catalogue(language, LOCALES)
        if room is not None:
            own = _catalogue(language, room)
            own.add_fallback(self._catalogue)
            self._catalogue = own

    def gettext(self, message: str, **values: Any) -> str:
        """The translation of ``message``, with the values filled in."""
        return self._catalogue.gettext(message).format(**values)

    def template(self, message: str) -> str:
        """The translation of ``message``, its placeholders left open."""
        return self._catalogue.gettext(message)

    def ngettext(self, singular: str, plural: str, number: int, **values: Any) -> str:
        """The translation in the plural form for ``number``, which fills ``{number}``."""
        message = self._catalogue.ngettext(singular, plural, number)
        return message.format(number=number, **values)


def _catalogue(language: str, folder: Path) -> gettext.NullTranslations:
    if language == DEFAULT:
        return gettext.NullTranslations()
    with (folder / language / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


@cache
def texts_in(language: str, room: Path | None = None) -> Texts:
    """The texts of a language; of English if that is none of ours."""
    return Texts(language if language in LANGUAGES else DEFAULT, room)


def language_of(tags: Iterable[str | None]) -> str:
    """The first of some IETF tags (``pt-BR``) whose language is one of ours, else English."""
    for tag in tags:
        language = (tag or "").partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return DEFAULT


def terminal_language(environment: Mapping[str, str] = os.environ) -> str:
    """The language of a terminal's messages, by the variables of POSIX: the first that is set of
    ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` decides."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environment[name] for name in names if environment.get(name)), "")
    return language_of([locale.replace("_", "-").replace(".", "-")])
