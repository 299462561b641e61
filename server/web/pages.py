"""The pages: where photos are dropped, the page of one check, the reference."""

from __future__ import annotations

from aiohttp import web

from server.api.answers import found_check
from server.api.intake import admit, one_picture, submit
from server.api.openapi import document
from server.context import CALLER, CHECKS, POLICY
from server.security.keys import Scope
from server.web.rendering import PAGES
from unmask.report import Check, Door, Report, State


async def home(request: web.Request) -> web.Response:
    """The page to drop photos on; where keys are needed, a person signs in with one first."""
    signed_in = request[CALLER].key is not None
    locked = request.app[POLICY].keys_needed and not signed_in
    # A key that is bound to a team makes checks of that team only.
    key = request[CALLER].key
    may_remove = _may_remove(request, key.team if key is not None else None)
    return request.app[PAGES].home(signed_in=signed_in, locked=locked, may_remove=may_remove)


async def check(request: web.Request) -> web.Response:
    """The form of the page, for browsers that run no script."""
    await admit(request)
    data, options = await one_picture(request)
    options = options.model_copy(update={"door": Door.WEB})
    taken = await submit(request, data, options)
    raise web.HTTPSeeOther(f"/c/{taken.id}")


async def shared(request: web.Request) -> web.Response:
    """The page of one check."""
    found = await found_check(request)
    report, may_remove = await _report(request, found), _may_remove(request, found.team)
    return request.app[PAGES].check(found, report, may_remove=may_remove)


async def card(request: web.Request) -> web.Response:
    """The card of one check, which the script puts into a page."""
    found = await found_check(request)
    report, may_remove = await _report(request, found), _may_remove(request, found.team)
    return request.app[PAGES].card(found, report, may_remove=may_remove)


async def reference(request: web.Request) -> web.Response:
    """The API for readers."""
    return request.app[PAGES].reference(document())


async def _report(request: web.Request, found: Check) -> Report | None:
    return await request.app[CHECKS].report(found.id) if found.state is State.DONE else None


def _may_remove(request: web.Request, team: str | None) -> bool:
    """Whether removing a check of ``team`` would be granted to the caller."""
    if not request.app[POLICY].keys_needed:
        return True
    key = request[CALLER].key
    return key is not None and Scope.DELETE in key.scopes and key.team in (None, team)
