"""Keeps the bot's catalogues (``bot/locales``) in step with its texts.

Run it from the root of the repository: ``python -m scripts.catalogues``. It adds new texts to each
catalogue, untranslated, drops those that are said no more, and compiles what is translated.
A test fails while a catalogue is not complete or not compiled.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
LOCALES = ROOT / "bot" / "locales"
#: The functions whose first arguments are texts (bot/i18n.py, unmask/i18n.py).
KEYWORDS: dict[str, Any] = {
    "gettext": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_noop": (1, 2),
}
DOMAIN = "unmask"


def texts() -> Catalog:
    """All texts, with the files that say them."""
    catalogue = Catalog(project="Unmask", charset="utf-8")
    for room in ("bot", "unmask"):
        found = extract_from_dir(ROOT / room, [("**.py", "python")], keywords=KEYWORDS)
        for name, _, message, _, _ in sorted(found):
            # without line numbers, or every change of a file would change every catalogue
            catalogue.add(message, locations=[(f"{room}/{name}", 0)], flags=["python-brace-format"])
    return catalogue


def paths() -> dict[str, Path]:
    """Each language with its catalogue."""
    return {path.parts[-3]: path for path in sorted(LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))}


def read(language: str, path: Path) -> Catalog:
    """One catalogue."""
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def main() -> None:
    """Update and compile every catalogue."""
    template = texts()
    for language, path in paths().items():
        catalogue = read(language, path)
        template.creation_date = catalogue.creation_date  # or each run would change each file
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, catalogue, width=96, omit_header=False, include_lineno=False)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalogue)


if __name__ == "__main__":
    main()
