"""What the service tells about itself: its model, health, metrics and description."""

from __future__ import annotations

from aiohttp import web

from server.api.responses import json_response
from server.context import ACTOR, CHECKS, DOCUMENT, METRICS, MODEL, POLICY, STATS
from unmask.errors import UnmaskError


async def model(request: web.Request) -> web.Response:
    """The model that judges."""
    return json_response(request.app[MODEL].model_dump(mode="json"))


async def key(request: web.Request) -> web.Response:
    """Whether keys are needed, and what the one that was sent allows; nothing of the key itself."""
    actor = request[ACTOR]
    return json_response(
        {
            "needed": request.app[POLICY].keys_needed,
            "scopes": sorted(actor.scopes),
            "team": actor.team,
        }
    )


async def healthz(request: web.Request) -> web.Response:
    """Whether this process answers; says nothing about Redis and the workers."""
    return json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """Whether a check can be taken and served: the queue answers, it and the store have room, and a
    worker lives."""
    try:
        stats = await request.app[STATS].get()
        problem = await request.app[CHECKS].unready()
    except UnmaskError as error:
        raise UnmaskError("not_ready", "The queue does not answer.") from error
    if problem is None and stats.workers == 0:
        problem = "No worker is running."
    if problem is not None:
        raise UnmaskError("not_ready", problem)
    return json_response({"status": "ready", "workers": stats.workers, "waiting": stats.waiting})


async def metrics(request: web.Request) -> web.Response:
    """The metrics in Prometheus's text format."""
    try:
        stats = await request.app[CHECKS].stats()
    except UnmaskError:
        stats = None
    text = request.app[METRICS].exposition(stats)
    return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4"})


async def openapi(request: web.Request) -> web.Response:
    """The description of the API for machines."""
    return json_response(request.app[DOCUMENT])
