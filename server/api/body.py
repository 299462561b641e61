"""Reads requests: the pictures that a body brings, or the URLs where they are, and the options."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.api.forms import parts_of
from server.api.streams import MAX_TEXT, Body, Take, read_all, read_json
from server.context import FETCHER, SETTINGS, UPLOADS, caller_of
from server.upload_memory import Holding
from unmask.data_url import longest_data_url
from unmask.errors import UnmaskError
from unmask.i18n import LANGUAGES
from unmask.report import Door

#: Doors that speak over HTTP; the bot and the command line reach the queue themselves.
DOORS = (Door.API, Door.WEB, Door.EXTENSION)
#: The language of the words on the annotated picture.
LANGUAGE = f"^({'|'.join(LANGUAGES)})$"
#: A team's name, as the queue takes it.
TEAM = r"^[a-z0-9][a-z0-9-]{0,39}$"
#: URLs of a bulk request that are fetched at the same time: one may take its whole time.
FETCH_CONCURRENCY = 6
RAW_TYPES = ("image/", "application/octet-stream")
MULTIPART, JSON = "multipart/form-data", "application/json"


class Options(BaseModel):
    """What a request may say about a check, in its query, its JSON or its form."""

    model_config = ConfigDict(extra="ignore")

    door: Door = Door.API
    team: str | None = Field(None, pattern=TEAM)
    language: str | None = Field(None, pattern=LANGUAGE)


Kind = TypeVar("Kind", bound=Options)


class UrlBody(Options):
    """The JSON body of a check by URL."""

    url: str


class UrlsBody(Options):
    """The JSON body of many checks by URL."""

    urls: list[str] = Field(min_length=1)


@dataclass(frozen=True)
class Upload:
    """A picture of a bulk request, or the error that it ended in; and its account of memory, which
    is released once the picture is stored."""

    data: bytes | UnmaskError
    holding: Holding


#: Asks whether one more picture of a bulk request is taken; raises if it is not.
Admit = Callable[[Options], Awaitable[None]]


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


def idempotency_key(request: web.Request) -> str | None:
    """The ``Idempotency-Key`` header; raises ``bad_request`` if it is of no use."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
        raise UnmaskError("bad_request", "'Idempotency-Key' must be 1 to 200 printable characters.")
    return key


async def one_picture(request: web.Request, take: Take) -> tuple[bytes, Options]:
    """The picture of a request: a form's ``file`` or ``url``, JSON with ``url``, or raw bytes;
    ``take`` counts the bytes that are kept."""
    values = dict(request.query)
    if request.content_type == MULTIPART:
        return await _from_form(request, values, take)
    if request.content_type == JSON:
        sent = await read_json(Body(request), _longest_url(request) + MAX_TEXT, take)
        body = _validated(UrlBody, values | sent)
        return await _fetched(request, body.url, take), _options(body.model_dump())
    if request.content_type.startswith(RAW_TYPES):
        data = await read_all(Body(request), request.app[SETTINGS].max_bytes, take)
        return data, _options(values)
    raise _unsupported()


async def many_pictures(
    request: web.Request, admit: Admit
) -> tuple[Options, AsyncGenerator[Upload]]:
    """The options of a bulk request (from the query, or with JSON from the body) and its pictures,
    one at a time, in order.

    ``admit`` is asked for each picture except the first. Close the generator: more pictures may be
    on their way.
    """
    values = dict(request.query)
    limit = request.app[SETTINGS].max_bulk
    if request.content_type == JSON:
        with request.app[UPLOADS].holding(caller_of(request)) as holding:
            sent = await read_json(Body(request), _longest_url(request) + MAX_TEXT, holding.take)
        body = _validated(UrlsBody, values | sent)
        if len(body.urls) > limit:
            raise _too_many_pictures(limit)
        options = _options(body.model_dump())
        return options, _from_urls(request, body.urls, options, admit)
    if request.content_type == MULTIPART:
        options = _options(values)
        return options, _files(request, limit, options, admit)
    raise _unsupported()


