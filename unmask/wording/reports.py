"""The words of a report: its verdicts, what they do not mean, reasons and warnings."""

from __future__ import annotations

from collections.abc import Sequence

from unmask.i18n import DEFAULT, Texts, gettext_noop, texts_in
from unmask.report import (
    MARKED_FROM,
    Face,
    Report,
    UnsureReason,
    Verdict,
    most_suspicious,
    shown_percent,
)
from unmask.warning_codes import CodedWarning

VERDICTS = {
    Verdict.FAKE: gettext_noop("Signs of manipulation"),
    Verdict.UNSURE: gettext_noop("Unsure"),
    Verdict.REAL: gettext_noop("No sign of manipulation"),
    Verdict.NO_FACE: gettext_noop("No face found"),
}
#: The verdicts where there is room for a word only: on a picture.
LABELS = {
    Verdict.FAKE: gettext_noop("FAKE"),
    Verdict.UNSURE: gettext_noop("UNSURE"),
    Verdict.REAL: gettext_noop("no sign"),
}
#: What a verdict does not mean: as much a part of it as the number.
CAVEATS = {
    Verdict.FAKE: gettext_noop(
        "This is no proof of forgery: strong filters, retouching or heavy compression can leave "
        "similar traces. Look for the first source of the picture before you call it a fake."
    ),
    Verdict.UNSURE: gettext_noop(
        "This is neither a yes nor a no. A larger or less compressed copy may allow an answer."
    ),
    Verdict.REAL: gettext_noop(
        "It may be made by a method that the detector does not know, altered outside the face, or "
        "shown out of its context."
    ),
    Verdict.NO_FACE: gettext_noop(
        "This says nothing about the picture: only faces are examined, and none was found that is "
        "large and clear enough."
    ),
}
#: Why a face is unsure, to stand beside the word.
REASONS = {
    UnsureReason.TOO_SMALL: gettext_noop("too small to be judged"),
    UnsureReason.JUDGES_DISAGREE: gettext_noop("one of the networks that judge sees no sign"),
    UnsureReason.TOO_FEW_SIGNS: gettext_noop("signs, but too few"),
    UnsureReason.TOO_WEAK: gettext_noop("signs too weak"),
    UnsureReason.OCCLUDED: gettext_noop("partly covered"),
    UnsureReason.PROFILE: gettext_noop("seen from the side"),
}


def statement(texts: Texts, faces: Sequence[Face]) -> str:
    """One plain sentence on a picture with these faces.

    Absence of evidence is said as such, never as proof of truth.
    """
    if not faces:
        return texts.gettext("No face was found in this picture, so nothing was judged.")
    worst = most_suspicious(faces)
    percent = shown_percent(worst.fake_probability)
    if worst.verdict is Verdict.FAKE:
        return texts.ngettext(
            "The face shows signs of manipulation (fake {percent} %).",
            "At least one of the {number} faces shows signs of manipulation (fake {percent} %).",
            len(faces),
            percent=percent,
        )
    if worst.verdict is Verdict.UNSURE:
        return _unsure(texts, worst, len(faces), percent)
    return texts.gettext(
        "No sign of manipulation was found (fake {percent} %). "
        "This does not prove that the picture is genuine.",
        percent=percent,
    )


def _unsure(texts: Texts, worst: Face, faces: int, percent: int) -> str:
    if UnsureReason.TOO_SMALL in worst.reasons:
        return texts.ngettext(
            "Unsure: the face is too small to be judged (fake {percent} %).",
            "Unsure: the most suspicious of the {number} faces is too small to be judged "
            "(fake {percent} %).",
            faces,
            percent=percent,
        )
    if UnsureReason.PROFILE in worst.reasons:
        return texts.gettext(
            "Unsure: the face is seen from the side, and cannot be judged so (fake {percent} %).",
            percent=percent,
        )
    if worst.reasons == (UnsureReason.OCCLUDED,):
        return texts.gettext(
            "Unsure: a part of the face is covered, and what is seen shows no sign of manipulation "
            "(fake {percent} %).",
            percent=percent,
        )
    if UnsureReason.JUDGES_DISAGREE in worst.reasons:
        return texts.gettext(
            "Unsure: one of the networks that judge sees signs of manipulation, another does not "
            "(fake {percent} %).",
            percent=percent,
        )
    if worst.fake_probability >= MARKED_FROM:
        return texts.gettext(
            "Unsure: there are signs of manipulation, but too few to call it fake "
            "(fake {percent} %).",
            percent=percent,
        )
    return texts.gettext(
        "Unsure: the signs in this picture are too weak to say (fake {percent} %).",
        percent=percent,
    )


def english_statement(faces: Sequence[Face]) -> str:
    """The sentence in English, as a report keeps it."""
    return statement(texts_in(DEFAULT), faces)


def reasons(texts: Texts, face: Face) -> str:
    """Why a face is unsure, in a few words; empty for other verdicts and where it is not known."""
    return ", ".join(texts.gettext(REASONS[reason]) for reason in face.reasons)


def warning_sentence(texts: Texts, warning: CodedWarning | str) -> str:
    """The translation of a warning; a sentence that another version stored stays English."""
    if isinstance(warning, str):
        return warning
    text, values = warning.text, dict(warning.parameters)
    if not text.many:
        return texts.gettext(text.one, **values)
    return texts.ngettext(text.one, text.many, int(values.pop("number")), **values)


def warning_sentences(texts: Texts, report: Report) -> list[str]:
    """A report's warnings."""
    return [warning_sentence(texts, warning) for warning in report.warnings_to_word]
