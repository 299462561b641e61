"""Text to the address that a browser would ask for, if it is one of the public internet.

A URL is read by Ada, Node.js's parser of WHATWG's URL standard, which browsers follow: blanks at
its ends and line ends fall away, what must be escaped is escaped, and all else stays as it was
written. Signed URLs need that: their signature covers each byte.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection

import ada_url
from yarl import URL

from unmask.fetch.refusals import bad_url, refused

#: The ports on which pictures are published. Others reach mail servers, databases and the like.
USUAL_PORTS = frozenset({80, 443, 8080, 8443})
#: Characters of a URL. Signed ones reach some thousands.
MAX_URL = 16_384
#: Names that mean this machine or this network, whatever the name service says.
CLOSED_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "onion", "test")

#: Blanks that people copy along and that no browser strips: no-break, zero-width, byte order mark.
_INVISIBLE = "\u00a0\u200b\u200c\u200d\u2060\ufeff"
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
#: How bytes of a header that are not UTF-8 arrive (surrogateescape).
_RAW_BYTE = re.compile("[\udc80-\udcff]")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def checked_url(text: str | URL, ports: Collection[int] = USUAL_PORTS) -> URL:
    """The URL as a browser would ask for it, without its fragment; not to be quoted again.

    Raises ``bad_url`` for text that is no plain http(s) URL, ``url_refused`` for a port or a name
    that is not of the public internet. Addresses written as such are checked when they are dialled.
    """
    return _checked(_parsed(str(text).strip(_INVISIBLE)), ports)


def next_url(url: URL, location: str, ports: Collection[int] = USUAL_PORTS) -> URL:
    """Where a redirect from ``url`` leads; raises as :func:`checked_url` does, and
    ``url_refused`` if it leaves https for http."""
    location = _RAW_BYTE.sub(lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", location)
    target = _checked(_parsed(location, base=str(url)), ports)
    if url.scheme == "https" and target.scheme == "http":
        raise refused("It redirects from https to http.")
    return target


def _parsed(text: str, base: str | None = None) -> ada_url.URL:
    if len(text) > MAX_URL:
        raise bad_url(f"It is longer than {MAX_URL:,} characters.")
    try:
        return ada_url.URL(text, base)
    except ValueError as error:  # also what UTF-8 cannot hold
        raise bad_url("It is not the address of a file on the web.") from error


def _checked(parsed: ada_url.URL, ports: Collection[int]) -> URL:
    if parsed.protocol not in {"http:", "https:"} or not parsed.hostname:
        raise bad_url("It must begin with http:// or https:// and name a host.")
    if parsed.username or parsed.password:
        raise bad_url("User names and passwords in a URL are not accepted.")
    parsed.hash = ""
    if len(parsed.href) > 3 * MAX_URL:
        raise bad_url("It is too long.")
    # As the parser wrote it: yarl would escape some characters, and write others plainly.
    url = URL(parsed.href, encoded=True)
    if url.port not in ports:
        raise refused(f"Port {url.port} is not one on which pictures are published.")
    host = parsed.hostname
    if address_of(host.strip("[]")) is None:
        _check_name(host)
    return url


def address_of(text: str) -> Address | None:
    """The address that ``text`` writes; None if it writes none."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _check_name(host: str) -> None:
    """Refuse names that no public host has, and numbers that some systems read as addresses."""
    name = host.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise bad_url("Its host is not a valid name.")
    if _NUMBER.fullmatch(labels[-1]):
        raise bad_url("Its host is a number that is not an address in the usual form.")
    if len(labels) < 2 or any(name == end or name.endswith(f".{end}") for end in CLOSED_NAMES):
        raise refused("Its host is not a name of the public internet.")
