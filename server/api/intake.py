"""From a request's body to pictures: streamed, counted, and passed through the picture's gates."""

from __future__ import annotations

import asyncio
import json
import math
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.context import ACTOR, ADDRESS, ADMISSION, CHECKS, FETCHER, SETTINGS
from unmask.errors import UnmaskError
from unmask.images import open_picture
from unmask.report import Check, Door, Priority
from unmask.settings import Settings

#: Doors that speak over HTTP; the bot and the command line reach the queue themselves.
DOORS = (Door.API, Door.WEB, Door.EXTENSION)
CHUNK = 65_536
#: Bytes of JSON and of form fields that are read; pictures have a limit of their own.
MAX_TEXT = 65_536
#: A team's name, as the queue takes it.
TEAM = r"^[a-z0-9][a-z0-9-]{0,39}$"
#: Seconds that a caller may take to send one picture.
SECONDS_TO_SEND = 60.0
#: URLs of a bulk request that are fetched together: one may take its whole time.
FETCHED_TOGETHER = 6
RAW_TYPES = ("image/", "application/octet-stream")
MULTIPART, JSON = "multipart/form-data", "application/json"


class Options(BaseModel):
    """What a caller may say about a check besides the picture: in the query, in JSON, in a form."""

    model_config = ConfigDict(extra="ignore")

    door: Door = Door.API
    team: str | None = Field(None, pattern=TEAM)


Body = TypeVar("Body", bound=Options)


class UrlBody(Options):
    """The JSON body of a check by URL."""

    url: str


class UrlsBody(Options):
    """The JSON body of many checks by URL."""

    urls: list[str] = Field(min_length=1)


@dataclass(frozen=True)
class Arrival:
    """A picture that came in, or the error that it came to."""

    data: bytes | UnmaskError


def wait_of(request: web.Request) -> float:
    """The seconds of ``?wait=``, at most the longest that is granted; 0 without."""
    text = request.query.get("wait", "0")
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise UnmaskError("bad_request", "'wait' must be a number of seconds, 0 or more.")
    return min(seconds, request.app[SETTINGS].longest_wait)


def options_of(values: dict[str, Any]) -> Options:
    """The options among ``values``; raises ``bad_request``."""
    options = _validated(Options, values)
    if options.door not in DOORS:
        raise UnmaskError("bad_request", f"'door' must be one of {', '.join(DOORS)}.")
    return options


async def one_picture(request: web.Request) -> tuple[bytes, Options]:
    """The picture of a request: a form's ``file`` or ``url``, JSON with ``url``, or raw bytes."""
    values = dict(request.query)
    if request.content_type == MULTIPART:
        return await _from_form(request, values)
    if request.content_type == JSON:
        body = _validated(UrlBody, values | await _json(request))
        return await request.app[FETCHER].fetch(body.url), options_of(body.model_dump())
    if request.content_type.startswith(RAW_TYPES):
        limit = request.app[SETTINGS].max_bytes
        async with _in_time():
            data = await counted(request.content, limit)
        return data, options_of(values)
    raise _unread()


async def many_pictures(request: web.Request) -> tuple[Options, AsyncGenerator[Arrival]]:
    """The pictures of a bulk request, one at a time, in order; options come by the query, or with
    JSON in the body. Each but the first is admitted here. Close the generator: it may have more
    pictures under way."""
    values = dict(request.query)
    most = request.app[SETTINGS].max_bulk
    if request.content_type == JSON:
        body = _validated(UrlsBody, values | await _json(request))
        if len(body.urls) > most:
            raise _too_many_pictures(most)
        options = options_of(body.model_dump())
        return options, _fetched(request, body.urls, options)
    if request.content_type == MULTIPART:
        options = options_of(values)
        return options, _files(request, most, options)
    raise _unread()


async def submit(
    request: web.Request, data: bytes, options: Options, *, bulk: bool = False
) -> Check:
    """Pass a picture through the gates and into the queue, for the caller's team."""
    settings, actor = request.app[SETTINGS], request[ACTOR]
    team = actor.team_for(options.team)
    await room(request, team, bulk=bulk)
    await asyncio.to_thread(open_picture, data, settings)
    idempotency = None if bulk else idempotency_key(request)
    if idempotency is not None and actor.prefix is not None:
        idempotency = f"{actor.prefix}:{idempotency}"
    return await request.app[CHECKS].submit(
        data, door=options.door, team=team, bulk=bulk, idempotency_key=idempotency
    )


def idempotency_key(request: web.Request) -> str | None:
    """The ``Idempotency-Key`` header; raises ``bad_request`` if it is of no use."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
        raise UnmaskError("bad_request", "'Idempotency-Key' must be 1 to 200 printable characters.")
    return key


async def admit(
    request: web.Request, options: Options | None = None, *, bulk: bool = False
) -> None:
    """Count one more picture, and ask for room in its queue; raises ``rate_limited`` or ``busy``.

    Without ``options`` the body is still to be read. If it may name another queue, room is asked
    for later, by :func:`submit`.
    """
    actor = request[ACTOR]
    await request.app[ADMISSION].picture(request[ADDRESS], actor.prefix)
    if options is not None or not _may_name_team(request, bulk):
        named = options.team if options is not None else request.query.get("team")
        await room(request, actor.team_for(named), bulk=bulk)


async def room(request: web.Request, team: str | None, *, bulk: bool) -> None:
    """Ask for room in the queue of a team's checks; raises ``busy``."""
    priority = Priority.BULK if bulk else Priority.INTERACTIVE
    await request.app[ADMISSION].room(request.app[CHECKS].pool_of(team), priority)


