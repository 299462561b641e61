"""Signing in at the provider that the settings name: the way there, and back with a code.

A form leads to a page of ours that leads on: with ``form-action 'self'`` browsers follow no form's
answer to another host, and providers have several. The form is sent by POST alone, so that no
other site can begin this for a person; a cookie holds what the browser was sent there with.
"""

from __future__ import annotations

import hmac
import json

from aiohttp import web
from pydantic import BaseModel, ValidationError

from desk.accounts import OidcAccount, OidcPurpose
from desk.accounts.challenges import LIFETIME
from server.context import ACTOR, DESK, state_cookie_of
from server.desk.fields import read_fields
from server.web.desk.account import account_page
from server.web.desk.addresses import to
from server.web.desk.joining import Joining, link_form
from server.web.desk.rendering import show
from server.web.desk.sessions import begin_session, confirm_person, local_path, person_of
from server.web.desk.sign_in import sign_in_form
from server.web.secret_cookies import drop_cookie, give_cookie
from unmask.errors import BEGIN_AGAIN, NOT_TIED, PROVIDER, UnmaskError


class Errand(BaseModel):
    """Why a person goes to the provider, and how it goes on afterwards: the page that the person
    came for, or the invitation with the name and the login that the person chose."""

    purpose: OidcPurpose = OidcPurpose.SIGN_IN
    next: str = ""
    link: str = ""
    name: str = ""
    login: str = ""
    person: int | None = None
    password: str = ""


async def begin(request: web.Request) -> web.StreamResponse:
    """Lead the browser to the provider."""
    errand = await read_fields(request, Errand)
    oidc, person = request.app[DESK].oidc, None
    try:
        if errand.purpose is OidcPurpose.TIE:
            person = await confirm_person(request, errand.password)
        noted = errand.model_copy(update={"person": person})
        note = noted.model_dump_json(exclude={"purpose", "password"})
        state, address = await oidc.begin(errand.purpose, note)
    except UnmaskError as error:
        return await _failed(request, errand, error)
    answer = show(request, "provider.html", provider=oidc.name, address=address)
    answer.headers["Refresh"] = f"0; url={address}"
    seconds = int(LIFETIME.total_seconds())
    give_cookie(request, answer, state_cookie_of(request), state, seconds)
    return answer


async def finish(request: web.Request) -> web.StreamResponse:
    """Take a browser back that was at the provider, with the account that it brings."""
    errand = Errand()
    try:
        account = await request.app[DESK].oidc.finish(_state(request), _code(request))
        errand = _errand(account)
        answer = await _let_in(request, account, errand)
    except UnmaskError as error:
        answer = await _failed(request, errand, error)
    drop_cookie(request, answer, state_cookie_of(request))
    if isinstance(answer, web.HTTPException):
        raise answer
    return answer


def _state(request: web.Request) -> str:
    """The state of the query, if this browser was sent away with it."""
    state = request.query.get("state", "")
    kept = request.cookies.get(state_cookie_of(request), "")
    if not kept or not hmac.compare_digest(state.encode(), kept.encode()):
        message = "This browser did not begin to sign in here. Please begin again."
        raise UnmaskError("link_invalid", message, reason=BEGIN_AGAIN)
    return state


def _code(request: web.Request) -> str:
    """The provider's code; raises ``sign_in_failed`` where the provider, or the person, refused."""
    code = request.query.get("code", "")
    if not code:
        message = "The provider did not confirm who you are."
        raise UnmaskError("sign_in_failed", message, reason=PROVIDER)
    return code


def _errand(account: OidcAccount) -> Errand:
    try:
        return Errand.model_validate(json.loads(account.note) | {"purpose": account.purpose})
    except (ValueError, ValidationError) as error:
        raise UnmaskError("bad_request", "Please begin again.") from error


async def _let_in(request: web.Request, account: OidcAccount, errand: Errand) -> web.StreamResponse:
    """What follows from the account: a session, another way to sign in, or a new person."""
    desk = request.app[DESK]
    if errand.purpose is OidcPurpose.TIE:
        person = person_of(request)
        if person != errand.person:
            raise UnmaskError("link_invalid", "Please begin again.", reason=BEGIN_AGAIN)
        await desk.oidc.tie(person, account)
        return web.HTTPSeeOther(to(request, "/account"))
    if errand.purpose is OidcPurpose.JOIN:
        person_id = await _join(request, account, errand)
    elif account.person_id is None:
        message = (
            "This account belongs to nobody here. Sign in another way and add it to your account, "
            "or open an invitation and join with it."
        )
        raise UnmaskError("sign_in_failed", message, reason=NOT_TIED)
    else:
        person_id = account.person_id
    answer = web.HTTPSeeOther(to(request, local_path(errand.next)))
    return await begin_session(request, person_id, answer)


async def _join(request: web.Request, account: OidcAccount, errand: Errand) -> int:
    """Use the invitation: as the person whose account it is, else as a new one, who is named as
    the form says, or as the provider does."""
    desk = request.app[DESK]
    if account.person_id is not None:
        await desk.links.join_as(errand.link, account.person_id)
        return account.person_id
    person_id = await desk.links.join(
        errand.link,
        name=errand.name or account.name or account.email,
        login=errand.login or account.email,
        password=None,
    )
    await desk.oidc.tie(person_id, account)
    return person_id


async def _failed(request: web.Request, errand: Errand, error: UnmaskError) -> web.StreamResponse:
    """The page on which the person began, with the error."""
    if errand.purpose is OidcPurpose.TIE and request[ACTOR].person is not None:
        return await account_page(request, error)
    if errand.purpose is OidcPurpose.JOIN and error.code != "link_invalid":
        link = await request.app[DESK].links.peek(errand.link)
        fields = Joining(name=errand.name, login=errand.login)
        return link_form(request, errand.link, link, fields, error)
    return sign_in_form(request, local_path(errand.next), error=error)
