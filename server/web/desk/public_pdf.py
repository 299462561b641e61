"""Draws the public report of a case as a PDF of A4 pages, in the reader's language."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

from desk.cases import PublicReport
from desk.vocabulary import HumanVerdict
from server.web.desk import texts as words
from server.web.paper import INK, MUTED, WIDTH, Colour, Paper
from unmask.i18n import Texts
from unmask.report import shown_percent

#: The colours of the marks on the page.
COLOURS: dict[HumanVerdict, Colour] = {
    HumanVerdict.AUTHENTIC: (11, 106, 160),
    HumanVerdict.MANIPULATED: (184, 70, 0),
    HumanVerdict.GENERATED: (184, 70, 0),
    HumanVerdict.OUT_OF_CONTEXT: (122, 92, 0),
    HumanVerdict.CANNOT_TELL: MUTED,
}
#: Millimetres.
PICTURE_HEIGHT = 112.0
#: The colours of a verdict that is looked at again, and of a link.
REVIEW: Colour = COLOURS[HumanVerdict.OUT_OF_CONTEXT]
LINK: Colour = (11, 87, 150)


def public_report_pdf(
    texts: Texts, report: PublicReport, address: str, picture: bytes | None
) -> bytes:
    """The report at ``address`` as a PDF; ``picture`` is a JPEG. Of a withdrawn report it says that
    it was withdrawn, and why, as the page does."""
    gettext = texts.gettext
    is_shown = report.withdrawn_at is None
    title = report.title if is_shown else gettext("This report was withdrawn")
    paper = Paper(texts, title, report.team)
    paper.set_author(report.team)
    paper.say(report.team, 9, MUTED)
    paper.say(address, 9, LINK, link=address)
    paper.ln(1)
    paper.say(title, 20, INK, "B")
    paper.ln(2)
    if report.withdrawn_at is not None:
        paper.say(_moment(report.withdrawn_at), 10, MUTED)
    else:
        _verdict(paper, texts, report, picture)
        _texts(paper, texts, report)
        _facts(paper, texts, report)
    if report.corrections:
        _head(paper, gettext("Corrections"))
        for correction in report.corrections:
            paper.say(f"{_moment(correction.at)}: {correction.note}", 10)
    if not all(map(paper.can_say, _everything(report) if is_shown else [])):
        paper.ln(3)
        paper.say(gettext("This PDF lacks letters of some texts; the page has them all."), 9, MUTED)
    return bytes(paper.output())


def _verdict(paper: Paper, texts: Texts, report: PublicReport, picture: bytes | None) -> None:
    gettext = texts.gettext
    if report.under_review:
        paper.say(
            gettext("This verdict is under review."), 11, COLOURS[HumanVerdict.OUT_OF_CONTEXT]
        )
        paper.ln(1)
    paper.say(gettext(words.VERDICTS[report.verdict]), 16, COLOURS[report.verdict], "B")
    parts = [gettext(words.CONFIDENCES[report.confidence])]
    if report.by_second:
        parts.append(gettext("two people agree"))
    paper.say(" · ".join(parts), 10, MUTED)
    if picture is not None:
        paper.ln(3)
        paper.image(
            BytesIO(picture),
            w=WIDTH,
            h=PICTURE_HEIGHT,
            keep_aspect_ratio=True,
            alt_text=gettext("The photo that was checked"),
        )


def _texts(paper: Paper, texts: Texts, report: PublicReport) -> None:
    """What people wrote, in the order of the page."""
    gettext = texts.gettext
    if report.claim:
        _head(paper, gettext("What was claimed"))
        paper.say(report.claim, 10.5)
    if report.summary:
        paper.ln(3)
        paper.say(report.summary, 12)
    _head(paper, gettext("Why"))
    paper.say(report.reasoning, 10.5)
    for title, links in (
        (gettext("Evidence"), report.evidence_links),
        (gettext("Where it was seen"), report.appearances),
    ):
        if links:
            _head(paper, title)
        for link in links:
            paper.say(link, 9.5, LINK, link=link)


def _facts(paper: Paper, texts: Texts, report: PublicReport) -> None:
    gettext = texts.gettext
    facts = [
        f"{gettext('Decided')} {_moment(report.decided_at)}",
        f"{gettext('Published')} {_moment(report.first_published_at)}",
    ]
    if report.fake_probability is not None:
        facts.append(
            gettext(
                "The machine's score: fake {percent} % (model {version})",
                percent=shown_percent(report.fake_probability),
                version=report.model_version,
            )
        )
    paper.ln(3)
    paper.say(" · ".join(facts), 8.5, MUTED)


def _head(paper: Paper, title: str) -> None:
    paper.ln(3)
    paper.say(title, 12, INK, "B")
    paper.ln(0.5)


def _everything(report: PublicReport) -> list[str]:
    """The texts that people wrote."""
    notes = [correction.note for correction in report.corrections]
    return [report.team, report.title, report.claim, report.summary, report.reasoning, *notes]


def _moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"
