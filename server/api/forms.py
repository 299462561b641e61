"""The parts of a form (``multipart/form-data``), read as they arrive."""

from __future__ import annotations

import asyncio
import binascii
import re
from collections import deque
from collections.abc import AsyncIterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from server.api.streams import MAX_TEXT, Body, Take, read_all, too_many_bytes
from unmask.errors import UnmaskError

#: Bytes of a form besides its pictures.
MAX_BESIDES = 1_000_000
#: Parts of a form besides its pictures.
MAX_PARTS_BESIDES = 64

#: A parameter of a header: quoted, or up to the next semicolon.
_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^";]*))')
#: How a part may be coded for mail (RFC 2045), and how much longer than its bytes it then is.
_PLAIN = frozenset({"", "7bit", "8bit", "binary"})
_LONGER = {"base64": 1.5, "quoted-printable": 3.2}


class Part:
    """One part of a form: its field's name, and its bytes by :meth:`read`."""

    def __init__(self, form: _Form, headers: dict[str, str]) -> None:
        self._form = form
        disposition = headers.get("content-disposition", "")
        self.name = _parameters(disposition).get("name")
        self.coding = headers.get("content-transfer-encoding", "").strip().lower()

    async def read(self) -> bytes:
        """The next bytes as they were sent; none at the end of the part."""
        return await self._form.data()

    async def file(self, limit: int, take: Take) -> bytes:
        """The file in the part, decoded if it was coded for mail; raises ``too_many_bytes``."""
        coded_limit = int(limit * _LONGER.get(self.coding, 1))
        if self.coding not in _PLAIN | _LONGER.keys():
            raise UnmaskError(
                "unsupported_body",
                "A part's Content-Transfer-Encoding is none of binary, base64, quoted-printable.",
            )
        self._form.body.allow(coded_limit)
        data = await read_all(self, coded_limit, take)
        if self.coding in _LONGER:
            data = await asyncio.to_thread(_decoded, data, self.coding)
        if len(data) > limit:
            raise too_many_bytes(limit)
        return data

    async def text(self, limit: int = MAX_TEXT, take: Take = lambda _: None) -> str:
        """The text of a field in UTF-8, without spaces around it."""
        return (await self.file(limit, take)).decode("utf-8", "replace").strip()


async def parts_of(body: Body, content_type: str, pictures: int = 1) -> AsyncIterator[Part]:
    """The parts of a form of at most that many pictures; the rest of a part that was not read is
    skipped. What is malformed is ``bad_request``."""
    boundary = _parameters(content_type).get("boundary")
    if not boundary:
        raise _malformed()
    body.allow(MAX_BESIDES)
    try:
        form = _Form(body, boundary.encode())
        for _ in range(pictures + MAX_PARTS_BESIDES):
            part = await form.next_part()
            if part is None:
                return
            yield part
    except (FormParserError, UnicodeEncodeError) as error:
        raise _malformed() from error
    raise UnmaskError("bad_request", "The form has too many parts.")


class _Form:
    """Turns the parser's callbacks into what is awaited."""

    def __init__(self, body: Body, boundary: bytes) -> None:
        self.body = body
        self._boundary = re.compile(rb"\n--" + re.escape(boundary) + rb"(?=\r\n|--)")
        self._longest_boundary = len(boundary) + 5
        # As if there were a line before it: a form begins with its first boundary.
        self._in_preamble, self._preamble = True, b"\n"
        #: The headers of a part, its bytes, and None for its end.
        self._events = deque[dict[str, str] | bytes | None]()
        self._headers: dict[str, str] = {}
        self._name, self._value = bytearray(), bytearray()
        self._in_part = self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers_begin,
                "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._header_end,
                "on_headers_finished": lambda: self._events.append(self._headers),
                "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
                "on_part_end": lambda: self._events.append(None),
                "on_end": self._end,
            },
        )

    async def next_part(self) -> Part | None:
        """The next part, or None after the last."""
        while self._in_part:
            await self.data()
        while not self._events:
            if self._ended:
                return None
            await self._feed()
        headers = self._events.popleft()
        if not isinstance(headers, dict):
            raise _malformed()
        self._in_part = True
        return Part(self, headers)

    async def data(self) -> bytes:
        """The next bytes of the part; none at its end."""
        while self._in_part:
            while not self._events:
                await self._feed()
            event = self._events.popleft()
            if event is None:
                self._in_part = False
            elif isinstance(event, bytes) and event:
                return event
        return b""

    async def _feed(self) -> None:
        chunk = await self.body.read()
        if not chunk:
            raise UnmaskError("bad_request", "The form is cut short.")
        if self._in_preamble:
            chunk = self._after_preamble(chunk)
        self._parser.write(chunk)

    def _after_preamble(self, chunk: bytes) -> bytes:
        """What follows the text that mail programs put before the first boundary."""
        text = self._preamble + chunk
        found = self._boundary.search(text)
        if found is None:
            # Kept: the beginning of what may become a boundary with the next bytes.
            self._preamble = text[-self._longest_boundary :]
            return b""
        self._in_preamble = False
        return text[found.start() + 1 :]

    def _headers_begin(self) -> None:
        self._headers = {}

    def _header_end(self) -> None:
        name = self._name.decode("latin-1").strip().lower()
        self._headers[name] = self._value.decode("utf-8", "replace")
        self._name.clear()
        self._value.clear()

    def _end(self) -> None:
        self._ended = True


def _parameters(header: str) -> dict[str, str]:
    """The parameters of a header. One that names a charset (``filename*=``) is left as it is:
    Python has decoders that take seconds for little."""
    parameters: dict[str, str] = {}
    for name, quoted, plain in _PARAMETER.findall(header):
        value = re.sub(r"\\(.)", r"\1", quoted) if quoted else plain.strip()
        parameters.setdefault(name.lower(), value)
    return parameters


def _decoded(data: bytes, coding: str) -> bytes:
    if coding == "quoted-printable":
        return binascii.a2b_qp(data)
    try:
        return binascii.a2b_base64(data)
    except binascii.Error as error:
        raise UnmaskError("bad_request", "A part's base64 is cut short or damaged.") from error


def _malformed() -> UnmaskError:
    return UnmaskError("bad_request", "The form is malformed or was cut short.")
