"""Every route once, with its handler, the permission that it needs, and its description.

A check's id is 128 random bits that only the client learns that created it: who has the id may see
the check, so that a link can be shared.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from aiohttp import web

from server.api.openapi import document
from server.routes.checks import CHECKS
from server.routes.pages import PAGES
from server.routes.results import RESULTS
from server.routes.route import Route
from server.routes.service import SERVICE
from unmask.permissions import Permission

__all__ = [
    "API",
    "PAGES",
    "UNCOUNTED",
    "Route",
    "add_routes",
    "api_document",
    "is_for_extension",
    "permission_of",
]

#: The routes of the API by the tag under which they are described.
TAGGED = {"Checks": CHECKS, "Results": RESULTS, "Service": SERVICE}
API = (*CHECKS, *RESULTS, *SERVICE)
#: Machines ask these often and must always get an answer.
UNCOUNTED = frozenset({"/healthz", "/readyz", "/metrics", "/static/{name}"})

_NEEDS = {
    (method, route.canonical): route.needs
    for route in (*API, *PAGES)
    for method in ((route.method, "HEAD") if route.method == "GET" else (route.method,))
}


_EXTENSION = {(route.method, route.canonical) for route in API if route.extension}


def is_for_extension(method: str, canonical: str) -> bool:
    """Whether the browser extension may take a route and read its answers."""
    return (method, canonical) in _EXTENSION


def permission_of(method: str, canonical: str) -> Permission:
    """What a route needs, by its method and its path without patterns."""
    return _NEEDS.get((method, canonical), Permission.VISIT)


def add_routes(app: web.Application) -> None:
    """Add all routes to the application."""
    for route in (*API, *PAGES):
        if route.method == "GET":
            app.router.add_get(route.path, route.handler, expect_handler=_expected)
        else:
            app.router.add_route(route.method, route.path, route.handler, expect_handler=_expected)


async def _expected(_: web.Request) -> None:
    """Answer nothing to ``Expect``: the reader of a body does, once it is wanted. Another word
    than 100-continue may be ignored (RFC 9110)."""


@cache
def api_document() -> dict[str, Any]:
    """The OpenAPI document of the API's routes."""
    return document(
        (route.canonical, route.method, route.operation.as_json(tag, route.needs))
        for tag, routes in TAGGED.items()
        for route in routes
        if route.operation is not None
    )
