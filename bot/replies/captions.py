"""The words below an answer's picture, within Telegram's limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from telegram import MessageEntity

from bot.i18n import Words
from bot.replies.messages import (
    CAVEATS,
    MARKS,
    NOTES,
    VERDICTS,
    error_sentence,
    is_of_faces,
    verdict_sentence,
    warning_sentence,
)
from bot.state.reply_queue import Item, Origin
from unmask.report import Face, Report, Verdict, shown_percent

#: In UTF-16 code units, as Telegram counts.
CAPTION_LIMIT, TEXT_LIMIT = 1024, 4096
_SUSPICION = (Verdict.FAKE, Verdict.UNSURE, Verdict.REAL, Verdict.NO_FACE)


@dataclass(frozen=True)
class Said:
    """A text and what of it stands out."""

    text: str
    entities: tuple[MessageEntity, ...] = ()


@dataclass(frozen=True)
class Shown:
    """One picture of an answer: its report, or the error (inside of the one error shape)."""

    item: Item
    report: Report | None = None
    error: dict[str, Any] | None = None


def length(text: str) -> int:
    """How long Telegram takes a text to be."""
    return len(text.encode("utf-16-le")) // 2


def single(
    words: Words, shown: Shown, origin: Origin | None, *, hint: bool = False, twice: bool = False
) -> Said:
    """The caption of one picture: verdict, faces, what it does not mean, model.

    ``hint`` adds why files are better, if there is room; ``twice`` that this may have come before.
    """
    report = shown.report
    if report is None:
        raise ValueError("a caption needs a report")
    head = f"{MARKS[report.verdict]} {words.say(VERDICTS[report.verdict])}"
    sentence = verdict_sentence(words, report.verdict, report.fake_probability, len(report.faces))
    notes = _notes(words, shown.item, report, origin, twice)
    last = [words.say(CAVEATS[report.verdict]), _model(words, report)]

    def draft(faces: int, noted: int, *more: str) -> str:
        lines = _faces(words, report.faces, faces)
        return _paragraphs(f"{head}\n{sentence}", lines, "\n".join(notes[:noted]), *last, *more)

    def drafts() -> Iterator[str]:
        every = len(report.faces)
        if hint:
            yield draft(every, len(notes), _hint(words))
        for faces in range(every, -1, -1):
            yield draft(faces, len(notes))
        for noted in range(len(notes), -1, -1):
            yield draft(0, noted)

    return _fitting(drafts())


def album(
    words: Words, shown: Sequence[Shown], origin: Origin | None, *, skipped: int, twice: bool
) -> Said:
    """One caption for several pictures, numbered as they were sent."""
    verdicts = [each.report.verdict for each in shown if each.report]
    counts = Counter(verdicts)
    worst = min(verdicts, key=_SUSPICION.index, default=Verdict.NO_FACE)
    found = ", ".join(
        f"{words.say(VERDICTS[verdict])}: {counts[verdict]}"
        for verdict in _SUSPICION
        if counts[verdict]
    )
    total = words.count("{number} picture", "{number} pictures", len(shown))
    head = f"{MARKS[worst]} {total}: {found}"
    notes = [_skipped(words, skipped)] if skipped else []
    notes += [_twice(words)] if twice else []
    notes += [_origin(words, origin)] if origin else []
    models = sorted({_model(words, each.report) for each in shown if each.report})

    def drafts() -> Iterator[str]:
        for detailed in (True, False):
            for noted in range(len(notes), -1, -1):
                lines = "\n".join(
                    _line(words, number, each, detailed) for number, each in enumerate(shown, 1)
                )
                parts = ("\n".join(notes[:noted]), words.say(CAVEATS[worst]), *models)
                yield _paragraphs(head, lines, *parts)

    return _fitting(drafts())


def failures(words: Words, shown: Sequence[Shown], skipped: int = 0) -> Said:
    """The text where no picture could be examined."""
    if len(shown) == 1:
        text = error_sentence(words, shown[0].error or {"code": "internal"})
    else:
        text = "\n".join(_line(words, number, each, True) for number, each in enumerate(shown, 1))
    if skipped:
        text += "\n\n" + _skipped(words, skipped)
    return Said(_cut(text, TEXT_LIMIT))


def moment(when: datetime) -> str:
    """A date and time that every reader takes for the same."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _faces(words: Words, faces: Sequence[Face], listed: int) -> str:
    """A line for each of ``listed`` faces, the most suspicious if not all, one for the rest."""
    order = sorted(
        range(len(faces)),
        key=lambda at: (_SUSPICION.index(faces[at].verdict), -faces[at].fake_probability),
    )
    kept, rest = sorted(order[:listed]), order[listed:]
    lines = [
        words.say(
            "Face {number}: {verdict}, fake {percent} %",
            number=at + 1,
            verdict=words.say(VERDICTS[faces[at].verdict]),
            percent=shown_percent(faces[at].fake_probability),
        )
        for at in kept
    ]
    if rest:
        lines.append(
            words.count(
                "and {number} more face, less suspicious (fake {percent} % at most)",
                "and {number} more faces, less suspicious (fake {percent} % at most)",
                len(rest),
                percent=max(shown_percent(faces[at].fake_probability) for at in rest),
            )
        )
    return "\n".join(lines)


