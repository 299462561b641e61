"""Which pages of the web may speak to this server: its own, and those of our browser extension.

A keyless server on loopback trusts everybody who can reach it, and every page open in the user's
browser can. Two checks keep those out: the ``Host`` must be one of this machine's names, or a page
could re-bind a name of its own to 127.0.0.1; and a request that changes something must come from
our own page, from the extension, or from no page at all.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from server.context import POLICY
from server.routes import is_for_extension
from server.security.policy import Policy
from unmask.errors import UnmaskError

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "600",
}


@web.middleware
async def origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse foreign hosts and pages; answer the extension's preflights."""
    policy = request.app[POLICY]
    _check_host(request, policy)
    origin_header = request.headers.get("Origin")
    if origin_header is not None and policy.shares_with(origin_header) and _is_shared(request):
        return await _for_extension(request, handler, origin_header)
    if request.method not in SAFE:
        _check_origin(request, policy, origin_header)
    return await handler(request)


def _is_shared(request: web.Request) -> bool:
    """Whether the extension may take the route: those that it needs, and no others. Firefox gives
    an extension no origin that tells it from others."""
    if request.method == "OPTIONS":
        return True
    resource = request.match_info.route.resource
    return resource is not None and is_for_extension(request.method, resource.canonical)


async def _for_extension(
    request: web.Request, handler: Handler, origin_header: str
) -> web.StreamResponse:
    shared = {"Access-Control-Allow-Origin": origin_header}
    if request.method == "OPTIONS":
        return web.Response(status=204, headers=shared | PREFLIGHT)
    shared["Access-Control-Expose-Headers"] = "Location, Retry-After, X-Request-Id"
    # Set on the request's own record, for a stream's head is sent before its handler returns.
    request[SHARED] = shared
    return await handler(request)


SHARED = web.RequestKey("shared_headers", dict[str, str])


async def add_shared_headers(request: web.Request, response: web.StreamResponse) -> None:
    """A signal's receiver: lets the extension read the answer, errors and streams included."""
    response.headers.update(request.get(SHARED, {}))


def _check_host(request: web.Request, policy: Policy) -> None:
    if policy.hosts is None:
        return
    try:
        name = urlsplit(f"//{request.host}").hostname
    except ValueError:
        name = None
    if name not in policy.hosts:
        raise UnmaskError("origin_refused", "This server does not answer under that host name.")


def _check_origin(request: web.Request, policy: Policy, origin_header: str | None) -> None:
    if origin_header is None:
        if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            raise UnmaskError("origin_refused", "Other sites may not send requests here.")
        return
    if _host_and_port(origin_header) not in {request.host, policy.own_host}:
        raise UnmaskError("origin_refused", "Other sites may not send requests here.")


def _host_and_port(origin_header: str) -> str:
    try:
        return urlsplit(origin_header).netloc
    except ValueError:
        return ""
