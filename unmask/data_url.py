"""``data:`` URLs (RFC 2397): the address that "copy image address" gives for a small picture."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from unmask.errors import UnmaskError

#: Escapes in one URL; each costs more than a plain character. Base64 has some, other data many.
MAX_ESCAPES = 1_000_000

_START = re.compile(r"\s*data:", re.IGNORECASE)
_BASE64 = re.compile(r";\s*base64\s*$", re.IGNORECASE)
_BLANKS = re.compile(rb"[\t\n\f\r ]+")


def is_data_url(text: str) -> bool:
    """Whether ``text`` is a ``data:`` URL."""
    return _START.match(text) is not None


def longest_data_url(limit: int) -> int:
    """Characters of the longest ``data:`` URL, in base64 with some escapes, of ``limit`` bytes."""
    return limit * 3 // 2 + 1_024


def decode_data_url(text: str, limit: int) -> bytes:
    """The bytes in a ``data:`` URL, whatever type it claims.

    Raises ``bad_url`` if it cannot be decoded, and ``too_many_bytes`` beyond ``limit`` bytes. This
    takes a moment for megabytes: call it in a thread.
    """
    head, comma, body = text.partition(",")
    if not comma or not is_data_url(head):
        raise _bad_url("It has no comma before its data.")
    if body.count("%") > MAX_ESCAPES:
        raise _bad_url("It has too many escapes. Save the picture and send the file.")
    data = unquote_to_bytes(body.partition("#")[0])
    if _BASE64.search(head):
        data = _from_base64(_BLANKS.sub(b"", data))
    if len(data) > limit:
        message = f"The picture is larger than {limit:,} bytes."
        raise UnmaskError("too_many_bytes", message, limit=limit)
    return data


def _from_base64(data: bytes) -> bytes:
    """As browsers decode it: the padding may be missing."""
    if len(data) % 4 == 0:
        data = data.removesuffix(b"=").removesuffix(b"=")
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
    except binascii.Error as error:
        raise _bad_url("Its base64 is cut short or damaged.") from error


def _bad_url(why: str) -> UnmaskError:
    return UnmaskError("bad_url", f"This data: URL cannot be used. {why}")
