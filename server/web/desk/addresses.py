"""Where the desk's pages lead."""

from __future__ import annotations

from aiohttp import web

from server.web.rendering import root_of


def to(request: web.Request, path: str) -> str:
    """The address of a path of this server, for a redirect from a request's."""
    return root_of(request) + path.lstrip("/")


def team_path(request: web.Request, rest: str = "") -> str:
    """A path of the desk of the team that the request names."""
    return f"/t/{request.match_info['team']}{rest}"
