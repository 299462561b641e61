"""The bytes of a request's body: counted while they arrive, cut off when they come too slowly."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import parse_qsl

from aiohttp import web

from unmask.errors import UnmaskError

CHUNK = 65_536
#: Bytes of JSON and of form fields that are read; what holds a picture has a limit of its own.
MAX_TEXT = 65_536
#: Seconds without a byte after which a sender is given up.
SILENCE = 60.0
#: Bytes a second that a sender must reach: 32 kbit/s, as much as a phone has at the edge of its
#: network. The first :data:`SILENCE` seconds are for free.
LEAST_RATE = 4_000
#: How a body may be packed; aiohttp unpacks these.
ENCODINGS = frozenset({"identity", "gzip", "deflate", "br", "zstd"})
#: Marks of structure in JSON that is longer than :data:`MAX_TEXT`: the rest are strings, which need
#: little more memory once they are read than before.
MAX_MARKS = 4_096

#: Counts bytes that are kept; raises if they are too many.
Take = Callable[[int], None]


class Source(Protocol):
    """Where bytes come from, a chunk at a time."""

    async def read(self) -> bytes:
        """The next bytes; none at the end."""


class Body:
    """The body of a request, unpacked. Raises ``unsupported_body`` where it is packed in another
    way, and ``slow_upload`` from :meth:`read`; only the time spent waiting for bytes counts."""

    def __init__(self, request: web.Request, allowance: float = math.inf) -> None:
        encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ENCODINGS:
            raise UnmaskError(
                "unsupported_body",
                f"The body's Content-Encoding is none of {', '.join(sorted(ENCODINGS))}.",
            )
        self._request = request
        self._allowance = allowance
        self._received = 0
        self._waited = 0.0
        self._expects = request.headers.get("Expect", "").lower() == "100-continue"

    def allow(self, count: int) -> None:
        """Let ``count`` more bytes through."""
        self._allowance += count

    async def read(self) -> bytes:
        """The next bytes; none at the end."""
        if self._expects:
            # Not before somebody reads: what is refused by its head need not be sent.
            self._expects = False
            await self._request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        seconds = min(SILENCE, SILENCE + self._received / LEAST_RATE - self._waited)
        start = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                chunk = await self._request.content.read(CHUNK)
        except TimeoutError as late:
            message = f"The picture came more slowly than {LEAST_RATE:,} bytes a second."
            raise UnmaskError("slow_upload", message, bytes_a_second=LEAST_RATE) from late
        self._waited += time.monotonic() - start
        self._received += len(chunk)
        if self._received > self._allowance:
            raise UnmaskError("too_many_bytes", "The form holds too much besides its pictures.")
        return chunk


async def read_all(source: Source, limit: int, take: Take = lambda _: None) -> bytes:
    """All bytes of ``source``, of which ``take`` counts each; raises ``too_many_bytes`` beyond
    ``limit``, and what ``source`` and ``take`` raise."""
    data = bytearray()
    try:
        while chunk := await source.read():
            if len(data) + len(chunk) > limit:
                raise too_many_bytes(limit)
            take(len(chunk))
            data += chunk
        return bytes(data)
    finally:
        # An error keeps this frame, and with it the bytes, until cycles are collected.
        data.clear()


async def read_json(source: Source, limit: int, take: Take = lambda _: None) -> dict[str, Any]:
    """The JSON object in a body, in UTF-8; raises ``bad_request``, and as :func:`read_all`."""
    raw = await read_all(source, limit, take)
    try:
        value = await asyncio.to_thread(_parsed, raw) if len(raw) > MAX_TEXT else _parsed(raw)
    except (ValueError, RecursionError) as error:
        raise UnmaskError("bad_request", "The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise UnmaskError("bad_request", "The body must be a JSON object.")
    return value


async def read_pairs(request: web.Request, limit: int, most: int) -> list[tuple[str, str]]:
    """The fields of a form in their order, at most ``most``; raises ``bad_request`` and
    ``too_many_bytes``. Only UTF-8 is read: Python has decoders that take seconds for little."""
    if (request.charset or "utf-8").lower() not in {"utf-8", "us-ascii"}:
        raise UnmaskError("bad_request", "The form must be in UTF-8.")
    try:
        text = (await read_all(Body(request), limit)).decode()
        return parse_qsl(text, encoding="utf-8", errors="strict", max_num_fields=most)
    except ValueError as error:
        raise UnmaskError("bad_request", "The form cannot be read as text.") from error


def too_many_bytes(limit: int) -> UnmaskError:
    """The error for a file beyond ``limit`` bytes."""
    return UnmaskError("too_many_bytes", f"The file is larger than {limit:,} bytes.", limit=limit)


def _parsed(raw: bytes) -> Any:
    if len(raw) > MAX_TEXT and sum(raw.count(mark) for mark in b"{[:,\\") > MAX_MARKS:
        raise ValueError("too much structure")
    return json.loads(raw.decode("utf-8-sig"))
