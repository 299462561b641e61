"""Verdicts, errors, warnings and times, in the language of whoever reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.i18n import Words, later
from bot.state.reply_queue import Note
from unmask.report import Verdict, shown_percent

#: Told apart by their shape as well as by their colour.
MARKS = {Verdict.FAKE: "⚠️", Verdict.UNSURE: "❔", Verdict.REAL: "☑️", Verdict.NO_FACE: "▫️"}
VERDICTS = {
    Verdict.FAKE: later("Signs of manipulation"),
    Verdict.UNSURE: later("Unsure"),
    Verdict.REAL: later("No sign of manipulation"),
    Verdict.NO_FACE: later("No face found"),
}
#: What a verdict does not mean.
CAVEATS = {
    Verdict.FAKE: later(
        "This is no proof of forgery: strong filters, retouching or heavy compression can leave "
        "similar traces. Look for the first source of the picture before you call it a fake."
    ),
    Verdict.UNSURE: later(
        "This is neither a yes nor a no. A larger or less compressed copy may allow an answer."
    ),
    Verdict.REAL: later(
        "It may be made by a method that the detector does not know, altered outside the face, or "
        "shown out of its context."
    ),
    Verdict.NO_FACE: later(
        "This says nothing about the picture: only faces are examined, and none was found that is "
        "large and clear enough."
    ),
}
NOTES = {
    Note.FIRST_FRAME: later("Only the first frame was examined."),
    Note.THUMBNAIL: later(
        "Only Telegram's small preview could be examined, which makes the answer less sure."
    ),
    Note.SHRUNK: later("Shown smaller here; “Original size” sends it in full."),
}
ERRORS = {
    "empty_file": later("The file is empty. Try to send it again."),
    "too_many_bytes": later("The file is larger than {limit} MB. Send a smaller copy."),
    "too_many_pixels": later("The picture has too many pixels. Send a smaller copy."),
    "bad_dimensions": later("The picture is too small, or too long and narrow, to be examined."),
    "too_many_frames": later("The file holds too many frames. Send the one that matters."),
    "not_a_picture": later("This is not a picture."),
    "unsupported_format": later(
        "Pictures of this format are not read. Save it as JPEG or PNG and send that."
    ),
    "polyglot": later(
        "The file is a picture and something else at once. Save the picture anew and send that."
    ),
    "truncated": later("The picture is cut short. Try to send it again."),
    "damaged": later("The picture is damaged and cannot be opened."),
    "bad_url": later("This is not a link that can be opened. It must begin with https://."),
    "url_refused": later("This link leads to a place that is not opened from here."),
    "url_unreachable": later(
        "The site did not send a picture. Save the picture and send it here instead."
    ),
    "url_timeout": later("The site took too long. Save the picture and send it here instead."),
    "rate_limited": later(
        "Those were too many pictures at once. Please wait {wait}, then send it again."
    ),
    "storage_full": later("There is no room for more pictures just now. Please try again later."),
    "picture_missing": later("The picture is no longer there. Please send it again."),
    "not_served": later("The picture could not be examined in time. Please send it again later."),
    "poison_picture": later(
        "This picture made the examination fail three times, so it was given up."
    ),
    "not_found": later("This result is no longer kept. Send the picture again."),
}
#: For whatever has no sentence of its own.
UNFORESEEN = later(
    "Something went wrong on our side, and this picture was not examined. Please try again later."
)
#: The same, with the number under which the log tells what.
INCIDENT = later("Something went wrong on our side (incident {incident}). Please send it again.")
#: The sentences of :mod:`unmask.images` about a picture's file.
_FRAMES = re.compile(r"Only the (first|main one) of (\d+) (frames|pages|pictures) was examined\.")
_CROWD = re.compile(r"Only the (\d+) largest of (\d+) faces were examined\.")
_VIDEO = "The short video that comes with this motion photo was not examined."
_PAGE = "The URL leads to a web page"


def verdict_sentence(words: Words, verdict: Verdict, probability: float | None, faces: int) -> str:
    """One plain sentence; in English it is :func:`unmask.report.statement`."""
    if verdict is Verdict.NO_FACE or probability is None:
        return words.say("No face was found in this picture, so nothing was judged.")
    percent = shown_percent(probability)
    if verdict is Verdict.FAKE:
        return words.count(
            "The face shows signs of manipulation (fake {percent} %).",
            "At least one of the {number} faces shows signs of manipulation (fake {percent} %).",
            faces,
            percent=percent,
        )
    if verdict is Verdict.UNSURE and probability >= 0.5:
        return words.say(
            "Unsure: there are signs of manipulation, but too few to call it fake "
            "(fake {percent} %).",
            percent=percent,
        )
    if verdict is Verdict.UNSURE:
        return words.say(
            "Unsure: the signs in this picture are too weak to say (fake {percent} %).",
            percent=percent,
        )
    return words.say(
        "No sign of manipulation was found (fake {percent} %). "
        "This does not prove that the picture is genuine.",
        percent=percent,
    )


def error_sentence(words: Words, error: Mapping[str, Any]) -> str:
    """What an error (the inside of the one error shape) means for whoever sent the picture."""
    detail = error.get("detail") or {}
    if str(error.get("message", "")).startswith(_PAGE):
        return words.say(
            "This link leads to a web page. Open the picture itself and send its link, or save the "
            "picture and send it here."
        )
    if "incident" in detail:
        return words.say(INCIDENT, incident=detail["incident"])
    return words.say(
        ERRORS.get(error["code"], UNFORESEEN),
        limit=f"{detail.get('limit', 20_000_000) / 1e6:g}",
        wait=duration(words, detail.get("retry_after", 60)),
    )


def is_of_faces(warning: str) -> bool:
    """Whether a warning speaks of the faces in a picture, and not of its file."""
    return _CROWD.fullmatch(warning) is not None


def warning_sentence(words: Words, warning: str) -> str:
    """A warning of a report."""
    if warning == _VIDEO:
        return words.say("The short video that comes with this motion photo was not examined.")
    if crowd := _CROWD.fullmatch(warning):
        return words.say(
            "Only the {number} largest of {total} faces were examined.",
            number=crowd[1],
            total=crowd[2],
        )
    match = _FRAMES.fullmatch(warning)
    if match is None:
        return warning
    if match[1] == "main one":
        return words.count(
            "Only the main one of {number} picture in this file was examined.",
            "Only the main one of {number} pictures in this file was examined.",
            int(match[2]),
        )
    return words.count(
        "Only the first of {number} picture in this file was examined.",
        "Only the first of {number} pictures in this file was examined.",
        int(match[2]),
    )


def duration(words: Words, seconds: float) -> str:
    """A time to wait or to keep, in the largest unit that is whole enough."""
    if seconds >= 2 * 86_400:
        return words.count("{number} day", "{number} days", round(seconds / 86_400))
    if seconds >= 2 * 3_600:
        return words.count("{number} hour", "{number} hours", round(seconds / 3_600))
    if seconds >= 120:
        return words.count("{number} minute", "{number} minutes", round(seconds / 60))
    return words.count("{number} second", "{number} seconds", max(1, round(seconds)))
