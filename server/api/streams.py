"""The bytes of a request's body: counted while they arrive, and cut off when they take too long."""

from __future__ import annotations

import json
from asyncio import timeout
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web

from unmask.errors import UnmaskError

CHUNK = 65_536
#: Bytes of JSON and of form fields that are read; pictures have a limit of their own.
MAX_TEXT = 65_536
#: Seconds that a client may take to send one picture.
SECONDS_TO_SEND = 60.0


async def read_all(source: BodyPartReader | StreamReader, limit: int) -> bytes:
    """All bytes of ``source``; raises ``too_many_bytes`` once they exceed ``limit``, and
    ``slow_upload``."""
    data = bytearray()
    async with _in_time():
        while chunk := await _chunk(source):
            data += chunk
            if len(data) > limit:
                message = f"The file is larger than {limit:,} bytes."
                raise UnmaskError("too_many_bytes", message, limit=limit)
    return bytes(data)


async def read_json(request: web.Request) -> dict[str, Any]:
    """The JSON object in a request's body; raises ``bad_request``, and as :func:`read_all`."""
    raw = await read_all(request.content, MAX_TEXT)
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise UnmaskError("bad_request", "The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise UnmaskError("bad_request", "The body must be a JSON object.")
    return value


async def read_field(part: BodyPartReader) -> str:
    """The text of a form's field, without spaces around it."""
    return (await read_all(part, MAX_TEXT)).decode("utf-8", "replace").strip()


async def parts_of(request: web.Request) -> AsyncIterator[BodyPartReader]:
    """The parts of a form, each within its time; what is malformed is ``bad_request``."""
    try:
        reader: MultipartReader = await request.multipart()
        while True:
            async with _in_time():
                part = await reader.next()
            if part is None:
                return
            if isinstance(part, MultipartReader):
                raise UnmaskError("bad_request", "A form within a form is not read.")
            yield part
    except (ValueError, AssertionError, RuntimeError, web.RequestPayloadError) as error:
        raise UnmaskError("bad_request", "The form is malformed or was cut short.") from error


async def _chunk(source: BodyPartReader | StreamReader) -> bytes:
    if isinstance(source, BodyPartReader):
        return await source.read_chunk(CHUNK)
    return await source.read(CHUNK)


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with timeout(SECONDS_TO_SEND):
            yield
    except TimeoutError as late:
        raise UnmaskError(
            "slow_upload", f"The picture did not arrive within {SECONDS_TO_SEND:g} seconds."
        ) from late
