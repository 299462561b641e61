"""Signing in to the desk with a login and a password, and signing out."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel

from server.context import ACTOR, ADDRESS, DESK, person_cookie_of
from server.desk.fields import read_fields
from server.web.desk.addresses import to
from server.web.desk.rendering import show
from server.web.desk.sessions import drop_session, local_path, with_session
from server.web.desk.ways_in import ways_in
from unmask.errors import UnmaskError


class SignIn(BaseModel):
    """Login and password, and the page that the person came for."""

    login: str = ""
    password: str = ""
    next: str = ""


async def sign_in_page(request: web.Request) -> web.Response:
    """The form to sign in with; a person who has done so goes on, unless it is to be done again."""
    wanted = local_path(request.query.get("next", ""))
    if request[ACTOR].person is not None and "again" not in request.query:
        raise web.HTTPSeeOther(to(request, wanted))
    return sign_in_form(request, wanted)


async def sign_in(request: web.Request) -> web.Response:
    """Begin a session."""
    fields = await read_fields(request, SignIn)
    wanted = local_path(fields.next)
    try:
        token = await request.app[DESK].sessions.sign_in(
            fields.login,
            fields.password,
            address=request[ADDRESS],
            user_agent=request.headers.get("User-Agent", ""),
        )
    except UnmaskError as error:
        if error.code not in ("sign_in_failed", "rate_limited"):
            raise
        return sign_in_form(request, wanted, fields.login, error)
    raise await with_session(request, token, web.HTTPSeeOther(to(request, wanted)))


async def sign_out(request: web.Request) -> web.Response:
    """End the session, here and in the browser."""
    token = request.cookies.get(person_cookie_of(request))
    if token:
        await request.app[DESK].sessions.end(token)
    raise drop_session(request, web.HTTPSeeOther(to(request, "/")))


async def desk_home(request: web.Request) -> web.Response:
    """The desk of the person's team, or a list of the person's teams."""
    person = request[ACTOR].person
    if person is None:
        raise web.HTTPSeeOther(to(request, "/sign-in?next=/desk"))
    if len(person.teams) == 1:
        raise web.HTTPSeeOther(to(request, f"/t/{person.teams[0].team}"))
    return show(request, "teams.html")


def sign_in_form(
    request: web.Request, wanted: str, login: str = "", error: UnmaskError | None = None
) -> web.Response:
    """The form, after an error with what was written; ``wanted`` is where the person goes on."""
    return show(
        request,
        "sign_in.html",
        error.status if error else 200,
        next=wanted,
        login=login,
        ways=ways_in(request),
        error=error.as_json()["error"] if error else None,
    )
