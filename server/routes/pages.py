"""The routes of the page; they are not part of the API, and so have no description."""

from __future__ import annotations

from server.routes.route import ID, Route
from server.web import pages, session
from unmask.permissions import Permission

PAGES = (
    Route("GET", "/", pages.home),
    Route("POST", "/check", pages.create, needs=Permission.CREATE_CHECK),
    Route("GET", f"/c/{ID}", pages.check),
    Route("GET", f"/c/{ID}/card", pages.card),
    Route("GET", f"/c/{ID}/metadata", pages.metadata, needs=Permission.READ_METADATA),
    Route("GET", "/reference", pages.reference),
    Route("GET", "/static/{name}", pages.static),
    Route("POST", "/session", session.begin),
    Route("POST", "/session/end", session.end),
)
