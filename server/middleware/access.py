"""Who sends a request, whether its route is open to them, and whether they send too many."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from server.context import ACTOR, ADDRESS, BACKPRESSURE, IDENTITIES, POLICY, cookie_of
from server.routes import UNCOUNTED, permission_of
from server.security.policy import counted_address
from unmask.permissions import require
from unmask.queue.clients import reachable


@web.middleware
async def access(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Set the actor; raises ``rate_limited``, ``key_needed`` or ``key_scope``."""
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
            request.headers.get("Authorization"), request.cookies.get(cookie_of(request))
        )
    require(request[ACTOR], permission_of(request.method, path))
    return await handler(request)
