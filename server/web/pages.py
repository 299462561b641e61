"""The pages: where photos are dropped, the page of one check, the reference."""

from __future__ import annotations

import json
from pathlib import Path

from aiohttp import web

from desk.accounts.sessions import Membership
from server.api.pictures import metadata_of
from server.api.responses import check_of, shown_check
from server.api.submission import Submission
from server.context import ACTOR, DOCUMENT
from server.security.identity import Actor
from server.web.rendering import PAGES, Offers, root_of, view_of
from unmask.errors import UnmaskError
from unmask.permissions import Permission, Role, may
from unmask.report import Check, Door

#: The page's own files, by name.
STATIC = {file.name: file for file in (Path(__file__).parent / "static").iterdir()}


async def home(request: web.Request) -> web.Response:
    """The page to drop photos on; where keys are needed, a person signs in with one first."""
    actor = request[ACTOR]
    return request.app[PAGES].home(
        view_of(request),
        signed_in=actor.key is not None,
        locked=actor.role is Role.VISITOR,
        # The checks made here are the actor's own team's.
        may_remove=may(actor, Permission.DELETE_CHECK),
    )


async def create(request: web.Request) -> web.Response:
    """The form of the page, for browsers that run no script."""
    submission = Submission(request)
    await submission.admit()
    check = await submission.take_one(Door.WEB)
    raise web.HTTPSeeOther(f"{root_of(request)}c/{check.id}")


async def check(request: web.Request) -> web.Response:
    """The page of one check."""
    check = await shown_check(request)
    return request.app[PAGES].check(view_of(request), check, _offers(request, check))


async def card(request: web.Request) -> web.Response:
    """The card of one check, which the script puts into a page."""
    check = await shown_check(request)
    return request.app[PAGES].card(view_of(request), check, _offers(request, check))


async def metadata(request: web.Request) -> web.Response:
    """All metadata of the file of a check, explained."""
    check = await check_of(request)
    fields = json.loads(await metadata_of(request, check))
    back = f"{root_of(request)}c/{check.id}"
    return request.app[PAGES].metadata(view_of(request), fields, back)


async def reference(request: web.Request) -> web.Response:
    """The API for readers."""
    return request.app[PAGES].reference(view_of(request), request.app[DOCUMENT])


async def static(request: web.Request) -> web.FileResponse:
    """One of the page's own files."""
    file = STATIC.get(request.match_info["name"])
    if file is None:
        raise UnmaskError("not_found", "There is nothing at this address.")
    return web.FileResponse(file)


def _offers(request: web.Request, check: Check) -> Offers:
    actor = request[ACTOR]
    return Offers(
        may_remove=may(actor, Permission.DELETE_CHECK, check),
        may_read_metadata=may(actor, Permission.READ_METADATA, check),
        teams=_teams(actor),
    )


def _teams(actor: Actor) -> tuple[Membership, ...]:
    """The teams whose desk a person may send a check to."""
    teams = actor.person.teams if actor.person is not None else ()
    return tuple(team for team in teams if team.role is not Role.VIEWER)
