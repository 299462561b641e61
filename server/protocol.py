"""Connections below the application: how many, for how long, and what cannot be parsed.

aiohttp answers a request that it cannot parse by itself, past the middlewares, with text of its own
that quotes the sender. Here such an answer has the shape, the headers and the limits of all others.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.http import RawRequestMessage
from aiohttp.web_protocol import RequestHandler
from yarl import URL

from server.api.responses import json_response
from server.context import BACKPRESSURE, METRICS, POLICY
from server.middleware.headers import FIXED, OTHER_CSP
from server.security.policy import counted_address
from server.upload_memory import Shares
from unmask.errors import UnmaskError
from unmask.logs import OnceAMinute

LOG = logging.getLogger("unmask.server.protocol")
LOG.addFilter(OnceAMinute())

#: Seconds that a connection may be without a whole request: longer than proxies keep theirs.
IDLE = 75.0
#: Connections at one time, as far as the limit of open files allows, less files for other things.
MAX_CONNECTIONS = 4_096
OTHER_FILES = 128
#: Counts of unparsable requests that may be under way.
MAX_COUNTS = 64


class Runner(web.AppRunner):
    """Runs an application behind :class:`Protocol`."""

    def __init__(self, app: web.Application, **options: Any) -> None:
        super().__init__(app, access_log=None, keepalive_timeout=IDLE, **options)

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            self.app,
            made.request_handler,
            request_factory=_below(self.app[POLICY].prefix, made.request_factory),
            **self._kwargs,
        )


class _Server(web.Server):
    """Makes a protocol for each connection."""

    def __init__(self, app: web.Application, *handler: Any, **options: Any) -> None:
        super().__init__(*handler, **options)
        self.app = app
        self.shares = Shares(max_connections())
        #: Behind a proxy all connections are the proxy's.
        self.is_shared = app[POLICY].proxies == 0
        self.counts: set[asyncio.Task[None]] = set()

    def __call__(self) -> RequestHandler:
        return Protocol(self, loop=asyncio.get_running_loop(), **self._kwargs)


class Protocol(RequestHandler):
    """One connection."""

    __slots__ = ("_peer", "_server")

    def __init__(self, server: _Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._peer: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or close it at once if its address has its share of them."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        address = counted_address(peer[0] if peer else None, [], 0)
        if not self._server.is_shared:
            if len(self._server.connections) > max_connections():
                self.force_close()
        elif self._server.shares.take(address, 1):
            self._peer = address
        else:
            LOG.warning("too many connections of one address")
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give the connection's place back."""
        if self._peer is not None:
            self._server.shares.give_back(self._peer, 1)
            self._peer = None
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what cannot be parsed, or to an error outside of the middlewares."""
        if request.writer.output_size > 0 or isinstance(exc, ConnectionError):
            raise ConnectionError("An answer was begun, or nobody waits for one.")
        if status < 500:
            self._count(request)
            LOG.warning("malformed request", extra={"status": status})
            return self._refusal(UnmaskError("bad_request", "The request is not valid HTTP."))
        LOG.error("unforeseen", exc_info=exc)
        return self._refusal(UnmaskError("internal", "Something unforeseen went wrong."))

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer; one that was raised outside of the middlewares gets our shape."""
        if isinstance(resp, web.HTTPException) and resp.status == 417:
            resp = self._refusal(
                UnmaskError("bad_request", "Of Expect only 100-continue is understood.")
            )
        return await super().finish_response(request, resp, start_time)

    def _refusal(self, error: UnmaskError) -> web.StreamResponse:
        self._server.app[METRICS].errors.labels(error.code).inc()
        response = json_response(error.as_json(), status=error.status)
        response.headers.update(FIXED)
        response.headers["Content-Security-Policy"] = OTHER_CSP
        response.headers["Cache-Control"] = "no-store"
        response.force_close()
        return response

    def _count(self, request: web.BaseRequest) -> None:
        """Count it as a request of its address; the connection is closed in any case."""
        counts = self._server.counts
        if len(counts) < MAX_COUNTS:
            address = counted_address(request.remote, [], 0)
            task = asyncio.create_task(_counted(self._server.app, address))
            counts.add(task)
            task.add_done_callback(counts.discard)


async def _counted(app: web.Application, address: str) -> None:
    try:
        await app[BACKPRESSURE].count_request(address)
    except UnmaskError:
        return  # Beyond the limit, or the queue is away: nobody waits for the answer.


def _below(prefix: str, make_request: Callable[..., web.BaseRequest]) -> Any:
    """``make_request`` for a proxy that passes paths on with the prefix under which it shows us."""
    if not prefix:
        return make_request

    def make(message: RawRequestMessage, *rest: Any) -> web.BaseRequest:
        if message.path.startswith(f"{prefix}/"):
            path = message.path.removeprefix(prefix)
            message = message._replace(path=path, url=URL(path, encoded=True))
        return make_request(message, *rest)

    return make


def max_connections() -> int:
    """Connections that the limit of open files leaves room for."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(16, min(MAX_CONNECTIONS, soft - OTHER_FILES))
