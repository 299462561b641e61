"""Live updates of the desk: which cases changed, and who has which one open."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from aiohttp import web
from aiohttp_sse import sse_response
from pydantic import BaseModel

from server.api.responses import json_response
from server.context import DESK, METRICS, PRESENCE, STOPPING, TEAM_ACTOR
from server.desk.fields import CaseNumber, read_fields
from server.desk.responses import done
from unmask.errors import UnmaskError


class Here(BaseModel):
    """Which case the person has open; None is the queue. ``gone`` when the page closes."""

    case: CaseNumber | None = None
    gone: bool = False


async def stream(request: web.Request) -> web.StreamResponse:
    """Server-sent events: ``case`` with the number and version of one that changed, and ``again``
    where some may have been missed. They never say how a case changed."""
    events, actor = request.app[DESK].events, request[TEAM_ACTOR]
    if events is None:
        raise UnmaskError("queue_unavailable", "There are no live updates just now.")
    streams = request.app[METRICS].streams
    with events.listen(actor) as changes:
        async with sse_response(request) as response:
            with streams.track_inprogress(), suppress(ConnectionError):
                stopping = asyncio.ensure_future(request.app[STOPPING].wait())
                left = asyncio.ensure_future(response.wait())
                change = asyncio.ensure_future(changes.get())
                try:
                    while True:
                        await asyncio.wait(
                            {change, stopping, left}, return_when=asyncio.FIRST_COMPLETED
                        )
                        if not change.done():
                            break
                        fields = dict(change.result().fields)
                        await response.send(json.dumps(fields), event="case" if fields else "again")
                        change = asyncio.ensure_future(changes.get())
                finally:
                    for task in (change, stopping, left):
                        task.cancel()
    return response


async def set_presence(request: web.Request) -> web.Response:
    """A sign of life: the person has a case, or the queue, open."""
    fields = await read_fields(request, Here)
    presence, actor = request.app[PRESENCE], request[TEAM_ACTOR]
    if fields.gone:
        await presence.leave(actor)
    else:
        await presence.beat(actor, fields.case)
    return done()


async def read_presence(request: web.Request) -> web.Response:
    """Who has which case open; 0 is the queue."""
    people = await request.app[PRESENCE].here(request[TEAM_ACTOR])
    cases = {case: [person.model_dump() for person in here] for case, here in people.items()}
    return json_response({"cases": cases})
