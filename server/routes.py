"""Every route once: where it leads, and which permission it needs.

A check's id is 128 random bits that only the client learns that created it: who has the id may see
the check, so that a link can be shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp.web_urldispatcher import DynamicResource

from server.api import bulk, checks, events, pictures, service
from server.security.permissions import Permission
from server.web import pages, report, session

STATIC = Path(__file__).parent / "web" / "static"
CHECK = "/v1/checks/{id:[A-Za-z0-9_-]{8,64}}"
SHARED = "/c/{id:[A-Za-z0-9_-]{8,64}}"
RESULT = "{picture:annotated\\.jpg|mask\\.png|heatmap\\.png}"


@dataclass(frozen=True)
class Route:
    """One route, and what an actor needs to take it."""

    method: str
    path: str
    handler: Handler
    needs: Permission = Permission.VISIT


API = (
    Route("POST", "/v1/checks", checks.create, Permission.CREATE_CHECK),
    Route("GET", "/v1/checks", checks.list_page, Permission.LIST_CHECKS),
    Route("POST", "/v1/checks/bulk", bulk.create, Permission.CREATE_CHECK),
    Route("GET", CHECK, checks.read),
    Route("DELETE", CHECK, checks.delete, Permission.DELETE_CHECK),
    Route("GET", f"{CHECK}/events", events.stream),
    Route("GET", f"{CHECK}/{RESULT}", pictures.result),
    Route("GET", f"{CHECK}/original.jpg", pictures.original),
    Route("GET", f"{CHECK}/face/{{n:[0-9]{{1,3}}}}.jpg", pictures.face),
    Route("GET", f"{CHECK}/report.pdf", report.pdf),
    Route("GET", "/v1/model", service.model),
    Route("GET", "/healthz", service.healthz),
    Route("GET", "/readyz", service.readyz),
    Route("GET", "/metrics", service.metrics, Permission.READ_METRICS),
    Route("GET", "/openapi.json", service.openapi),
)
PAGES = (
    Route("GET", "/", pages.home),
    Route("POST", "/check", pages.create, Permission.CREATE_CHECK),
    Route("GET", SHARED, pages.check),
    Route("GET", f"{SHARED}/card", pages.card),
    Route("GET", "/reference", pages.reference),
    Route("POST", "/session", session.begin),
    Route("POST", "/session/end", session.end),
)
#: Machines ask these often and must always get an answer.
UNCOUNTED = frozenset({"/healthz", "/readyz", "/metrics", "/static"})


def _canonical(path: str) -> str:
    """The path as aiohttp names a resource: without the patterns."""
    return DynamicResource(path).canonical if "{" in path else path


_NEEDS = {
    (method, _canonical(route.path)): route.needs
    for route in (*API, *PAGES)
    for method in ((route.method, "HEAD") if route.method == "GET" else (route.method,))
}


def permission_of(method: str, canonical: str) -> Permission:
    """What a route needs, by its method and its path without patterns."""
    return _NEEDS.get((method, canonical), Permission.VISIT)


def add_routes(app: web.Application) -> None:
    """Add all routes to the application."""
    for route in (*API, *PAGES):
        if route.method == "GET":
            app.router.add_get(route.path, route.handler)
        else:
            app.router.add_route(route.method, route.path, route.handler)
    app.router.add_static("/static", STATIC)
