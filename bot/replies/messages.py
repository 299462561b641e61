"""The bot's own words: for a verdict, for how a picture was obtained, and for what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.replies.refusals import REFUSALS, Refused
from bot.state.reply_queue import Note
from unmask.i18n import Texts, gettext_noop
from unmask.report import Verdict
from unmask.wording import errors

#: They differ in shape as well as in colour.
MARKS = {Verdict.FAKE: "⚠️", Verdict.UNSURE: "❔", Verdict.REAL: "☑️", Verdict.NO_FACE: "▫️"}
NOTES = {
    Note.FIRST_FRAME: gettext_noop("Only the first frame was examined."),
    Note.THUMBNAIL: gettext_noop(
        "Only Telegram's small preview could be examined, which makes the answer less sure."
    ),
    Note.STILL: gettext_noop("The short video that comes with this motion photo was not examined."),
    Note.SHRUNK: gettext_noop("Shown smaller here; “Original size” sends it in full."),
}


def error_sentence(texts: Texts, error: Mapping[str, Any]) -> str:
    """What an error (the inside of the one error shape) means for the user who sent the picture."""
    detail = error.get("detail") or {}
    if "refusal" in detail:
        return texts.gettext(REFUSALS[Refused(detail["refusal"])])
    return errors.error_sentence(texts, error)
