"""Who asks, whether the route is open to them, and whether they have not asked too often."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from server.context import ADMISSION, CALLER, COOKIE, KEYS, POLICY, Caller
from server.routes import SCOPES, UNCOUNTED
from server.security.keys import ApiKey
from server.security.policy import counted_address
from unmask.errors import UnmaskError
from unmask.queue.clients import reachable


@web.middleware
async def access(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Set the caller; raises ``rate_limited``, ``key_needed`` or ``key_scope``."""
    policy = request.app[POLICY]
    address = counted_address(
        request.remote, request.headers.getall("X-Forwarded-For", []), policy.proxies
    )
    resource = request.match_info.route.resource
    path = resource.canonical if resource is not None else ""
    if path not in UNCOUNTED:
        await request.app[ADMISSION].request(address)
    key = await _key(request)
    request[CALLER] = Caller(address, key)
    scope = SCOPES.get((request.method, path))
    if scope is not None and policy.keys_needed:
        if key is None:
            raise UnmaskError("key_needed", "Send an API key: Authorization: Bearer um_...")
        if scope not in key.scopes:
            raise UnmaskError("key_scope", f"This key does not allow that: it lacks '{scope}'.")
    return await handler(request)


async def _key(request: web.Request) -> ApiKey | None:
    header, keys = request.headers.get("Authorization"), request.app[KEYS]
    with reachable():
        if header is None:
            cookie = request.cookies.get(COOKIE)
            return await keys.verify(cookie) if cookie else None
        kind, _, token = header.partition(" ")
        key = await keys.verify(token.strip()) if kind.lower() == "bearer" else None
    if key is None:
        raise UnmaskError("key_needed", "This API key is not valid, or no longer.")
    return key
