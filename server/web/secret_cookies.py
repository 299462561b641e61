"""Cookies that hold a secret: sent back to this installation alone, and never read by a script."""

from __future__ import annotations

from aiohttp import web

from server.context import POLICY, prefix_of


def give_cookie(
    request: web.Request, answer: web.StreamResponse, name: str, secret: str, seconds: int
) -> None:
    """Give the browser a secret to keep for so many seconds.

    Lax: another site may lead people here by a link, with the cookie, but it can send nothing in
    their name (see also server/middleware/origin.py).
    """
    answer.set_cookie(
        name,
        secret,
        path=f"{prefix_of(request)}/",
        max_age=seconds,
        httponly=True,
        samesite="Lax",
        secure=request.app[POLICY].https,
    )


def drop_cookie(request: web.Request, answer: web.StreamResponse, name: str) -> None:
    """Let the browser forget a secret."""
    answer.del_cookie(name, path=f"{prefix_of(request)}/", secure=request.app[POLICY].https)
