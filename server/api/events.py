"""``/v1/checks/{id}/events``: each change of a check's state, as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from server.api.answers import found_check
from server.context import CHECKS, METRICS, STOPPING
from unmask.errors import UnmaskError
from unmask.report import Check


async def stream(request: web.Request) -> web.StreamResponse:
    """Server-sent events named by state; ends after ``done`` or ``failed``, and with the server.

    A caller whose stream ends early asks again: the first event is always the present state.
    """
    check = await found_check(request)
    streams = request.app[METRICS].streams
    async with sse_response(request) as response:
        with streams.track_inprogress(), suppress(ConnectionError, TimeoutError):
            try:
                async for change in _changes(request, check.id, response):
                    await response.send(change.model_dump_json(), event=change.state.value)
            except UnmaskError as error:
                # The head is sent: the error can only follow as an event of its own.
                await response.send(web.json_response(error.as_json()).text or "", event="error")
    return response


async def _changes(
    request: web.Request, check_id: str, response: EventSourceResponse
) -> AsyncIterator[Check]:
    """The check's changes until it ends, the caller leaves, or the server stops."""
    events = request.app[CHECKS].events(check_id)
    over = [
        asyncio.ensure_future(request.app[STOPPING].wait()),
        asyncio.ensure_future(response.wait()),
    ]
    try:
        while True:
            coming = asyncio.ensure_future(anext(events, None))
            await asyncio.wait([coming, *over], return_when=asyncio.FIRST_COMPLETED)
            change = coming.result() if coming.done() else None
            if change is None:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)
                return
            yield change
    finally:
        for task in over:
            task.cancel()
        await asyncio.gather(*over, return_exceptions=True)
