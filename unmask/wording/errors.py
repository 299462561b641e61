"""What an error means for the person who sent the picture, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unmask.errors import (
    AGAIN,
    BEGIN_AGAIN,
    IDENTITY,
    NOT_TIED,
    PASSKEY,
    PASSWORD,
    PROVIDER,
    WEB_PAGE,
)
from unmask.i18n import DEFAULT, Texts, gettext_noop
from unmask.wording.units import duration, megabytes

#: A sentence for each of :data:`unmask.errors.ERROR_CODES`.
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
    "file_not_found": gettext_noop("There is no file of that name."),
    "file_unreadable": gettext_noop("The file cannot be read."),
    "model_missing": gettext_noop("The model is not there, so nothing can be examined."),
    "model_mismatch": gettext_noop("The model's file is not the one that belongs to it."),
    "output_unwritable": gettext_noop("The pictures of the result could not be written."),
    "bad_url": gettext_noop("This is not a link that can be opened. It must begin with https://."),
    "url_refused": gettext_noop("This link leads to a place that is not opened from here."),
    "url_unreachable": gettext_noop(
        "The site did not send a picture. Save the picture and send it here instead."
    ),
    "url_timeout": gettext_noop(
        "The site took too long. Save the picture and send it here instead."
    ),
    "bad_request": gettext_noop("The request is malformed."),
    "not_found": gettext_noop(
        "There is no such result, or it is no longer kept. Send the picture again."
    ),
    "method_not_allowed": gettext_noop("This address does not take such a request."),
    "unsupported_body": gettext_noop("The request holds no picture in a form that is read."),
    "slow_upload": gettext_noop("The picture was sent too slowly. Please try again."),
    "key_needed": gettext_noop("A valid key is needed. Open the start page and sign in."),
    "key_scope": gettext_noop("Your key does not allow this."),
    "origin_refused": gettext_noop("The request comes from a page that may not make it."),
    "rate_limited": gettext_noop(
        "Those were too many pictures at once. Please wait {wait}, then send it again."
    ),
    "busy": gettext_noop(
        "More pictures wait than can be examined in time. Please wait {wait}, then send it again."
    ),
    "not_ready": gettext_noop("No pictures can be examined just now. Please try again later."),
    "storage_full": gettext_noop(
        "There is no room for more pictures just now. Please try again later."
    ),
    "queue_unavailable": gettext_noop(
        "Part of the service is away just now. Please try again in a moment."
    ),
    "idempotency_mismatch": gettext_noop("The same request was made with another picture before."),
    "poison_picture": gettext_noop(
        "This picture made the examination fail three times, so it was given up."
    ),
    "picture_missing": gettext_noop("The picture is no longer there. Please send it again."),
    "result_missing": gettext_noop("The result is lost. Please send the picture again."),
    "not_served": gettext_noop(
        "The picture could not be examined in time. Please send it again later."
    ),
    "conflict": gettext_noop("Somebody else was faster: this case has changed. Look at it again."),
    "not_allowed": gettext_noop("Your role in the team does not allow this."),
    "sign_in_needed": gettext_noop("Sign in as a member of the team for this."),
    "sign_in_failed": gettext_noop("The login or the password is not right."),
    "link_invalid": gettext_noop(
        "This link was used already or has expired. Ask an admin of the team for another."
    ),
    "claim_limit": gettext_noop(
        "You have claimed as many cases as your team allows. Decide or release one first."
    ),
    "second_opinion_due": gettext_noop("A second opinion must be given first."),
    "already_exists": gettext_noop("This name is taken. Choose another."),
    "database_unavailable": gettext_noop(
        "The team desk cannot be reached just now. Please try again in a moment."
    ),
    "internal": gettext_noop(
        "Something went wrong on our side, and this picture was not examined. "
        "Please try again later."
    ),
}
#: Sentences for a code with the detail ``reason``.
REASONS = {
    ("not_a_picture", WEB_PAGE): gettext_noop(
        "This link leads to a web page. Open the picture itself and send its link, or save the "
        "picture and send it here."
    ),
    ("sign_in_failed", PASSWORD): gettext_noop("The password is not right."),
    ("sign_in_needed", AGAIN): gettext_noop("Sign in again for this."),
    ("sign_in_failed", PASSKEY): gettext_noop("This passkey is not known here."),
    ("sign_in_failed", PROVIDER): gettext_noop("The provider did not confirm who you are."),
    ("sign_in_failed", NOT_TIED): gettext_noop(
        "This account belongs to nobody here. Sign in another way and add it to your account, or "
        "open an invitation and join with it."
    ),
    ("not_ready", PROVIDER): gettext_noop("The provider cannot be reached just now."),
    ("link_invalid", BEGIN_AGAIN): gettext_noop(
        "This took too long, or was sent twice. Please begin again."
    ),
    ("already_exists", IDENTITY): gettext_noop("This is somebody's way to sign in already."),
}
#: For an error of ours with the number under which the log has the details.
INCIDENT = gettext_noop(
    "Something went wrong on our side (incident {incident}). Please send it again."
)


def error_sentence(texts: Texts, error: Mapping[str, Any]) -> str:
    """The sentence for an error (the inside of the one error shape)."""
    code, detail = error["code"], error.get("detail") or {}
    if "incident" in detail:
        return texts.gettext(INCIDENT, incident=detail["incident"])
    message = REASONS.get((code, detail.get("reason", ""))) or ERRORS.get(code, ERRORS["internal"])
    return texts.gettext(
        message,
        limit=megabytes(detail.get("limit", 20_000_000)),
        wait=duration(texts, detail.get("retry_after", 60)),
    )


def templates(texts: Texts) -> dict[str, str]:
    """All sentences by code, or by code and reason (``code.reason``), their placeholders open."""
    sentences = {code: texts.template(text) for code, text in ERRORS.items()}
    return sentences | {
        f"{code}.{reason}": texts.template(text) for (code, reason), text in REASONS.items()
    }


def error_message(texts: Texts, error: Mapping[str, Any]) -> str:
    """In English the error's own message, which says most; else the sentence for its code."""
    message = error.get("message")
    if texts.language == DEFAULT and message:
        return str(message)
    return error_sentence(texts, error)
