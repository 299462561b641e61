"""The part of a person's account that links chat accounts to it."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel

from server.context import DESK
from server.desk.fields import RowId, read_fields
from server.web.desk.account import account_page
from server.web.desk.addresses import to
from server.web.desk.passkeys import Proof
from server.web.desk.sessions import confirm_person, person_of
from unmask.errors import UnmaskError


class LinkChoice(BaseModel):
    """One of the person's links."""

    link: RowId


async def make_code(request: web.Request) -> web.Response:
    """A code for the team's bot, shown once."""
    fields = await read_fields(request, Proof)
    try:
        person = await confirm_person(request, fields.password)
    except UnmaskError as error:
        return await account_page(request, error)
    code = await request.app[DESK].linked.make_code(person)
    return await account_page(request, code=code)


async def end_link(request: web.Request) -> web.Response:
    """End one of the person's links."""
    fields = await read_fields(request, LinkChoice)
    await request.app[DESK].linked.end_own(person_of(request), fields.link)
    raise web.HTTPSeeOther(to(request, "/account#linked"))
