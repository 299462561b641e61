"""Signing in on the page with an API key, and signing out.

The browser keeps the id of a session in a cookie that no script can read, and never the key.
"""

from __future__ import annotations

from aiohttp import web

from server.api.streams import read_pairs
from server.context import KEYS, SESSIONS, cookie_of
from server.security.sessions import COOKIE, LIFETIME
from server.web.rendering import PAGES, root_of, view_of
from server.web.secret_cookies import drop_cookie, give_cookie
from unmask.errors import UnmaskError
from unmask.queue.clients import reachable

#: Cookies of versions before, the first of which held the API key itself: browsers drop them.
FORMER_COOKIES = frozenset({"unmask_key", COOKIE})
MAX_FORM = 4_096


async def begin(request: web.Request) -> web.Response:
    """Begin a session with the key that the form brings, if it is valid."""
    key = await _key_from_form(request)
    with reachable():
        record = await request.app[KEYS].verify(key)
        if record is None:
            return request.app[PAGES].home(
                view_of(request), signed_in=False, locked=True, wrong_key=True
            )
        await _end_session(request)
        session_id = await request.app[SESSIONS].begin(record.prefix)
    answer = web.HTTPSeeOther(root_of(request))
    give_cookie(request, answer, cookie_of(request), session_id, LIFETIME)
    _drop_former_cookies(request, answer)
    raise answer


async def end(request: web.Request) -> web.Response:
    """End the session, here and in the browser."""
    with reachable():
        await _end_session(request)
    answer = web.HTTPSeeOther(root_of(request))
    drop_cookie(request, answer, cookie_of(request))
    _drop_former_cookies(request, answer)
    raise answer


def _drop_former_cookies(request: web.Request, answer: web.HTTPException) -> None:
    for name in FORMER_COOKIES - {cookie_of(request)}:
        answer.del_cookie(name)


async def _end_session(request: web.Request) -> None:
    session_id = request.cookies.get(cookie_of(request))
    if session_id is not None:
        await request.app[SESSIONS].end(session_id)


async def _key_from_form(request: web.Request) -> str:
    """The field ``key``."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise UnmaskError("unsupported_body", "Send the key as a form.")
    return dict(await read_pairs(request, MAX_FORM, 16)).get("key", "").strip()
