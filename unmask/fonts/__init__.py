"""The fonts of PDFs and of labels on pictures: Noto Sans, under the SIL Open Font License.

They hold the characters of our languages alone; ``python -m scripts.fonts`` makes them. OFL.txt is
the licence.
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
#: The script of each language, by its name in a file's and by that of ISO 15924.
LATIN = ("latin", "Latn")
SCRIPTS = {"hi": ("devanagari", "Deva"), "te": ("telugu", "Telu")}

#: The letters of scripts that a font of Latin letters lacks.
_LETTERS = {"hi": (0x900, 0x97F), "te": (0xC00, 0xC7F)}


def font_file(language: str, *, bold: bool = False) -> Path:
    """The font for a language. It has the Latin letters and the digits too."""
    script, _ = SCRIPTS.get(language, LATIN)
    return HERE / f"{script}-{'bold' if bold else 'regular'}.ttf"


def font_language(text: str, language: str) -> str:
    """The language whose font has the letters of a text: that of its script if it is one of ours
    with letters of its own, else the reader's, ``language``."""
    for other, (first, last) in _LETTERS.items():
        if any(first <= ord(character) <= last for character in text):
            return other
    return language


def script_tag(language: str) -> str:
    """The script of a language as ISO 15924 names it."""
    return SCRIPTS.get(language, LATIN)[1]


def needs_shaping(language: str) -> bool:
    """Whether the letters of a language join and change their order, which a layout engine does."""
    return language in SCRIPTS