def _may_name_team(request: web.Request, bulk: bool) -> bool:
    """Whether the body may name a team that has workers of its own."""
    if not request.app[SETTINGS].team_pools or request[ACTOR].team is not None:
        return False
    return request.content_type in ({JSON} if bulk else {JSON, MULTIPART})


async def _from_form(request: web.Request, values: dict[str, Any]) -> tuple[bytes, Options]:
    data: bytes | None = None
    async for part in _parts(request):
        if part.name == "file":
            if data is not None:
                raise UnmaskError("bad_request", "One picture at a time; see /v1/checks/bulk.")
            data = await _part(part, request.app[SETTINGS])
        elif part.name in {"url", "team", "door"}:
            values[part.name] = (await counted(part, MAX_TEXT)).decode("utf-8", "replace").strip()
    values = {name: value for name, value in values.items() if value != ""}
    url = values.get("url")
    if not data and url:
        return await request.app[FETCHER].fetch(url), options_of(values)
    if data is None:
        raise UnmaskError("bad_request", "The form has neither a 'file' nor a 'url'.")
    return data, options_of(values)


async def _files(request: web.Request, most: int, options: Options) -> AsyncGenerator[Arrival]:
    count = 0
    async for part in _parts(request):
        if part.name != "file":
            continue
        count += 1
        if count > most:
            yield Arrival(_too_many_pictures(most))
            return
        refused = await _refused(request, options) if count > 1 else None
        try:
            yield Arrival(refused or await _part(part, request.app[SETTINGS]))
        except UnmaskError as error:
            if error.code != "too_many_bytes":
                raise
            yield Arrival(error)
    if count == 0:
        raise UnmaskError("bad_request", "The form has no 'file'.")


async def _fetched(
    request: web.Request, urls: list[str], options: Options
) -> AsyncGenerator[Arrival]:
    under_way: deque[asyncio.Task[Arrival]] = deque()
    try:
        for number, url in enumerate(urls):
            refused = await _refused(request, options) if number > 0 else None
            under_way.append(asyncio.create_task(_arrival(request, url, refused)))
            if len(under_way) == FETCHED_TOGETHER:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _arrival(request: web.Request, url: str, refused: UnmaskError | None) -> Arrival:
    try:
        return Arrival(refused or await request.app[FETCHER].fetch(url))
    except UnmaskError as error:
        return Arrival(error)


async def _refused(request: web.Request, options: Options) -> UnmaskError | None:
    """Why one more picture of a bulk request is not taken, if it is not."""
    try:
        await admit(request, options, bulk=True)
    except UnmaskError as error:
        return error
    return None


async def _parts(request: web.Request) -> AsyncIterator[BodyPartReader]:
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


async def _part(part: BodyPartReader, settings: Settings) -> bytes:
    async with _in_time():
        return await counted(part, settings.max_bytes)


async def counted(source: BodyPartReader | StreamReader, limit: int) -> bytes:
    """All bytes of ``source``; raises ``too_many_bytes`` as soon as they exceed ``limit``."""
    data = bytearray()
    while True:
        if isinstance(source, BodyPartReader):
            chunk = await source.read_chunk(CHUNK)
        else:
            chunk = await source.read(CHUNK)
        if not chunk:
            return bytes(data)
        data += chunk
        if len(data) > limit:
            raise UnmaskError(
                "too_many_bytes", f"The file is larger than {limit:,} bytes.", limit=limit
            )


async def _json(request: web.Request) -> dict[str, Any]:
    async with _in_time():
        raw = await counted(request.content, MAX_TEXT)
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise UnmaskError("bad_request", "The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise UnmaskError("bad_request", "The body must be a JSON object.")
    return value


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    """Bounds how long a caller may take to send; raises ``slow_upload``."""
    try:
        async with asyncio.timeout(SECONDS_TO_SEND):
            yield
    except TimeoutError as late:
        raise UnmaskError(
            "slow_upload", f"The picture did not arrive within {SECONDS_TO_SEND:g} seconds."
        ) from late


def _validated(kind: type[Body], values: dict[str, Any]) -> Body:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "body"
        raise UnmaskError("bad_request", f"'{where}': {first['msg']}.", field=where) from error


def _too_many_pictures(most: int) -> UnmaskError:
    return UnmaskError("bad_request", f"More than {most} pictures in one request.", limit=most)


def _unread() -> UnmaskError:
    return UnmaskError(
        "unsupported_body", "Send a form with a file, JSON with a 'url', or the bytes of a picture."
    )
