"""A proxy that shows a server under a path, as nginx does, in a thread or in this loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict
from yarl import URL

#: Headers of one connection, which a proxy does not pass on.
HOP = ("Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Expect")


@asynccontextmanager
async def proxied(target: str, path: str = "/unmask", *, strips: bool = True) -> AsyncIterator[str]:
    """The address under which the proxy shows ``target``: below ``path``, which it takes off the
    paths of requests if it ``strips``. Elsewhere it answers 404."""
    session = aiohttp.ClientSession(auto_decompress=False)

    async def pass_on(request: web.Request) -> web.StreamResponse:
        sent = request.raw_path.removeprefix(path) if strips else request.raw_path
        async with session.request(
            request.method,
            URL(target + sent, encoded=True),
            data=request.content if request.can_read_body else None,
            headers=_passed(request.headers),
            allow_redirects=False,
        ) as answer:
            response = web.StreamResponse(status=answer.status, headers=_passed(answer.headers))
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response

    app = web.Application(client_max_size=10**8)
    app.router.add_route("*", f"{path}/{{rest:.*}}", pass_on)
    async with session, TestServer(app) as server:
        yield str(server.make_url(path))


@contextmanager
def proxied_in_thread(target: str, path: str = "/unmask", *, strips: bool = True) -> Iterator[str]:
    """The same in a thread of its own, for tests that block."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, str]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with proxied(target, path, strips=strips) as url:
            started.set_result((asyncio.get_running_loop(), stop, url))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    loop, stop, url = started.result(30)
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)


def _passed(headers: CIMultiDict[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, text) for name, text in headers.items() if name.title() not in HOP)
