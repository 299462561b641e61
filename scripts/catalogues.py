"""Keeps the catalogues of the rooms (``ROOM/locales``) in step with their texts.

Run it from the root of the repository: ``python -m scripts.catalogues``. It adds new texts to each
catalogue, untranslated, drops those that are said no more, and compiles what is translated. For a
language that is new in ``unmask/i18n.py`` it makes the catalogues. A test fails while a catalogue
is not complete or not compiled.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from unmask.i18n import DEFAULT, DOMAIN, LANGUAGES

ROOT = Path(__file__).parents[1]
#: The heart's catalogue has the words that several rooms say; the others have their own words.
HEART, ROOMS = "unmask", ("unmask", "server", "bot")
#: The functions whose first arguments are texts (unmask/i18n.py; ``markup`` in templates).
KEYWORDS = {
    "gettext": None,
    "gettext_noop": None,
    "markup": None,
    "ngettext": (1, 2),
    "ngettext_noop": (1, 2),
}
METHODS = [("**.py", "python"), ("**.html", "jinja2")]


def texts(room: str) -> Catalog:
    """The texts of a room that the heart does not have, with the files that say them."""
    catalogue = Catalog(project="Unmask", charset="utf-8")
    heart = texts(HEART) if room != HEART else Catalog()
    extracted = extract_from_dir(ROOT / room, METHODS, keywords=KEYWORDS)
    for name, _, message, _, _ in sorted(extracted, key=lambda text: (text[0], text[1])):
        if message not in heart:
            # without line numbers, or every change of a file would change every catalogue
            place = [(f"{room}/{name}", 0)]
            catalogue.add(message, locations=place, flags=["python-brace-format"])
    return catalogue


def languages() -> list[str]:
    """The languages that have catalogues: all but that of the code."""
    return sorted(set(LANGUAGES) - {DEFAULT})


def path(room: str, language: str) -> Path:
    """The file of a room's catalogue in a language."""
    return ROOT / room / "locales" / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(room: str, language: str) -> Catalog:
    """A room's catalogue in a language; an empty one if it is not there yet."""
    file = path(room, language)
    if not file.exists():
        return Catalog(locale=language, domain=DOMAIN, project="Unmask", charset="utf-8")
    with file.open("rb") as source:
        return read_po(source, locale=language, domain=DOMAIN)


def catalogues() -> Iterator[tuple[str, str]]:
    """Each room with each language."""
    yield from ((room, language) for room in ROOMS for language in languages())


def main() -> None:
    """Update and compile every catalogue."""
    for room, language in catalogues():
        template, catalogue, file = texts(room), read(room, language), path(room, language)
        template.creation_date = catalogue.creation_date  # or each run would change each file
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as target:
            write_po(target, catalogue, width=96, omit_header=False, include_lineno=False)
        with file.with_suffix(".mo").open("wb") as target:
            write_mo(target, catalogue)


if __name__ == "__main__":
    main()