def _line(words: Words, number: int, shown: Shown, detailed: bool) -> str:
    if shown.report is None:
        error = shown.error or {"code": "internal"}
        said = error_sentence(words, error) if detailed else words.say("could not be examined")
        return f"{number}. ✖️ {said}"
    report = shown.report
    line = f"{number}. {MARKS[report.verdict]} {words.say(VERDICTS[report.verdict])}"
    if report.fake_probability is not None:
        percent = shown_percent(report.fake_probability)
        line += f" ({words.say('fake {percent} %', percent=percent)})"
    if detailed and len(report.faces) > 1:
        line += ", " + words.count("{number} face", "{number} faces", len(report.faces))
    if detailed and shown.item.earlier and shown.item.alike:
        line += ", " + words.say("as on {date}", date=moment(shown.item.earlier))
    return line


def _notes(
    words: Words, item: Item, report: Report, origin: Origin | None, twice: bool
) -> list[str]:
    """What is to be known besides, the most important first."""
    notes = []
    if item.earlier and item.alike:
        notes.append(
            words.say(
                "This picture looks like one that was examined here on {date}; this is that "
                "result, and no new examination.",
                date=moment(item.earlier),
            )
        )
    elif item.earlier:
        notes.append(
            words.say("The same file was examined here on {date}.", date=moment(item.earlier))
        )
    notes += [words.say(NOTES[note]) for note in item.notes]
    notes += [_twice(words)] if twice else []
    notes += [_origin(words, origin)] if origin else []
    warnings = report.warnings
    if item.alike:  # the report's file is another one
        warnings = (*item.warnings, *filter(is_of_faces, warnings))
    return notes + [warning_sentence(words, warning) for warning in warnings]


def _origin(words: Words, origin: Origin) -> str:
    if origin.name:
        return words.say(
            "Forwarded; first posted by {name}, {date}.",
            name=origin.name,
            date=moment(origin.date),
        )
    return words.say("Forwarded; first posted on {date}.", date=moment(origin.date))


def _model(words: Words, report: Report) -> str:
    return words.say(
        "Model: {name} {version}", name=report.model.name, version=report.model.version
    )


def _hint(words: Words) -> str:
    return words.say(
        "💡 Telegram shrinks photos. Sent as a file, a picture keeps its detail, and the answer is "
        "better."
    )


def _twice(words: Words) -> str:
    return words.say("The bot was interrupted while it answered, so you may see this twice.")


def _skipped(words: Words, skipped: int) -> str:
    return words.count(
        "{number} more link was left out; send it in a message of its own.",
        "{number} more links were left out; send them in a message of their own.",
        skipped,
    )


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(filter(None, parts))


def _fitting(drafts: Iterator[str]) -> Said:
    """The first draft that fits, its first line in bold."""
    text = ""
    for text in drafts:
        if length(text) <= CAPTION_LIMIT:
            break
    text = _cut(text, CAPTION_LIMIT)
    head = text.partition("\n")[0]
    return Said(text, (MessageEntity(MessageEntity.BOLD, 0, length(head)),))


def _cut(text: str, limit: int) -> str:
    """At most ``limit`` UTF-16 units, whole characters, with a sign that something is missing."""
    if length(text) <= limit:
        return text
    units = text.encode("utf-16-le")[: 2 * (limit - 1)]
    return units.decode("utf-16-le", "ignore") + "…"