def _options(values: dict[str, Any]) -> Options:
    options = _validated(Options, values)
    if options.door not in DOORS:
        raise UnmaskError("bad_request", f"'door' must be one of {', '.join(DOORS)}.")
    return options


async def _from_form(
    request: web.Request, values: dict[str, Any], take: Take
) -> tuple[bytes, Options]:
    data: bytes | None = None
    async for part in parts_of(Body(request, 0), request.headers["Content-Type"]):
        if part.name == "file":
            if data is not None:
                raise UnmaskError("bad_request", "One picture at a time; see /v1/checks/bulk.")
            data = await part.file(request.app[SETTINGS].max_bytes, take)
        elif part.name == "url":
            values["url"] = await part.text(_longest_url(request), take)
        elif part.name in {"team", "door", "language"}:
            values[part.name] = await part.text()
    values = {name: value for name, value in values.items() if value != ""}
    url = values.get("url")
    if not data and url:
        return await _fetched(request, url, take), _options(values)
    if data is None:
        raise UnmaskError("bad_request", "The form has neither a 'file' nor a 'url'.")
    return data, _options(values)


async def _files(
    request: web.Request, limit: int, options: Options, admit: Admit
) -> AsyncGenerator[Upload]:
    count = 0
    body, max_bytes = Body(request, 0), request.app[SETTINGS].max_bytes
    async for part in parts_of(body, request.headers["Content-Type"], limit + 1):
        if part.name != "file":
            continue
        count += 1
        if count > limit:
            yield Upload(_too_many_pictures(limit), _holding(request))
            return
        refusal = await _refusal(admit, options) if count > 1 else None
        with _holding(request) as holding:
            try:
                data = refusal or await part.file(max_bytes, holding.take)
            except UnmaskError as error:
                if error.code not in {"too_many_bytes", "busy"}:
                    raise
                data = error
            yield Upload(data, holding)
    if count == 0:
        raise UnmaskError("bad_request", "The form has no 'file'.")


async def _from_urls(
    request: web.Request, urls: list[str], options: Options, admit: Admit
) -> AsyncGenerator[Upload]:
    tasks: deque[asyncio.Task[Upload]] = deque()
    try:
        for number, url in enumerate(urls):
            refusal = await _refusal(admit, options) if number > 0 else None
            tasks.append(asyncio.create_task(_fetch(request, url, refusal)))
            if len(tasks) == FETCH_CONCURRENCY:
                yield await tasks.popleft()
        while tasks:
            yield await tasks.popleft()
    finally:
        for task in tasks:
            task.cancel()
        for left in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(left, Upload):
                left.holding.release()


async def _fetch(request: web.Request, url: str, refusal: UnmaskError | None) -> Upload:
    holding = _holding(request)
    try:
        return Upload(refusal or await _fetched(request, url, holding.take), holding)
    except UnmaskError as error:
        holding.release()
        return Upload(error, holding)
    except BaseException:
        holding.release()
        raise


async def _fetched(request: web.Request, url: str, take: Take) -> bytes:
    return await request.app[FETCHER].fetch(url, caller_of(request), take)


def _holding(request: web.Request) -> Holding:
    return request.app[UPLOADS].holding(caller_of(request))


def _longest_url(request: web.Request) -> int:
    """Characters of a URL: a ``data:`` URL may hold a whole picture."""
    return longest_data_url(request.app[SETTINGS].max_bytes)


async def _refusal(admit: Admit, options: Options) -> UnmaskError | None:
    """Why one more picture is not taken; None if it is."""
    try:
        await admit(options)
    except UnmaskError as error:
        return error
    return None


def _validated(kind: type[Kind], values: dict[str, Any]) -> Kind:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(step) for step in first["loc"]) or "body"
        raise UnmaskError("bad_request", f"'{field}': {first['msg']}.", field=field) from error


def _too_many_pictures(limit: int) -> UnmaskError:
    return UnmaskError("bad_request", f"More than {limit} pictures in one request.", limit=limit)


def _unsupported() -> UnmaskError:
    return UnmaskError(
        "unsupported_body", "Send a form with a file, JSON with a 'url', or the bytes of a picture."
    )
