"""Makes the fonts of PDFs and of labels on pictures (``unmask/fonts``) from Google's Noto Sans.

Run it from the root of the repository, with the folders that the packages ``fontpkg-noto-sans``
(2.15), ``fontpkg-noto-sans-devanagari`` (2.7) and ``fontpkg-noto-sans-telugu`` (2.5) hold their
fonts in::

    python -m scripts.fonts fontpkg_noto_sans/files ...

Each variable font becomes a regular and a bold one with the characters of our languages alone,
which take a tenth of the room.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

FONTS = Path(__file__).parents[1] / "unmask" / "fonts"
WEIGHTS = {"regular": 400, "bold": 700}
#: What all scripts share: Latin with its accents, and the punctuation and signs of our texts.
SHARED = [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2010, 0x2030), 0x2039, 0x203A, 0x20AC]
#: The script by the name of its font, and the characters that it needs beside the shared ones.
SCRIPTS = {
    "NotoSans[wdth,wght].ttf": ("latin", range(0)),
    "NotoSansDevanagari[wdth,wght].ttf": ("devanagari", range(0x900, 0x980)),
    "NotoSansTelugu[wdth,wght].ttf": ("telugu", range(0xC00, 0xC80)),
}
#: Joins or parts letters; 0x25CC holds a vowel sign that stands alone.
JOINERS = [0x200C, 0x200D, 0x25CC]


def main(folders: list[str]) -> None:
    """Write the fonts."""
    for folder in folders:
        for name, (script, characters) in SCRIPTS.items():
            source = Path(folder) / name
            if source.exists():
                for style, weight in WEIGHTS.items():
                    font = TTFont(source)
                    instantiateVariableFont(font, {"wght": weight, "wdth": 100}, inplace=True)
                    _reduce(font, [*SHARED, *characters, *JOINERS])
                    font.save(FONTS / f"{script}-{style}.ttf")


def _reduce(font: TTFont, characters: list[int]) -> None:
    options = Options()
    options.layout_features = ["*"]  # the letters of Devanagari and Telugu join by them
    options.hinting = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]  # names and licence
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)


if __name__ == "__main__":
    main(sys.argv[1:])
