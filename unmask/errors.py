"""The one error shape: a code from a documented list, a message a person can act on, details.

Every door shows an error as ``{"error": {"code", "message", "detail"}}``. The codes, their HTTP
status and their meaning stand in :data:`ERROR_CODES`; docs/errors.md is tested against it.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    "polyglot": ErrorCode(422, "The picture carries a second file (archive, page, script, program)."),
    "truncated": ErrorCode(422, "The picture ends before its data does."),
    "damaged": ErrorCode(422, "The picture's data cannot be decoded."),
    "file_not_found": ErrorCode(404, "No file has that name."),
    "file_unreadable": ErrorCode(403, "The file exists but cannot be read."),
    "model_missing": ErrorCode(503, "The model file or its manifest is not there."),
    "model_mismatch": ErrorCode(503, "The model file is not the one that its manifest names."),
    "output_unwritable": ErrorCode(500, "The pictures of the result could not be written."),
    "internal": ErrorCode(500, "Something unforeseen went wrong; the log tells more."),
}


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
