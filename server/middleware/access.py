"""Who sends a request, whether its route is open to them, and whether they send too many."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from server.context import (
    ACTOR,
    ADDRESS,
    BACKPRESSURE,
    IDENTITIES,
    POLICY,
    TEAM_ACTOR,
    cookie_of,
    person_cookie_of,
)
from server.routes import UNCOUNTED, permission_of
from server.security.policy import counted_address
from unmask.permissions import require
from unmask.queue.clients import reachable

#: Names the person for whom a team's key acts, by the token of the person's link.
LINK_HEADER = "Unmask-Link"


@web.middleware
async def access(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Set the actor, and at a team's desk who acts there.

    Raises ``rate_limited``, ``key_needed``, ``key_scope``; at a desk also ``sign_in_needed``,
    ``not_allowed``, and ``not_found`` for another team's.
    """
    request[ADDRESS] = address = counted_address(
        request.remote,
        request.headers.getall("X-Forwarded-For", []),
        request.app[POLICY].proxies,
    )
    resource = request.match_info.route.resource
    path = resource.canonical if resource is not None else ""
    if path not in UNCOUNTED:
        await request.app[BACKPRESSURE].count_request(address)
    with reachable():
        request[ACTOR] = await request.app[IDENTITIES].identify(
            request.headers.get("Authorization"),
            request.cookies.get(cookie_of(request)),
            request.cookies.get(person_cookie_of(request)),
        )
    needed, team = permission_of(request.method, path), request.match_info.get("team")
    if team is None:
        require(request[ACTOR], needed)
    else:
        request[TEAM_ACTOR] = await request.app[IDENTITIES].in_team(
            request[ACTOR], team, request.headers.get(LINK_HEADER)
        )
        require(request[TEAM_ACTOR], needed)
    return await handler(request)
