"""Gives each request an id, and logs its outcome in one line.

A line never holds a picture, an address, a query or a check's id. The id of a check is all it takes
to see the check, so the route's pattern stands in for the path.
"""

from __future__ import annotations

import logging
import re
import time
from uuid import uuid4

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from server.context import ACTOR, METRICS, REQUEST_ID

LOG = logging.getLogger("unmask.server")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)


@web.middleware
async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Name, time, count and log the request."""
    sent_id = request.headers.get("X-Request-Id", "")
    request[REQUEST_ID] = sent_id if _REQUEST_ID.fullmatch(sent_id) else uuid4().hex
    start = time.perf_counter()
    status = 499  # What is logged if the client left before it got a response.
    try:
        response = await handler(request)
        status = response.status
        return response
    except web.HTTPException as answer:
        status = answer.status
        raise
    finally:
        _log(request, status, time.perf_counter() - start)


def route_of(request: web.Request) -> str:
    """The pattern of the route that the request took."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"


def _log(request: web.Request, status: int, seconds: float) -> None:
    route, actor = route_of(request), request.get(ACTOR)
    method = request.method if request.method in hdrs.METH_ALL else "other"
    metrics = request.app[METRICS]
    metrics.requests.labels(route, method, str(status)).inc()
    metrics.seconds.labels(route).observe(seconds)
    LOG.info(
        "request",
        extra={
            "request_id": request[REQUEST_ID],
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "key": actor.prefix if actor is not None else None,
        },
    )
