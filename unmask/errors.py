"""The one error shape: a code from a documented list, a message a person can act on, details.

Beside it stand the errors that end a command, and its exit statuses.

Every door shows an error as ``{"error": {"code", "message", "detail"}}``. The codes, their HTTP
status and their meaning stand in :data:`ERROR_CODES`; docs/errors.md is tested against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any


@dataclass(frozen=True)
class ErrorCode:
    """What a code means: the HTTP status that carries it and one sentence for the docs."""

    status: int
    meaning: str


ERROR_CODES: dict[str, ErrorCode] = {
    "empty_file": ErrorCode(400, "The file holds no bytes."),
    "too_many_bytes": ErrorCode(413, "The file is larger than the byte limit."),
    "too_many_pixels": ErrorCode(413, "The picture has more pixels than the limit."),
    "bad_dimensions": ErrorCode(422, "A side is too short or too long to hold a face."),
    "too_many_frames": ErrorCode(413, "An animation has more frames than the limit."),
    "not_a_picture": ErrorCode(415, "The bytes are of no picture format."),
    "unsupported_format": ErrorCode(415, "A picture, but of a format that is not read."),
    "polyglot": ErrorCode(422, "The picture carries a second file, such as an archive or a page."),
    "truncated": ErrorCode(422, "The picture ends before its data does."),
    "damaged": ErrorCode(422, "The picture's data cannot be decoded."),
    "file_not_found": ErrorCode(404, "No file has that name."),
    "file_unreadable": ErrorCode(403, "The file exists but cannot be read."),
    "model_missing": ErrorCode(503, "The model file or its manifest is not there."),
    "model_mismatch": ErrorCode(503, "The model file is not the one that its manifest names."),
    "output_unwritable": ErrorCode(500, "The pictures of the result could not be written."),
    "bad_url": ErrorCode(400, "The URL is not a plain http, https or data URL."),
    "url_refused": ErrorCode(403, "The URL leads outside the public internet or to an odd port."),
    "url_unreachable": ErrorCode(422, "The site did not answer with a file."),
    "url_timeout": ErrorCode(422, "The site took too long to send the file."),
    "bad_request": ErrorCode(400, "The request is not of the form that the API documents."),
    "not_found": ErrorCode(404, "There is nothing at this address, or it has expired."),
    "method_not_allowed": ErrorCode(405, "The address exists, but not for this method."),
    "unsupported_body": ErrorCode(415, "The request's content type is not one that is read."),
    "slow_upload": ErrorCode(408, "The picture was sent too slowly."),
    "key_needed": ErrorCode(401, "An API key is needed, or the one given is not valid."),
    "key_scope": ErrorCode(403, "The API key does not allow this."),
    "origin_refused": ErrorCode(403, "The request comes from a page that may not make it."),
    "rate_limited": ErrorCode(429, "Too many requests in a short time; Retry-After says when."),
    "busy": ErrorCode(503, "More waits than can be served in time; Retry-After says when."),
    "not_ready": ErrorCode(503, "The service cannot take checks just now."),
    "storage_full": ErrorCode(507, "The store has no room for the picture or its result."),
    "queue_unavailable": ErrorCode(503, "The queue cannot be reached."),
    "idempotency_mismatch": ErrorCode(
        422, "The idempotency key belongs to another picture or case."
    ),
    "poison_picture": ErrorCode(500, "The picture ended its worker three times and is given up."),
    "picture_missing": ErrorCode(410, "The picture is no longer in the store."),
    "result_missing": ErrorCode(410, "The result of the check is lost; ask for it again."),
    "not_served": ErrorCode(503, "No worker took the check in time."),
    "conflict": ErrorCode(409, "The case was changed meanwhile; the detail says how it stands."),
    "not_allowed": ErrorCode(403, "The person's role in the team does not allow this."),
    "sign_in_needed": ErrorCode(401, "A member of the team must sign in for this."),
    "sign_in_failed": ErrorCode(401, "The login or the password is not right."),
    "link_invalid": ErrorCode(410, "The one-time link was used, has expired, or never was."),
    "claim_limit": ErrorCode(409, "The person has claimed as many cases as the team allows."),
    "second_opinion_due": ErrorCode(409, "A second opinion must be given first."),
    "already_exists": ErrorCode(409, "Another one of that name exists."),
    "database_unavailable": ErrorCode(503, "The desk's database cannot be reached, or is old."),
    "internal": ErrorCode(500, "Something unforeseen went wrong; the log tells more."),
}


#: The detail ``reason`` of the error ``not_a_picture`` where a URL leads to a page of the web.
WEB_PAGE = "web_page"
#: Why signing in failed, where it was not by a password; the last: an answer came late, or twice.
PASSKEY, PROVIDER, NOT_TIED, BEGIN_AGAIN = "passkey", "provider", "not_tied", "begin_again"
#: The password alone is not right; and who has none must sign in again for what lasts.
PASSWORD, AGAIN = "password", "again"
#: What is taken is a way to sign in, not a name.
IDENTITY = "identity"


class UnmaskError(Exception):
    """An error with a documented code.

    ``code`` is a key of :data:`ERROR_CODES`, ``message`` says what is wrong and what to do,
    ``detail`` holds JSON values such as the limit and the value that broke it.
    """

    def __init__(self, code: str, message: str, **detail: Any) -> None:
        if code not in ERROR_CODES:
            raise KeyError(f"undocumented error code: {code}")
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = detail

    @property
    def status(self) -> int:
        """The HTTP status that carries this error."""
        return ERROR_CODES[self.code].status

    def as_json(self) -> dict[str, Any]:
        """The error in the one shape that every door shows."""
        return {"error": {"code": self.code, "message": self.message, "detail": self.detail}}


class SettingsError(Exception):
    """A setting from the environment is not valid; the message names the variable."""


class MissingExtraError(Exception):
    """A package is not installed; the message says which extra brings it."""


class Exit(IntEnum):
    """Exit statuses of the commands.

    ``MISCONFIGURED`` (EX_CONFIG) tells a service manager that starting the worker or the bot again
    would not help. ``NO_READER`` is what a shell reports for a program that SIGPIPE ended.
    """

    DONE = 0
    SOME_FAILED = 1
    NOTHING_DONE = 2
    MISCONFIGURED = 78
    INTERRUPTED = 130
    NO_READER = 141


def internal_error(exception: BaseException) -> UnmaskError:
    """The error to show for an exception that nobody foresaw."""
    reason = " ".join(f"{type(exception).__name__}: {exception}".split())
    message = f"Something unforeseen went wrong ({reason})."
    return UnmaskError("internal", message, exception=reason)
