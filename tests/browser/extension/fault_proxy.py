"""A reverse proxy before the real server: it notes what it is sent, and fails when told to."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from tests.browser.extension.loop import Loop

#: What belongs to one connection, and so is not passed on.
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date"}
CHECKS = r"POST /v1/checks\b"


@dataclass(frozen=True)
class Received:
    """A request as it reached the server; ``sha256`` is that of the body or the form's file."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    sha256: str


@dataclass
class Fault:
    """An answer in the server's place, for the next ``times`` requests that match."""

    match: str
    status: int
    code: str
    headers: dict[str, str]
    times: int


class FaultProxy:
    """``url`` is where the extension finds the server; ``prefix`` is the path below which alone the
    server is found there, as behind a proxy."""

    def __init__(self, loop: Loop, server: str) -> None:
        self.received: list[Received] = []
        self.prefix = ""
        self.faults: list[Fault] = []
        self.most_under_way = self._asking = 0
        self._unended: set[str] = set()
        self._loop, self._server, self._port = loop, server, 0
        self._pass = asyncio.Event()
        self._held = ""
        loop.run(self._open())

    async def _open(self) -> None:
        self._pass.set()
        self._client = aiohttp.ClientSession(
            auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None)
        )
        await self._listen()

    async def _listen(self) -> None:
        self._runner = web.ServerRunner(web.Server(self._answer), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]
        self.listens = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def clear(self) -> None:
        """Forget, and behave."""
        self.release()
        self.prefix = ""
        self.received, self.faults, self.most_under_way, self._unended = [], [], 0, set()

    def fail(
        self, status: int, code: str, *, match: str = CHECKS, times: int = 1, **headers: str
    ) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.append(Fault(match, status, code, named, times))

    def hold(self, match: str = CHECKS) -> None:
        """Let requests that match wait until :meth:`release`."""
        self._held = match
        self._loop.call(self._pass.clear)

    def release(self) -> None:
        self._held = ""
        self._loop.call(self._pass.set)

    def go_offline(self) -> None:
        """Nobody listens any more."""
        self._loop.run(self._runner.cleanup())
        self.listens = False

    def come_back(self) -> None:
        self._loop.run(self._listen())

    def close(self) -> None:
        async def closed() -> None:
            self._pass.set()
            await self._runner.cleanup()
            await self._client.close()

        self._loop.run(closed())

    def checks(self) -> list[Received]:
        """The requests that asked for a check."""
        return [one for one in self.received if re.match(CHECKS, f"{one.method} {one.path}")]

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        name = f"{request.method} {request.path_qs}"
        self.received.append(
            Received(
                request.method,
                request.path_qs,
                dict(request.headers),
                body,
                hashlib.sha256(
                    picture_in(body, request.headers.get("Content-Type", ""))
                ).hexdigest(),
            )
        )
        asks = bool(re.match(CHECKS, name))
        self._count(asks)
        try:
            if self._held and re.match(self._held, name):
                await self._pass.wait()
            for fault in self.faults:
                if fault.times > 0 and re.match(fault.match, name):
                    fault.times -= 1
                    return failed(fault)
            return await self._passed_on(request, body)
        finally:
            self._count(-asks)

    def _count(self, more: int) -> None:
        """Requests for a check that wait, and checks that were taken and whose end is not told."""
        self._asking += more
        self.most_under_way = max(self.most_under_way, self._asking + len(self._unended))

    async def _passed_on(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        headers = {name: text for name, text in request.headers.items() if name.lower() not in HOP}
        if not request.path_qs.startswith(self.prefix):
            return web.Response(status=404)
        address = self._server + request.path_qs.removeprefix(self.prefix)
        async with self._client.request(
            request.method, address, headers=headers, data=body or None, allow_redirects=False
        ) as found:
            kept = [(n, t) for n, t in found.headers.items() if n.lower() not in HOP]
            if found.content_type == "application/json":
                whole = await found.read()
                self._note(request, whole)
                return web.Response(body=whole, status=found.status, headers=CIMultiDict(kept))
            answer = web.StreamResponse(status=found.status)
            answer.headers.extend(kept)
            with suppress(ConnectionError):  # the extension has heard enough
                await answer.prepare(request)
                async for chunk in found.content.iter_any():
                    await answer.write(chunk)
                await answer.write_eof()
            return answer

    def _note(self, request: web.BaseRequest, answer: bytes) -> None:
        told = json.loads(answer)
        if not re.match("/v1/checks", request.path) or "id" not in told:
            return
        if told["state"] in {"done", "failed"}:
            self._unended.discard(told["id"])
        elif request.method == "POST":
            self._unended.add(told["id"])


def failed(fault: Fault) -> web.Response:
    error = {"code": fault.code, "message": f"Said by the test: {fault.code}.", "detail": {}}
    return web.Response(
        status=fault.status,
        text=json.dumps({"error": error}),
        content_type="application/json",
        headers=fault.headers,
    )


def picture_in(body: bytes, kind: str) -> bytes:
    """The file in a form's body, or the body itself."""
    boundary = re.search(r'boundary="?([^";]+)', kind)
    if boundary is None:
        return body
    for part in body.split(b"--" + boundary[1].encode()):
        head, _, rest = part.partition(b"\r\n\r\n")
        if b'name="file"' in head:
            return rest.removesuffix(b"\r\n")
    return b""
