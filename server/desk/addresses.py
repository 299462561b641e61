"""Addresses that leave the server: in links that people send on."""

from __future__ import annotations

from aiohttp import web

from server.context import SETTINGS, prefix_of


def address(request: web.Request, path: str) -> str:
    """The whole address of a path of this server, as its people reach it."""
    public = request.app[SETTINGS].public_url.rstrip("/")
    return (public or f"{request.scheme}://{request.host}{prefix_of(request)}") + path
