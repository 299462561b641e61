"""The page's own texts: those of a check's states, and those that its scripts show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unmask import i18n
from unmask.i18n import DEFAULT, gettext_noop
from unmask.report import State
from unmask.wording import errors
from unmask.wording.units import megabytes

LOCALES = Path(__file__).parents[1] / "locales"

STATES = {
    State.QUEUED: gettext_noop("Waiting for its turn"),
    State.RUNNING: gettext_noop("Looking at the faces"),
    State.DONE: gettext_noop("Done"),
    State.FAILED: gettext_noop("Could not be examined"),
}
#: What the scripts show, by the name that they know it by; they fill the placeholders.
SCRIPT_TEXTS = {
    "unreachable": gettext_noop("The server cannot be reached. Is it running?"),
    "signed_out": gettext_noop("You are signed out. Open the start page and sign in."),
    "answered": gettext_noop("The server answered {status}."),
    "too_large": gettext_noop("The file is larger than {limit} MB."),
    "copied": gettext_noop("Copied"),
    "link_copied": gettext_noop("The link was copied."),
    "remove_for_good": gettext_noop("Remove for good?"),
    "press_again": gettext_noop("Press again to remove this check for good."),
    "removed": gettext_noop("The check was removed."),
    "queued": STATES[State.QUEUED],
    "running": STATES[State.RUNNING],
    "away": gettext_noop("Waiting for the server"),
    "a_photo": gettext_noop("A photo"),
    "no_address": gettext_noop("This is neither a photo nor the address of one."),
    "photos_sending": gettext_noop("Sending {number} photos"),
    "name_sending": gettext_noop("{name}: sending"),
    "name_gone": gettext_noop("{name}: removed, or expired"),
    "sending": gettext_noop("Sending"),
    "sending_part": gettext_noop("Sending, {percent} %"),
    "case_changed": gettext_noop("This case was changed. Show it again"),
    "cases_changed": gettext_noop("Cases changed: {number}. Show them"),
    "claim_lapsed": gettext_noop("Your claim has lapsed. What you wrote stays here."),
    "drawing_layer": gettext_noop("The layer is being drawn. A large photo takes seconds."),
    "not_sent": gettext_noop("What you wrote here is not sent yet."),
    "discard": gettext_noop("Discard it"),
    "passkey_refused": gettext_noop("No passkey was used. Try again, or sign in another way."),
    "passkey_known": gettext_noop("This device has a passkey of your account already."),
    "passkey_elsewhere": gettext_noop("Passkeys do not work at this address."),
    "waiting_for_room": gettext_noop("Waiting for room"),
}


def texts_in(language: str) -> i18n.Texts:
    """The page's texts in a language, and those of all rooms; English if that is none of ours."""
    return i18n.texts_in(language, LOCALES)


def script_texts(texts: i18n.Texts, max_bytes: int) -> dict[str, Any]:
    """What the page hands to its scripts: texts, and sentences for errors by code.

    In English there are none of the latter: the server's own messages say more.
    """
    sentences = {} if texts.language == DEFAULT else errors.templates(texts)
    limit = megabytes(max_bytes)
    return {
        "texts": {name: texts.template(text) for name, text in SCRIPT_TEXTS.items()},
        "errors": {name: text.replace("{limit}", limit) for name, text in sentences.items()},
    }
