"""The captions of replies, within Telegram's limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from telegram import MessageEntity

from bot.replies.messages import MARKS, NOTES, error_sentence
from bot.replies.team import answer, verdict
from bot.state.reply_queue import Item, Origin
from bot.team import TeamAnswer
from unmask.i18n import Texts
from unmask.report import Face, Report, Verdict, shown_percent
from unmask.wording.evidence import (
    FEW,
    evidence_sentence,
    headline,
    report_statement,
    shown_verdict,
)
from unmask.wording.reports import CAVEATS, VERDICTS, warning_sentence

#: In UTF-16 code units, as Telegram counts.
CAPTION_LIMIT, TEXT_LIMIT = 1024, 4096
#: The verdicts, the most suspicious first.
_BY_SUSPICION = (Verdict.FAKE, Verdict.UNSURE, Verdict.REAL, Verdict.NO_FACE)


@dataclass(frozen=True)
class Caption:
    """A text and its formatting."""

    text: str
    entities: tuple[MessageEntity, ...] = ()


@dataclass(frozen=True)
class PictureResult:
    """One picture of a reply: its report, or the error (the inside of the one error shape)."""

    item: Item
    report: Report | None = None
    error: dict[str, Any] | None = None
    team: TeamAnswer | None = None


def length(text: str) -> int:
    """The length of a text as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def single(
    texts: Texts,
    result: PictureResult,
    origin: Origin | None,
    *,
    hint: bool = False,
    may_repeat: bool = False,
) -> Caption:
    """The caption of one picture: the verdict, the faces, what it does not mean, the model.

    ``hint`` adds why files are better, if there is room; ``may_repeat`` that this reply may have
    been sent before.
    """
    report = result.report
    if report is None:
        raise ValueError("a caption needs a report")
    head = f"{MARKS[shown_verdict(report)]} {headline(texts, report)}"
    team = result.team and answer(texts, result.team, is_similar=result.item.outcome.similar)
    sentence = report_statement(texts, report)
    notes = _notes(texts, result.item, report, origin, may_repeat)
    last = [texts.gettext(CAVEATS[report.verdict]), _model(texts, report)]

    def draft(face_count: int, note_count: int, *more: str) -> str:
        faces = _faces(texts, report.faces, face_count)
        return _paragraphs(
            team or "", f"{head}\n{sentence}", faces, "\n".join(notes[:note_count]), *last, *more
        )

    def drafts() -> Iterator[str]:
        if hint:
            yield draft(len(report.faces), len(notes), _hint(texts))
        for face_count in range(len(report.faces), -1, -1):
            yield draft(face_count, len(notes))
        for note_count in range(len(notes), -1, -1):
            yield draft(0, note_count)

    return _first_that_fits(drafts())


def album(
    texts: Texts,
    results: Sequence[PictureResult],
    origin: Origin | None,
    *,
    skipped: int,
    may_repeat: bool,
) -> Caption:
    """One caption for several pictures, numbered in the order in which they were sent."""
    reports = [result.report for result in results if result.report]
    ranked = sorted(reports, key=lambda report: _BY_SUSPICION.index(shown_verdict(report)))
    worst = shown_verdict(ranked[0]) if ranked else Verdict.NO_FACE
    counts = Counter(headline(texts, report) for report in ranked)
    summary = ", ".join(f"{words}: {count}" for words, count in counts.items())
    total = texts.ngettext("{number} picture", "{number} pictures", len(results))
    head = f"{MARKS[worst]} {total}: {summary}"
    notes = [_skipped(texts, skipped)] if skipped else []
    notes += [_may_repeat(texts)] if may_repeat else []
    notes += [_origin(texts, origin)] if origin else []
    models = sorted({_model(texts, result.report) for result in results if result.report})

    def drafts() -> Iterator[str]:
        for detailed in (True, False):
            for note_count in range(len(notes), -1, -1):
                lines = _numbered(texts, results, detailed)
                caveat = texts.gettext(CAVEATS[worst])
                yield _paragraphs(head, lines, "\n".join(notes[:note_count]), caveat, *models)

    return _first_that_fits(drafts())


def failures(texts: Texts, results: Sequence[PictureResult], skipped: int = 0) -> Caption:
    """The text of a reply in which no picture could be examined."""
    if len(results) == 1:
        text = error_sentence(texts, results[0].error or {"code": "internal"})
    else:
        text = _numbered(texts, results, True)
    if skipped:
        text += "\n\n" + _skipped(texts, skipped)
    return Caption(_cut(text, TEXT_LIMIT))


