"""What people write: its limits, the words that the search reads, names of time zones.

Words are cut and folded here and not by the databases, whose own ways differ and part Hindi and
Telugu words at their vowel signs.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from unmask.errors import UnmaskError

#: Most characters of what people write.
MAX_LINE, MAX_TEXT, MAX_URL = 300, 10_000, 2_048
#: Most words of a query, and the shortest beginning of a word that is searched for.
MAX_WORDS, MIN_PREFIX = 8, 3
#: Latin, Greek and Cyrillic accents; the vowel signs of other scripts are part of the word.
_ACCENTS = re.compile("[\u0300-\u036f]")
_HIDDEN = {"Cc", "Cs", "Co", "Cn"}


def folded_words(text: str) -> list[str]:
    """The words of a text as the search knows them: case and accents do not count."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).casefold()
    plain = unicodedata.normalize("NFC", plain)
    spaced = (char if unicodedata.category(char)[0] in "LNM" else " " for char in plain)
    return "".join(spaced).split()


def folded(*texts: str) -> str:
    """The words of several texts, each once, parted by spaces; longer ones than 60 are cut."""
    words = [word[:60] for text in texts for word in folded_words(text)]
    return " ".join(dict.fromkeys(words))


def line(text: str, name: str, *, needed: bool = False, most: int = MAX_LINE) -> str:
    """One line without control characters; raises ``bad_request``, which names the field."""
    return checked(" ".join(text.split()), name, needed=needed, most=most)


def checked(text: str, name: str, *, needed: bool = False, most: int = MAX_TEXT) -> str:
    """A text without control characters other than new lines and tabs.

    Raises ``bad_request`` if it is too long, or is empty and ``needed``.
    """
    text = "".join(
        char for char in text if char in "\n\t" or unicodedata.category(char) not in _HIDDEN
    ).strip()
    if needed and not text:
        raise UnmaskError("bad_request", f"The {name} must not be empty.", field=name)
    if len(text) > most:
        message = f"The {name} has {len(text)} characters; {most} are the most."
        raise UnmaskError("bad_request", message, field=name, limit=most)
    return text


def web_address(text: str, name: str) -> str:
    """A plain http(s) address that a page may link to; raises ``bad_request``."""
    text = line(text, name, needed=True, most=MAX_URL)
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        good = False
    if not good:
        message = f"The {name} must be an address that begins with http:// or https://."
        raise UnmaskError("bad_request", message, field=name)
    return text


def host_of(url: str | None) -> str | None:
    """The host of an address that :func:`web_address` took, without ``www.``."""
    return (urlsplit(url).hostname or "").removeprefix("www.")[:255] or None if url else None


def zone_named(name: str) -> ZoneInfo | None:
    """The time zone of a name such as ``Europe/Berlin``; None if there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):  # a path, an unknown name, a folder of zones
        return None
