"""Every route once, with its handler, the permission that it needs, and its description.

A check's id is 128 random bits that only the client learns that created it: who has the id may see
the check, so that a link can be shared.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from aiohttp import web

from server.api.openapi import document
from server.desk.schemas import desk_schemas
from server.routes.cases import CASES
from server.routes.checks import CHECKS
from server.routes.pages import DESK_PAGES
from server.routes.pages import PAGES as CHECK_PAGES
from server.routes.results import RESULTS
from server.routes.route import Route
from server.routes.service import SERVICE
from server.routes.teams import TEAMS
from unmask.permissions import Permission

PAGES = (*CHECK_PAGES, *DESK_PAGES)
#: The routes of a server without a desk, and those that a desk adds.
CHECK_ROUTES = (*CHECKS, *RESULTS, *SERVICE, *CHECK_PAGES)
DESK_ROUTES = (*CASES, *TEAMS, *DESK_PAGES)

__all__ = [
    "API",
    "CHECK_ROUTES",
    "DESK_ROUTES",
    "PAGES",
    "UNCOUNTED",
    "Route",
    "add_routes",
    "api_document",
    "is_for_extension",
    "permission_of",
]

#: The routes of the API by the tag under which they are described.
TAGGED = {"Checks": CHECKS, "Results": RESULTS, "Cases": CASES, "Teams": TEAMS, "Service": SERVICE}
API = (*CHECKS, *RESULTS, *CASES, *TEAMS, *SERVICE)
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


def add_routes(app: web.Application, *, with_desk: bool) -> None:
    """Add the routes to the application; those of the desk where there is one."""
    for route in (*CHECK_ROUTES, *DESK_ROUTES) if with_desk else CHECK_ROUTES:
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
    operations = (
        (route.canonical, route.method, route.operation.as_json(tag, route.needs))
        for tag, routes in TAGGED.items()
        for route in routes
        if route.operation is not None
    )
    return document(operations, desk_schemas())
