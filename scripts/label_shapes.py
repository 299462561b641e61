"""Draws the letters of labels ("AI generated") that ``unmask/evidence/visible`` looks for.

Run it from the root of the repository, with the font files that it names in ``FONTS`` in the
folders given::

    python -m scripts.label_shapes FOLDER ...

They come from the packages ``fontpkg-roboto`` (3.15), ``fontpkg-inter`` (4.1.post1),
``fontpkg-montserrat`` (9.0), ``fontpkg-source-sans-3`` (3.52), ``fontpkg-noto-sans`` (2.15) and, on
npm, ``@expo-google-fonts/noto-sans-sc`` and ``@expo-google-fonts/noto-sans-kr`` (0.4.3); all are
under the SIL Open Font License 1.1, which leaves pictures drawn with a font free. No font is kept:
only each letter's picture, of a few hundred pixels.
"""

from __future__ import annotations

import sys
from glob import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from unmask.evidence.visible.glyphs import ABOVE, BELOW, CAPITAL, FILE
from unmask.evidence.visible.phrases import letters

#: Fonts by file name, the weight that a variable one is drawn in, and whether it is of Asia's.
FONTS = (
    ("NotoSans[wdth,wght].ttf", 400, False),
    ("NotoSans[wdth,wght].ttf", 700, False),
    ("Roboto[wdth,wght].ttf", 400, False),
    ("Roboto[wdth,wght].ttf", 700, False),
    ("Inter[opsz,wght].ttf", 400, False),
    ("Inter[opsz,wght].ttf", 700, False),
    ("Montserrat[wght].ttf", 500, False),
    ("SourceSans3[wght].ttf", 400, False),
    ("NotoSansSC_400Regular.ttf", 0, True),
    ("NotoSansSC_700Bold.ttf", 0, True),
    ("NotoSansKR_400Regular.ttf", 0, True),
    ("NotoSansKR_700Bold.ttf", 0, True),
)
#: How often finer than it is kept a letter is drawn.
_FINE = 4
#: How large Asia's letters are beside capitals differs from font to font.
_SIZES = (0.93, 1.0, 1.07)
#: The first letter of China's and Japan's block, and of Korea's.
_HAN, _HANGUL = 0x4E00, 0xAC00


def main(folders: list[str]) -> None:
    """Write the shapes."""
    pixels, letters_drawn, widths = [], [], []
    for name, weight, is_asian in FONTS:
        path = next(path for folder in folders for path in Path(folder).rglob(escape(name)))
        for size in _SIZES if is_asian else (1.0,):
            font = _opened(path, weight, size)
            for letter in letters():
                if _belongs(letter, name, is_asian):
                    shape = _drawn(font, letter)
                    pixels.append(shape)
                    letters_drawn.append(letter)
                    widths.append(shape.shape[1])
    np.savez_compressed(
        FILE,
        letters=np.array(letters_drawn),
        widths=np.array(widths, np.uint8),
        pixels=np.concatenate(pixels, axis=1),
    )


def _belongs(letter: str, name: str, is_asian: bool) -> bool:
    """Whether a font has a letter's own script: Latin from the Latin ones alone."""
    code = ord(letter)
    if not is_asian:
        return code < _HAN
    return code >= _HANGUL if "KR" in name else _HAN <= code < _HANGUL


def _opened(path: Path, weight: int, larger: float) -> ImageFont.FreeTypeFont:
    """The font at the size at which its A is ``CAPITAL`` pixels high, times ``larger``."""
    size = CAPITAL * _FINE
    for _ in range(3):
        font = ImageFont.truetype(path, size)
        if weight:
            values = {b"Weight": weight, b"Width": 100, b"Optical Size": 14, b"Optical size": 14}
            axes = font.get_variation_axes()
            font.set_variation_by_axes([values[axis["name"]] for axis in axes])
        box = font.getbbox("A", anchor="ls")
        size = round(size * CAPITAL * _FINE * larger / (box[3] - box[1]))
    return font


def _drawn(font: ImageFont.FreeTypeFont, letter: str) -> npt.NDArray[np.uint8]:
    """A letter in white on black, (rows, its width): trimmed to its ink at both sides."""
    left, _, right, _ = font.getbbox(letter, anchor="ls")
    wide = -(-(right - left) // _FINE)
    canvas = Image.new("L", (wide * _FINE, (ABOVE + CAPITAL + BELOW) * _FINE))
    at = (-left + (wide * _FINE - (right - left)) // 2, (ABOVE + CAPITAL) * _FINE)
    ImageDraw.Draw(canvas).text(at, letter, fill=255, font=font, anchor="ls")
    return np.asarray(canvas.reduce(_FINE))


if __name__ == "__main__":
    main(sys.argv[1:])
