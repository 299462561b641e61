"""Draws a report as a PDF of A4 pages, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from itertools import groupby

from server.web.paper import INK, MARGIN, MUTED, WIDTH, Colour, Paper
from unmask.findings import Kind
from unmask.i18n import Texts
from unmask.report import Check, Face, Report, Verdict, shown_percent
from unmask.wording.evidence import (
    NOTHING_TOLD,
    WEIGHTS,
    evidence_sentence,
    headline,
    report_statement,
    shown_verdict,
)
from unmask.wording.kinds import about
from unmask.wording.reports import CAVEATS, VERDICTS, reasons, warning_sentences

COLOURS: dict[Verdict, Colour] = {
    Verdict.FAKE: (184, 70, 0),
    Verdict.UNSURE: (122, 92, 0),
    Verdict.REAL: (11, 106, 160),
    Verdict.NO_FACE: MUTED,
}
#: Millimetres.
PICTURE_HEIGHT, CROP = 112.0, 22.0


def report_pdf(
    texts: Texts, check: Check, report: Report, annotated: bytes, faces: Sequence[bytes | None]
) -> bytes:
    """The report of a check as a PDF. ``annotated`` is a JPEG, as is each crop of ``faces``, in
    order."""
    paper = Paper(texts, texts.gettext("Unmask report"), f"Unmask {check.id}")
    colour = COLOURS[shown_verdict(report)]
    paper.say(texts.gettext("Unmask report"), 9, MUTED)
    paper.ln(1)
    paper.say(headline(texts, report), 22, colour, "B")
    paper.ln(1)
    paper.say(report_statement(texts, report), 11.5)
    paper.ln(4)
    size = report.image
    scale = min(WIDTH / size.width, PICTURE_HEIGHT / size.height)
    paper.image(
        BytesIO(annotated),
        w=size.width * scale,
        h=size.height * scale,
        alt_text=texts.gettext("The picture, with a box around each face that was found."),
    )
    paper.ln(5)
    paper.say(texts.gettext("What this does not mean"), 10, INK, "B")
    paper.say(texts.gettext(CAVEATS[report.verdict]), 10)
    for number, face in enumerate(report.faces):
        _face(paper, texts, number, face, faces[number] if number < len(faces) else None)
    paper.rule()
    _evidence(paper, texts, report)
    paper.rule()
    _facts(paper, texts, check, report)
    return bytes(paper.output())


def _face(paper: Paper, texts: Texts, number: int, face: Face, crop: bytes | None) -> None:
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
            alt_text=texts.gettext("Face {number}", number=number + 1),
        )
    paper.set_left_margin(MARGIN + CROP + 6)
    paper.set_y(top + 2)
    head = texts.gettext(
        "Face {number}: {verdict}", number=number + 1, verdict=texts.gettext(VERDICTS[face.verdict])
    )
    paper.say(head, 10.5, COLOURS[face.verdict], "B")
    percent = shown_percent(face.fake_probability)
    paper.say(
        texts.gettext("Probability that it was manipulated: {percent} %", percent=percent), 10
    )
    x, y, width, height = face.box
    place = texts.gettext(
        "{width} x {height} pixels at ({x}, {y})", width=width, height=height, x=x, y=y
    )
    fraction = round(100 * face.tampered_fraction)
    marked = texts.gettext("{percent} % of it marked", percent=fraction) if fraction else ""
    paper.say("; ".join(filter(None, [reasons(texts, face), place, marked])), 9, MUTED)
    paper.set_left_margin(MARGIN)
    paper.set_xy(MARGIN, max(paper.get_y(), top + CROP))


def _evidence(paper: Paper, texts: Texts, report: Report) -> None:
    """What the file tells, and what each kind of it does not show."""
    paper.say(texts.gettext("What the file tells"), 10, INK, "B")
    if not report.evidence:
        paper.say(texts.gettext(NOTHING_TOLD), 9, MUTED)
    by_kind = sorted(report.evidence, key=lambda finding: list(Kind).index(finding.kind))
    for kind, findings in groupby(by_kind, key=lambda finding: finding.kind):
        paper.ln(1.5)
        paper.say(about(texts, kind).title, 9.5, INK, "B")
        for finding in findings:
            weight = texts.gettext(WEIGHTS[finding.weight])
            paper.say(f"{evidence_sentence(texts, finding)} ({weight})", 9)
        limits = texts.gettext("Does not show: {text}", text=about(texts, kind).shows_not)
        paper.say(limits, 8, MUTED)


def _facts(paper: Paper, texts: Texts, check: Check, report: Report) -> None:
    size, model, gettext = report.image, report.model, texts.gettext
    lines = [
        gettext(
            "Picture: {width} x {height} pixels, {format}",
            width=size.width,
            height=size.height,
            format=size.format,
        ),
        gettext("SHA-256 of the file: {sha256}", sha256=report.sha256),
        gettext("Asked for: {time}", time=f"{check.created:%Y-%m-%d %H:%M:%S %Z}"),
        gettext(
            "Model: {name} {version}, SHA-256 {sha256}",
            name=model.name,
            version=model.version,
            sha256=model.sha256,
        ),
        gettext("Threshold of the mask: {threshold}", threshold=f"{report.threshold:.2f}"),
        *(
            gettext("Note: {warning}", warning=warning)
            for warning in warning_sentences(texts, report)
        ),
    ]
    for line in lines:
        paper.say(line, 8, MUTED)
