"""A person's own account: the password, the other ways to sign in, and the sessions."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel

from server.context import ADDRESS, DESK, person_cookie_of
from server.desk.fields import RowId, read_fields
from server.web.desk.addresses import to
from server.web.desk.rendering import show
from server.web.desk.sessions import confirm_person, person_of
from server.web.desk.ways_in import ways_in
from unmask.errors import UnmaskError


class NewPassword(BaseModel):
    """The password that was, and the one that is to be."""

    old: str = ""
    new: str = ""


class SessionChoice(BaseModel):
    """One of the person's sessions."""

    session: str = ""


class IdentityChoice(BaseModel):
    """One of the person's ways to sign in, and another name for it, or what proves who it is."""

    identity: RowId
    name: str = ""
    password: str = ""


async def page(request: web.Request) -> web.Response:
    """How the person signs in, and where the person is signed in."""
    return await account_page(request)


async def change_password(request: web.Request) -> web.Response:
    """Change the own password; other sessions end."""
    person, token = person_of(request), request.cookies.get(person_cookie_of(request), "")
    fields = await read_fields(request, NewPassword)
    try:
        await request.app[DESK].sessions.change_password(
            person, fields.old, fields.new, token=token, address=request[ADDRESS]
        )
    except UnmaskError as error:
        return await account_page(request, error)
    return await account_page(request, changed=True)


async def end_session(request: web.Request) -> web.Response:
    """End one of the person's sessions, or all others."""
    person, token = person_of(request), request.cookies.get(person_cookie_of(request), "")
    fields = await read_fields(request, SessionChoice)
    if fields.session:
        await request.app[DESK].sessions.end_one(person, fields.session)
    else:
        await request.app[DESK].sessions.end_all(person, but=token)
    raise web.HTTPSeeOther(to(request, "/account"))


async def rename_identity(request: web.Request) -> web.Response:
    """Give a passkey, or an account at a provider, another name."""
    person, fields = person_of(request), await read_fields(request, IdentityChoice)
    try:
        await request.app[DESK].identities.rename(person, fields.identity, fields.name)
    except UnmaskError as error:
        return await account_page(request, error)
    raise web.HTTPSeeOther(to(request, "/account"))


async def remove_identity(request: web.Request) -> web.Response:
    """Let a passkey, or an account at a provider, no longer sign the person in."""
    fields = await read_fields(request, IdentityChoice)
    try:
        person = await confirm_person(request, fields.password)
        await request.app[DESK].identities.remove(person, fields.identity)
    except UnmaskError as error:
        return await account_page(request, error)
    raise web.HTTPSeeOther(to(request, "/account"))


async def account_page(
    request: web.Request,
    error: UnmaskError | None = None,
    *,
    changed: bool = False,
    code: str = "",
) -> web.Response:
    """The page, after an error, with the word that the password was changed, or with a new code
    for the team's bot."""
    desk, person = request.app[DESK], person_of(request)
    token = request.cookies.get(person_cookie_of(request), "")
    return show(
        request,
        "account.html",
        error.status if error else 200,
        sessions=await desk.sessions.list(person, token),
        identities=await desk.identities.list(person),
        has_password=await desk.sessions.has_password(person),
        is_fresh=await desk.sessions.is_fresh(token),
        ways=ways_in(request),
        links=await desk.linked.of_person(person),
        code=code,
        changed=changed,
        error=error.as_json()["error"] if error else None,
    )
