"""Chooses the language of the answer, once a request."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from server.context import LANGUAGE, POLICY
from server.web.language import keep_choice, language_wanted


@web.middleware
async def language(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Choose the language, and let the browser keep a choice that the request brings."""
    request[LANGUAGE] = language_wanted(request)
    response = await handler(request)
    keep_choice(request, response, request.app[POLICY].https)
    return response
