"""The pages of one-time links: joining a team, and choosing a new password."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel

from desk.accounts import LinkRecord
from desk.vocabulary import LinkPurpose
from server.context import ACTOR, DESK
from server.desk.fields import read_fields
from server.web.desk.addresses import to
from server.web.desk.rendering import show
from server.web.desk.sessions import begin_session
from server.web.desk.ways_in import ways_in
from unmask.errors import UnmaskError


class Joining(BaseModel):
    """A new person's name, login and password; only the password where a link sets another."""

    name: str = ""
    login: str = ""
    password: str = ""


async def page(request: web.Request) -> web.Response:
    """What a one-time link is for; it stays unused, since programs that preview links open them."""
    token = request.match_info["token"]
    return link_form(request, token, await request.app[DESK].links.peek(token))


async def use(request: web.Request) -> web.Response:
    """Join a team, or set a new password, and begin a session."""
    desk, token = request.app[DESK], request.match_info["token"]
    link, fields = await desk.links.peek(token), await read_fields(request, Joining)
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
        return link_form(request, token, link, fields, error)
    answer = web.HTTPSeeOther(to(request, f"/t/{link.team}" if link.team else "/desk"))
    raise await begin_session(request, person_id, answer)


def link_form(
    request: web.Request,
    token: str,
    link: LinkRecord,
    fields: Joining | None = None,
    error: UnmaskError | None = None,
) -> web.Response:
    """The form of a link, after an error with what was written."""
    return show(
        request,
        "link.html",
        error.status if error else 200,
        token=token,
        link=link,
        fields=fields or Joining(),
        ways=ways_in(request),
        error=error.as_json()["error"] if error else None,
    )