def moment(when: datetime) -> str:
    """A date and time that means the same to every reader."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _faces(texts: Texts, faces: Sequence[Face], count: int) -> str:
    """A line for each of ``count`` faces, the most suspicious ones, and one line for the rest."""
    ranking = sorted(
        range(len(faces)),
        key=lambda index: (
            _BY_SUSPICION.index(faces[index].verdict),
            -faces[index].fake_probability,
        ),
    )
    listed, rest = sorted(ranking[:count]), ranking[count:]
    lines = [
        texts.gettext(
            "Face {number}: {verdict}, fake {percent} %",
            number=index + 1,
            verdict=texts.gettext(VERDICTS[faces[index].verdict]),
            percent=shown_percent(faces[index].fake_probability),
        )
        for index in listed
    ]
    if rest:
        lines.append(
            texts.ngettext(
                "and {number} more face, less suspicious (fake {percent} % at most)",
                "and {number} more faces, less suspicious (fake {percent} % at most)",
                len(rest),
                percent=max(shown_percent(faces[index].fake_probability) for index in rest),
            )
        )
    return "\n".join(lines)


def _numbered(texts: Texts, results: Sequence[PictureResult], detailed: bool) -> str:
    return "\n".join(
        f"{number}. {_line(texts, result, detailed)}" for number, result in enumerate(results, 1)
    )


def _line(texts: Texts, result: PictureResult, detailed: bool) -> str:
    if result.report is None:
        error = result.error or {"code": "internal"}
        text = error_sentence(texts, error) if detailed else texts.gettext("could not be examined")
        return f"✖️ {text}"
    report, outcome = result.report, result.item.outcome
    line = f"{MARKS[shown_verdict(report)]} {headline(texts, report)}"
    if result.team is not None and result.team.verdict:  # people's verdict before the machine's
        line = f"👥 {verdict(texts, result.team.verdict)}; {line}"
    if report.fake_probability is not None:
        percent = shown_percent(report.fake_probability)
        line += f" ({texts.gettext('fake {percent} %', percent=percent)})"
    if detailed and len(report.faces) > 1:
        line += ", " + texts.ngettext("{number} face", "{number} faces", len(report.faces))
    if detailed and outcome.earlier and outcome.similar:
        line += ", " + texts.gettext("as on {date}", date=moment(outcome.earlier))
    return line


def _notes(
    texts: Texts, item: Item, report: Report, origin: Origin | None, may_repeat: bool
) -> list[str]:
    """What else the reader has to know, the most important first."""
    notes, outcome = [], item.outcome
    if outcome.earlier and outcome.similar:
        notes.append(
            texts.gettext(
                "This picture looks like one that was examined here on {date}; this is that "
                "result, and no new examination.",
                date=moment(outcome.earlier),
            )
        )
    elif outcome.earlier:
        notes.append(
            texts.gettext(
                "The same file was examined here on {date}.", date=moment(outcome.earlier)
            )
        )
    notes += [texts.gettext(NOTES[note]) for note in item.notes]
    notes += [_may_repeat(texts)] if may_repeat else []
    notes += [_origin(texts, origin)] if origin else []
    warnings = report.warnings_to_word
    if outcome.similar:  # the report is about another file
        of_faces = (warning for warning in report.warning_codes if warning.is_of_faces)
        warnings = (*outcome.warnings, *of_faces)
    notes += [warning_sentence(texts, warning) for warning in warnings]
    evidence = () if outcome.similar else report.evidence[:FEW]  # that of the other file's
    return notes + [evidence_sentence(texts, finding) for finding in evidence]


def _origin(texts: Texts, origin: Origin) -> str:
    if origin.name:
        return texts.gettext(
            "Forwarded; first posted by {name}, {date}.",
            name=origin.name,
            date=moment(origin.date),
        )
    return texts.gettext("Forwarded; first posted on {date}.", date=moment(origin.date))


def _model(texts: Texts, report: Report) -> str:
    return texts.gettext(
        "Model: {name} {version}", name=report.model.name, version=report.model.version
    )


def _hint(texts: Texts) -> str:
    return texts.gettext(
        "💡 Telegram shrinks photos. Sent as a file, a picture keeps its detail, and the answer is "
        "better."
    )


def _may_repeat(texts: Texts) -> str:
    return texts.gettext("The bot was interrupted while it answered, so you may see this twice.")


def _skipped(texts: Texts, skipped: int) -> str:
    return texts.ngettext(
        "{number} more link was left out; send it in a message of its own.",
        "{number} more links were left out; send them in a message of their own.",
        skipped,
    )


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(filter(None, parts))


def _first_that_fits(drafts: Iterator[str]) -> Caption:
    """The first draft within the limit, its first line in bold."""
    text = ""
    for text in drafts:
        if length(text) <= CAPTION_LIMIT:
            break
    text = _cut(text, CAPTION_LIMIT)
    head = text.partition("\n")[0]
    return Caption(text, (MessageEntity(MessageEntity.BOLD, 0, length(head)),))


def _cut(text: str, limit: int) -> str:
    """At most ``limit`` UTF-16 units of a text, in whole characters, with "…" if it was cut."""
    if length(text) <= limit:
        return text
    units = text.encode("utf-16-le")[: 2 * (limit - 1)]
    return units.decode("utf-16-le", "ignore") + "…"
