"""Signing in to the desk, joining a team by a link, and one's own account."""

from __future__ import annotations

import re

from aiohttp import web
from pydantic import BaseModel

from desk.accounts import LinkRecord
from desk.accounts.sessions import LIFETIME
from desk.vocabulary import LinkPurpose
from server.context import ACTOR, ADDRESS, DESK, POLICY, person_cookie_of, prefix_of
from server.desk.fields import read_fields
from server.web.desk.addresses import to
from server.web.desk.rendering import show
from unmask.errors import UnmaskError

_LOCAL = re.compile(r"/(?!/)[A-Za-z0-9/_.~?=&%+-]*", re.ASCII)


class SignIn(BaseModel):
    """Login and password, and the page that the person came for."""

    login: str = ""
    password: str = ""
    next: str = ""


class Joining(BaseModel):
    """A new person's name, login and password; only the password where a link sets another."""

    name: str = ""
    login: str = ""
    password: str = ""


class NewPassword(BaseModel):
    """The password that was, and the one that is to be."""

    old: str = ""
    new: str = ""


class SessionChoice(BaseModel):
    """One of the person's sessions."""

    session: str = ""


async def sign_in_page(request: web.Request) -> web.Response:
    """The form to sign in with; a person who has done so goes on."""
    wanted = local_path(request.query.get("next", ""))
    if request[ACTOR].person is not None:
        raise web.HTTPSeeOther(to(request, wanted))
    return show(request, "sign_in.html", next=wanted, login="", error=None)


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
        return show(
            request,
            "sign_in.html",
            error.status,
            next=wanted,
            login=fields.login,
            error=error.as_json()["error"],
        )
    raise _with_session(request, token, to(request, wanted))


async def sign_out(request: web.Request) -> web.Response:
    """End the session, here and in the browser."""
    token = request.cookies.get(person_cookie_of(request))
    if token:
        await request.app[DESK].sessions.end(token)
    answer = web.HTTPSeeOther(to(request, "/"))
    answer.del_cookie(
        person_cookie_of(request),
        path=f"{prefix_of(request)}/",
        secure=request.app[POLICY].https,
    )
    raise answer


async def desk_home(request: web.Request) -> web.Response:
    """The desk of the person's team, or a list of the person's teams."""
    person = request[ACTOR].person
    if person is None:
        raise web.HTTPSeeOther(to(request, "/sign-in?next=/desk"))
    if len(person.teams) == 1:
        raise web.HTTPSeeOther(to(request, f"/t/{person.teams[0].team}"))
    return show(request, "teams.html")


async def link_page(request: web.Request) -> web.Response:
    """What a one-time link is for; it stays unused, since programs that preview links open them."""
    return _link_form(request, await _link(request))


async def use_link(request: web.Request) -> web.Response:
    """Join a team, or set a new password, and begin a session."""
    desk, token = request.app[DESK], request.match_info["token"]
    link, fields = await _link(request), await read_fields(request, Joining)
    person = request[ACTOR].person
    try:
        if link.purpose is LinkPurpose.RESET:
            person_id = await desk.links.set_password(token, fields.password)
        elif person is not None:
            await desk.links.join_as(token, person.person_id)
            raise web.HTTPSeeOther(to(request, f"/t/{link.team}"))
        else:
            person_id = await desk.links.join(
                token, name=fields.name, login=fields.login, password=fields.password
            )
    except UnmaskError as error:
        if error.code not in ("bad_request", "already_exists"):
            raise
        return _link_form(request, link, fields, error)
    session = await desk.sessions.begin(person_id, request.headers.get("User-Agent", ""))
    raise _with_session(request, session, to(request, f"/t/{link.team}" if link.team else "/desk"))


async def account(request: web.Request) -> web.Response:
    """The person's own password and sessions."""
    return await _account(request)


async def change_password(request: web.Request) -> web.Response:
    """Change the own password; other sessions end."""
    person, token = _signed_in(request), request.cookies.get(person_cookie_of(request), "")
    fields = await read_fields(request, NewPassword)
    try:
        await request.app[DESK].sessions.change_password(
            person, fields.old, fields.new, token=token, address=request[ADDRESS]
        )
    except UnmaskError as error:
        return await _account(request, error)
    return await _account(request, changed=True)


async def end_session(request: web.Request) -> web.Response:
    """End one of the person's sessions, or all others."""
    person, token = _signed_in(request), request.cookies.get(person_cookie_of(request), "")
    fields = await read_fields(request, SessionChoice)
    if fields.session:
        await request.app[DESK].sessions.end_one(person, fields.session)
    else:
        await request.app[DESK].sessions.end_all(person, but=token)
    raise web.HTTPSeeOther(to(request, "/account"))


def local_path(text: str) -> str:
    """A path of this server that a person may be sent to; the desk if ``text`` is none."""
    return text if _LOCAL.fullmatch(text) else "/desk"


async def _account(
    request: web.Request, error: UnmaskError | None = None, *, changed: bool = False
) -> web.Response:
    person, token = _signed_in(request), request.cookies.get(person_cookie_of(request), "")
    sessions = await request.app[DESK].sessions.list(person, token)
    return show(
        request,
        "account.html",
        error.status if error else 200,
        sessions=sessions,
        changed=changed,
        error=error.as_json()["error"] if error else None,
    )


def _signed_in(request: web.Request) -> int:
    person = request[ACTOR].person
    if person is None:
        raise UnmaskError("sign_in_needed", "Sign in for this.")
    return person.person_id


async def _link(request: web.Request) -> LinkRecord:
    return await request.app[DESK].links.peek(request.match_info["token"])


def _link_form(
    request: web.Request,
    link: LinkRecord,
    fields: Joining | None = None,
    error: UnmaskError | None = None,
) -> web.Response:
    return show(
        request,
        "link.html",
        error.status if error else 200,
        link=link,
        fields=fields or Joining(),
        error=error.as_json()["error"] if error else None,
    )


def _with_session(request: web.Request, token: str, where: str) -> web.HTTPSeeOther:
    """An answer that leads on, and gives the browser a session.

    Lax: a link in a mail finds the person signed in, but another site can send nothing in the
    person's name (see also server/middleware/origin.py).
    """
    answer = web.HTTPSeeOther(where)
    answer.set_cookie(
        person_cookie_of(request),
        token,
        path=f"{prefix_of(request)}/",
        max_age=int(LIFETIME.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=request.app[POLICY].https,
    )
    return answer
