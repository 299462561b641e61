"""Text drawn onto pictures: lines of letters on a ground of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from unmask.detector.align import Pixels
from unmask.detector.encoding import RGB, Order
from unmask.fonts import font_file, needs_shaping, script_tag
from unmask.i18n import DEFAULT, Texts, texts_in

Colour = tuple[int, int, int]
Size = tuple[int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

BLACK, WHITE = (0, 0, 0), (255, 255, 255)
#: The size of the font and the place of the baseline, in heights of a line: first of Pillow's own
#: font, which English is drawn in, then by script. Marks above and below the letters need room.
OWN_FIT = (1.0, 0.84)
FITS = {"Latn": (0.92, 0.84), "Deva": (0.84, 0.80), "Telu": (0.80, 0.72)}
#: The largest letters whose ink is kept, in pixels: larger ink would take megabytes, and to draw it
#: is little beside decoding its picture.
_KEPT_LETTER = 40
#: The ink of a pixel that lies within a letter.
_INK = 255


def texts_to_draw(language: str) -> Texts:
    """The texts of a language, or English ones where its letters cannot be drawn.

    Letters that join and change their order (Devanagari, Telugu) need Pillow's layout engine Raqm,
    which needs FriBiDi on the machine.
    """
    if needs_shaping(language) and not features.check("raqm"):
        return texts_in(DEFAULT)
    return texts_in(language)


@dataclass(frozen=True)
class Plate:
    """Lines of text of ``letter`` pixels on a ground."""

    lines: tuple[str, ...]
    letter: int
    ground: Colour
    colour: Colour = BLACK
    opacity: float = 1.0
    bold: bool = False
    language: str = DEFAULT

    @cached_property
    def size(self) -> Size:
        """Width and height, with the margin, in pixels."""
        widest = max(_length(line, self.letter, self.language, self.bold) for line in self.lines)
        height = self.letter + (len(self.lines) - 1) * self._pitch + self._margin * 3 // 2
        return round(widest + 2 * (self._margin + self._stroke)), height

    @property
    def _margin(self) -> int:
        return max(2, round(self.letter * 0.28))

    @property
    def _pitch(self) -> int:
        return round(self.letter * 1.25)

    @property
    def _font(self) -> Font:
        return _font(self.letter, self.language, self.bold)

    @property
    def _stroke(self) -> float:
        """The font of English has one weight; a stroke makes it bold."""
        return self.letter / 30 if self.bold and self.language == DEFAULT else 0

    def ink(self) -> Pixels:
        """How much of the text's colour is in each pixel (h, w), 0 to 255; not to be written to."""
        return _kept_ink(self) if self.letter <= _KEPT_LETTER else self.drawn()

    def drawn(self) -> Pixels:
        """The ink, drawn again."""
        paper = Image.new("L", self.size)
        pen = ImageDraw.Draw(paper)
        baseline = _fit(self.language)[1]
        for row, line in enumerate(self.lines):
            place = (
                self._margin + self._stroke,
                self._margin * 3 // 4 + round(self.letter * baseline) + row * self._pitch,
            )
            font, stroke = self._font, self._stroke
            pen.text(place, line, fill=255, font=font, anchor="ls", stroke_width=stroke)
        return np.asarray(paper)


def paste(canvas: Pixels, plate: Plate, x: int, y: int, order: Order = RGB) -> None:
    """Blend a plate into the picture, its top left corner at (x, y); what lies outside is cut.
    ``order`` is that of the picture's colours.

    The ground is looked up for each of 256 levels; only the edges of the letters are computed.
    """
    part = canvas[y : y + plate.size[1], x : x + plate.size[0]]
    ink = plate.ink()[: part.shape[0], : part.shape[1]]
    ground, colour = (np.array(value[order], np.float32) for value in (plate.ground, plate.colour))
    levels = np.arange(256, dtype=np.float32)[:, None] * np.float32(1 - plate.opacity)
    grounds = levels + ground * np.float32(plate.opacity)
    rows, columns = np.nonzero(cv2.inRange(ink, 1, _INK - 1))
    under = grounds[part[rows, columns], np.arange(3)]
    share = ink[rows, columns, None] / np.float32(_INK)
    part[:] = cv2.LUT(part, np.round(grounds).astype(np.uint8)[None])
    part[ink == _INK] = plate.colour[order]
    part[rows, columns] = np.round(under + (colour - under) * share)


def wrapped(parts: list[str], letter: int, width: int, language: str = DEFAULT) -> tuple[str, ...]:
    """Words in as few lines as ``width`` pixels allow; each part begins a line."""
    lines: list[str] = []
    for part in parts:
        lines.append("")
        for word in part.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and _length(longer, letter, language, False) + letter > width:
                lines.append(word)
            else:
                lines[-1] = longer
    return tuple(lines)


def _fit(language: str) -> tuple[float, float]:
    return OWN_FIT if language == DEFAULT else FITS[script_tag(language)]


@lru_cache(maxsize=32)
def _kept_ink(plate: Plate) -> Pixels:
    """A plate's ink: most pictures of one size have the same legend and one of few labels."""
    return plate.drawn()


@lru_cache(maxsize=1024)
def _length(words: str, letter: int, language: str, bold: bool) -> float:
    """How wide words are, in pixels."""
    return _font(letter, language, bold).getlength(words)


@lru_cache(maxsize=256)
def _font(size: int, language: str, bold: bool) -> Font:
    """A scalable font that comes along, so that every machine draws the same."""
    if language == DEFAULT:
        return ImageFont.load_default(size)
    shaping = needs_shaping(language)
    engine = ImageFont.Layout.RAQM if shaping else ImageFont.Layout.BASIC
    file, pixels = font_file(language, bold=bold), size * _fit(language)[0]
    return ImageFont.truetype(file, pixels, layout_engine=engine)
