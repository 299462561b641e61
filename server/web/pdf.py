"""Draws a report as a PDF of A4 pages."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from server.web.texts import CAVEATS, VERDICTS
from unmask.report import Check, Face, Report, Verdict, shown_percent

Colour = tuple[int, int, int]
INK: Colour = (27, 29, 34)
MUTED: Colour = (92, 97, 107)
LINE: Colour = (214, 210, 202)
COLOURS: dict[Verdict, Colour] = {
    Verdict.FAKE: (184, 70, 0),
    Verdict.UNSURE: (122, 92, 0),
    Verdict.REAL: (11, 106, 160),
    Verdict.NO_FACE: MUTED,
}
#: Millimetres.
MARGIN, WIDTH, PICTURE_HEIGHT, CROP = 18.0, 174.0, 112.0, 22.0


class _Paper(FPDF):
    """An A4 sheet with our margins and a foot."""

    def __init__(self, foot: str) -> None:
        super().__init__(format="A4")
        self._foot = foot
        self.set_margins(MARGIN, MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(True, 20)
        self.set_title("Unmask report")
        self.set_lang("en-GB")
        self.add_page()

    def footer(self) -> None:
        """The foot of each page."""
        self.set_y(-14)
        self.say(f"{self._foot}   page {self.page_no()}/{{nb}}", 7.5, MUTED)

    def say(self, text: str, size: float, colour: Colour = INK, style: str = "") -> None:
        """A paragraph over the whole width."""
        self.set_font("Helvetica", style, size)
        self.set_text_color(*colour)
        self.multi_cell(0, size * 0.5, _plain(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def rule(self) -> None:
        """A thin line with room around it."""
        self.ln(3)
        self.set_draw_color(*LINE)
        self.line(MARGIN, self.get_y(), MARGIN + WIDTH, self.get_y())
        self.ln(3)


def report_pdf(
    check: Check, report: Report, annotated: bytes, faces: Sequence[bytes | None]
) -> bytes:
    """The report of a check as a PDF. ``annotated`` is a JPEG, as is each crop of ``faces``, in
    order."""
    paper = _Paper(f"Unmask {check.id}")
    colour = COLOURS[report.verdict]
    paper.say("Unmask report", 9, MUTED)
    paper.ln(1)
    paper.say(VERDICTS[report.verdict], 22, colour, "B")
    paper.ln(1)
    paper.say(report.statement, 11.5)
    paper.ln(4)
    size = report.image
    scale = min(WIDTH / size.width, PICTURE_HEIGHT / size.height)
    paper.image(
        BytesIO(annotated),
        w=size.width * scale,
        h=size.height * scale,
        alt_text="The picture, with a box around each face that was found.",
    )
    paper.ln(5)
    paper.say("What this does not mean", 10, INK, "B")
    paper.say(CAVEATS[report.verdict], 10)
    for number, face in enumerate(report.faces):
        _face(paper, number, face, faces[number] if number < len(faces) else None)
    paper.rule()
    _facts(paper, check, report)
    return bytes(paper.output())


def _face(paper: _Paper, number: int, face: Face, crop: bytes | None) -> None:
    paper.rule()
    if paper.will_page_break(CROP):
        paper.add_page()
    top = paper.get_y()
    if crop is not None:
        paper.image(
            BytesIO(crop),
            x=MARGIN,
            y=top,
            h=CROP,
            w=CROP,
            keep_aspect_ratio=True,
            alt_text=f"Face {number + 1}.",
        )
    paper.set_left_margin(MARGIN + CROP + 6)
    paper.set_y(top + 2)
    paper.say(f"Face {number + 1}: {VERDICTS[face.verdict]}", 10.5, COLOURS[face.verdict], "B")
    paper.say(f"Probability that it was manipulated: {shown_percent(face.fake_probability)} %", 10)
    x, y, width, height = face.box
    marked = (
        f"; {face.tampered_fraction:.0%} of the face is marked" if face.tampered_fraction else ""
    )
    paper.say(f"{width} x {height} pixels at ({x}, {y}){marked}", 9, MUTED)
    paper.set_left_margin(MARGIN)
    paper.set_xy(MARGIN, max(paper.get_y(), top + CROP))


def _facts(paper: _Paper, check: Check, report: Report) -> None:
    size, model = report.image, report.model
    lines = [
        f"Picture: {size.width} x {size.height} pixels, {size.format}",
        f"SHA-256 of the file: {report.sha256}",
        f"Asked for: {check.created:%Y-%m-%d %H:%M:%S %Z}",
        f"Model: {model.name} {model.version}, SHA-256 {model.sha256}",
        f"Threshold of the mask: {report.threshold:.2f}",
        *(f"Note: {warning}" for warning in report.warnings),
    ]
    for line in lines:
        paper.say(line, 8, MUTED)


def _plain(text: str) -> str:
    """The fonts that every reader has know Latin-1; what is beyond it becomes a question mark."""
    return text.encode("latin-1", "replace").decode("latin-1")
