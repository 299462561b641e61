"""An A4 sheet of our PDFs: its margins, its foot, and its fonts by the script of the text."""

from __future__ import annotations

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

from unmask.fonts import font_file, font_language, script_tag
from unmask.i18n import Texts

Colour = tuple[int, int, int]
INK: Colour = (27, 29, 34)
MUTED: Colour = (92, 97, 107)
LINE: Colour = (214, 210, 202)
#: Millimetres.
MARGIN, WIDTH = 18.0, 174.0


class Paper(FPDF):
    """An A4 sheet with our margins and a foot."""

    def __init__(self, texts: Texts, title: str, foot: str) -> None:
        super().__init__(format="A4")
        self._texts = texts
        self._foot = foot
        self.set_margins(MARGIN, MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(True, 20)
        self.set_title(title)
        self.set_lang(texts.language)
        self.add_page()

    def footer(self) -> None:
        """The foot of each page."""
        self.set_y(-14)
        page = self._texts.gettext("page {number} of {total}", number=self.page_no(), total="{nb}")
        self.say(f"{self._foot}   {page}", 7.5, MUTED)

    def say(
        self, text: str, size: float, colour: Colour = INK, style: str = "", link: str = ""
    ) -> None:
        """Lines over the whole width, each in the script that it is written in; ``link`` is where
        a click on them leads."""
        self.set_text_color(*colour)
        for line in text.splitlines():
            self._use_font(font_language(line, self._texts.language), style, size)
            self.multi_cell(
                0, size * 0.5, line, align="L", link=link, new_x=XPos.LMARGIN, new_y=YPos.NEXT
            )

    def can_say(self, text: str) -> bool:
        """Whether the fonts have every character of a text."""
        for line in text.splitlines():
            language = font_language(line, self._texts.language)
            self._use_font(language, "", 10)
            font = self.fonts[_family(language)]
            known = font.cmap if isinstance(font, TTFFont) else {}
            if any(ord(letter) not in known for letter in line if not letter.isspace()):
                return False
        return True

    def _use_font(self, language: str, style: str, size: float) -> None:
        family = _family(language)
        if family not in self.fonts:
            self.add_font(family, "", font_file(language))
            self.add_font(family, "B", font_file(language, bold=True))
        # The script is named since it is guessed by the first letter, which may be a Latin one.
        self.set_text_shaping(True, script=script_tag(language), language=language)
        self.set_font(family, style, size)

    def rule(self) -> None:
        """A thin line with room around it."""
        self.ln(3)
        self.set_draw_color(*LINE)
        self.line(MARGIN, self.get_y(), MARGIN + WIDTH, self.get_y())
        self.ln(3)


def _family(language: str) -> str:
    """The name under which a sheet knows the font for a language, in small letters."""
    return script_tag(language).lower()
