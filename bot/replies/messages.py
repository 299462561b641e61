"""Sentences for verdicts, errors, warnings and durations, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.i18n import Texts, gettext_noop
from bot.replies.refusals import REFUSALS, Refusal
from bot.state.reply_queue import Note
from unmask.errors import WEB_PAGE
from unmask.report import Verdict, shown_percent
from unmask.warning_codes import CodedWarning

#: They differ in shape as well as in colour.
MARKS = {Verdict.FAKE: "⚠️", Verdict.UNSURE: "❔", Verdict.REAL: "☑️", Verdict.NO_FACE: "▫️"}
VERDICTS = {
    Verdict.FAKE: gettext_noop("Signs of manipulation"),
    Verdict.UNSURE: gettext_noop("Unsure"),
    Verdict.REAL: gettext_noop("No sign of manipulation"),
    Verdict.NO_FACE: gettext_noop("No face found"),
}
#: What a verdict does not mean.
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
NOTES = {
    Note.FIRST_FRAME: gettext_noop("Only the first frame was examined."),
    Note.THUMBNAIL: gettext_noop(
        "Only Telegram's small preview could be examined, which makes the answer less sure."
    ),
    Note.STILL: gettext_noop("The short video that comes with this motion photo was not examined."),
    Note.SHRUNK: gettext_noop("Shown smaller here; “Original size” sends it in full."),
}
ERRORS = {
    "empty_file": gettext_noop("The file is empty. Try to send it again."),
    "too_many_bytes": gettext_noop("The file is larger than {limit} MB. Send a smaller copy."),
    "too_many_pixels": gettext_noop("The picture has too many pixels. Send a smaller copy."),
    "bad_dimensions": gettext_noop(
        "The picture is too small, or too long and narrow, to be examined."
    ),
    "too_many_frames": gettext_noop("The file holds too many frames. Send the one that matters."),
    "not_a_picture": gettext_noop("This is not a picture."),
    "unsupported_format": gettext_noop(
        "Pictures of this format are not read. Save it as JPEG or PNG and send that."
    ),
    "polyglot": gettext_noop(
        "The file is a picture and something else at once. Save the picture again and send that."
    ),
    "truncated": gettext_noop("The picture is cut short. Try to send it again."),
    "damaged": gettext_noop("The picture is damaged and cannot be opened."),
    "bad_url": gettext_noop("This is not a link that can be opened. It must begin with https://."),
    "url_refused": gettext_noop("This link leads to a place that is not opened from here."),
    "url_unreachable": gettext_noop(
        "The site did not send a picture. Save the picture and send it here instead."
    ),
    "url_timeout": gettext_noop(
        "The site took too long. Save the picture and send it here instead."
    ),
    "rate_limited": gettext_noop(
        "Those were too many pictures at once. Please wait {wait}, then send it again."
    ),
    "storage_full": gettext_noop(
        "There is no room for more pictures just now. Please try again later."
    ),
    "picture_missing": gettext_noop("The picture is no longer there. Please send it again."),
    "not_served": gettext_noop(
        "The picture could not be examined in time. Please send it again later."
    ),
    "poison_picture": gettext_noop(
        "This picture made the examination fail three times, so it was given up."
    ),
    "result_missing": gettext_noop("This result is no longer kept. Send the picture again."),
    "not_found": gettext_noop("This result is no longer kept. Send the picture again."),
}
#: For errors without a sentence of their own.
UNEXPECTED = gettext_noop(
    "Something went wrong on our side, and this picture was not examined. Please try again later."
)
#: The same, with the number under which the log has the details.
INCIDENT = gettext_noop(
    "Something went wrong on our side (incident {incident}). Please send it again."
)


def verdict_sentence(texts: Texts, verdict: Verdict, probability: float | None, faces: int) -> str:
    """One plain sentence; in English it is :func:`unmask.report.statement`."""
    if verdict is Verdict.NO_FACE or probability is None:
        return texts.gettext("No face was found in this picture, so nothing was judged.")
    percent = shown_percent(probability)
    if verdict is Verdict.FAKE:
        return texts.ngettext(
            "The face shows signs of manipulation (fake {percent} %).",
            "At least one of the {number} faces shows signs of manipulation (fake {percent} %).",
            faces,
            percent=percent,
        )
    if verdict is Verdict.UNSURE and probability >= 0.5:
        return texts.gettext(
            "Unsure: there are signs of manipulation, but too few to call it fake "
            "(fake {percent} %).",
            percent=percent,
        )
    if verdict is Verdict.UNSURE:
        return texts.gettext(
            "Unsure: the signs in this picture are too weak to say (fake {percent} %).",
            percent=percent,
        )
    return texts.gettext(
        "No sign of manipulation was found (fake {percent} %). "
        "This does not prove that the picture is genuine.",
        percent=percent,
    )


def error_sentence(texts: Texts, error: Mapping[str, Any]) -> str:
    """What an error (the inside of the one error shape) means for the user who sent the picture."""
    detail = error.get("detail") or {}
    if "refusal" in detail:
        return texts.gettext(REFUSALS[Refusal(detail["refusal"])])
    if detail.get("reason") == WEB_PAGE:
        return texts.gettext(
            "This link leads to a web page. Open the picture itself and send its link, or save the "
            "picture and send it here."
        )
    if "incident" in detail:
        return texts.gettext(INCIDENT, incident=detail["incident"])
    return texts.gettext(
        ERRORS.get(error["code"], UNEXPECTED),
        limit=f"{detail.get('limit', 20_000_000) / 1e6:g}",
        wait=duration(texts, detail.get("retry_after", 60)),
    )


def warning_sentence(texts: Texts, warning: CodedWarning | str) -> str:
    """The translation of a warning; a sentence that the version before stored stays English."""
    if isinstance(warning, str):
        return warning
    text, values = warning.text, dict(warning.parameters)
    if not text.many:
        return texts.gettext(text.one, **values)
    return texts.ngettext(text.one, text.many, int(values.pop("number")), **values)


def duration(texts: Texts, seconds: float) -> str:
    """A duration in the largest unit of which there are at least two."""
    if seconds >= 2 * 86_400:
        return texts.ngettext("{number} day", "{number} days", round(seconds / 86_400))
    if seconds >= 2 * 3_600:
        return texts.ngettext("{number} hour", "{number} hours", round(seconds / 3_600))
    if seconds >= 120:
        return texts.ngettext("{number} minute", "{number} minutes", round(seconds / 60))
    return texts.ngettext("{number} second", "{number} seconds", max(1, round(seconds)))
