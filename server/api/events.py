"""``/v1/checks/{id}/events``: each change of a check's state, as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from server.api.responses import check_json, check_of, json_response
from server.context import CHECKS, METRICS, STOPPING, prefix_of
from unmask.errors import UnmaskError
from unmask.report import Check


async def stream(request: web.Request) -> web.StreamResponse:
    """Server-sent events named by state; ends after ``done`` or ``failed``, and with the server.

    A client whose stream ends early opens it again: the first event is always the present state.
    """
    check = await check_of(request)
    streams = request.app[METRICS].streams
    async with sse_response(request) as response:
        with streams.track_inprogress(), suppress(ConnectionError, TimeoutError):
            try:
                async for change in _changes(request, check.id, response):
                    data = json_response(check_json(change, prefix_of(request))).text or ""
                    await response.send(data, event=change.state.value)
            except UnmaskError as error:
                # The head was sent already: the error can only follow as an event of its own.
                await response.send(json_response(error.as_json()).text or "", event="error")
    return response


async def _changes(
    request: web.Request, check_id: str, response: EventSourceResponse
) -> AsyncIterator[Check]:
    """The check's changes until it ends, the client leaves, or the server stops."""
    events = request.app[CHECKS].events(check_id)
    endings = [
        asyncio.ensure_future(request.app[STOPPING].wait()),
        asyncio.ensure_future(response.wait()),
    ]
    try:
        while True:
            next_change = asyncio.ensure_future(anext(events, None))
            await asyncio.wait([next_change, *endings], return_when=asyncio.FIRST_COMPLETED)
            change = next_change.result() if next_change.done() else None
            if change is None:
                next_change.cancel()
                await asyncio.gather(next_change, return_exceptions=True)
                return
            yield change
    finally:
        for task in endings:
            task.cancel()
        await asyncio.gather(*endings, return_exceptions=True)
