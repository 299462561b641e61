"""Signing in on the page with an API key, and signing out.

The browser keeps the id of a session in a cookie that no script can read, and never the key.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from aiohttp import web

from server.api.streams import Body, read_all
from server.context import KEYS, LANGUAGE, POLICY, SESSIONS
from server.security.sessions import COOKIE, LIFETIME
from server.web.rendering import PAGES
from unmask.errors import UnmaskError
from unmask.queue.clients import reachable

#: Before there were sessions, this cookie held the API key itself; browsers are told to drop it.
FORMER_COOKIE = "unmask_key"
MAX_FORM = 4_096


async def begin(request: web.Request) -> web.Response:
    """Begin a session with the key that the form brings, if it is valid."""
    key = await _key_from_form(request)
    with reachable():
        record = await request.app[KEYS].verify(key)
        if record is None:
            return request.app[PAGES].home(
                request[LANGUAGE], signed_in=False, locked=True, wrong_key=True
            )
        await _end_session(request)
        session_id = await request.app[SESSIONS].begin(record.prefix)
    answer = web.HTTPSeeOther("/")
    # Lax: another site may lead people here signed in by a link, but it can send nothing in their
    # name (see also server/middleware/origin.py).
    answer.set_cookie(
        COOKIE,
        session_id,
        max_age=LIFETIME,
        httponly=True,
        samesite="Lax",
        secure=request.app[POLICY].https,
    )
    answer.del_cookie(FORMER_COOKIE)
    raise answer


async def end(request: web.Request) -> web.Response:
    """End the session, here and in the browser."""
    with reachable():
        await _end_session(request)
    answer = web.HTTPSeeOther("/")
    answer.del_cookie(COOKIE)
    answer.del_cookie(FORMER_COOKIE)
    raise answer


async def _end_session(request: web.Request) -> None:
    session_id = request.cookies.get(COOKIE)
    if session_id is not None:
        await request.app[SESSIONS].end(session_id)


async def _key_from_form(request: web.Request) -> str:
    """The field ``key``. Only UTF-8 is read: Python has decoders that take seconds for little."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise UnmaskError("unsupported_body", "Send the key as a form.")
    if (request.charset or "utf-8").lower() not in {"utf-8", "us-ascii"}:
        raise UnmaskError("bad_request", "The form must be in UTF-8.")
    try:
        raw = await read_all(Body(request), MAX_FORM)
        values = parse_qs(raw.decode(), encoding="utf-8", errors="strict", max_num_fields=16)
    except ValueError as error:
        raise UnmaskError("bad_request", "The form cannot be read as text.") from error
    return values.get("key", [""])[0].strip()
