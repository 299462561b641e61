"""Signing in on the page: the browser keeps the API key in a cookie that no script can read."""

from __future__ import annotations

from aiohttp import web

from server.context import COOKIE, KEYS, POLICY
from server.web.rendering import PAGES
from unmask.errors import UnmaskError
from unmask.queue.clients import reachable

DAYS = 30
MAX_FORM = 4_096


async def begin(request: web.Request) -> web.Response:
    """Keep the key that the form brings, if it is valid."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise UnmaskError("unsupported_body", "Send the key as a form.")
    if (request.content_length or 0) > MAX_FORM:
        raise UnmaskError("too_many_bytes", "That is not an API key.", limit=MAX_FORM)
    try:
        form = await request.post()
    except (ValueError, LookupError) as error:
        # What is not of its charset, and a charset that there is not.
        raise UnmaskError("bad_request", "The form cannot be read as text.") from error
    key = str(form.get("key", "")).strip()
    with reachable():
        known = await request.app[KEYS].verify(key)
    if known is None:
        return request.app[PAGES].home(signed_in=False, locked=True, wrong_key=True)
    answer = web.HTTPSeeOther("/")
    # Strict: no other site can make this browser use the key, not even by a link.
    answer.set_cookie(
        COOKIE,
        key,
        max_age=DAYS * 86_400,
        httponly=True,
        samesite="Strict",
        secure=request.app[POLICY].https,
    )
    raise answer


async def end(request: web.Request) -> web.Response:
    """Forget the key."""
    answer = web.HTTPSeeOther("/")
    answer.del_cookie(COOKIE, httponly=True, samesite="Strict")
    raise answer
