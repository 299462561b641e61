"""A hostile server on loopback, and what the fetcher makes of it."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from unmask.errors import UnmaskError
from unmask.fetch import Fetcher

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


PICTURE = b"\xff\xd8\xff the bytes of a picture"


def code_of(error: pytest.ExceptionInfo[UnmaskError]) -> str:
    return error.value.code


def failure(url: str, **options: object) -> str:
    async def attempt() -> str:
        async with Fetcher(1_000, 5, **options) as fetcher:  # type: ignore[arg-type]
            with pytest.raises(UnmaskError) as error:
                await fetcher.fetch(url)
            return code_of(error)

    return asyncio.run(attempt())


def fetched(path: str, seconds: float = 3.0, cap: int = 100_000) -> bytes | str:
    """What the hostile server's ``path`` yields: bytes, or the error's code and its reason."""

    async def attempt() -> bytes | str:
        async with hostile_server() as port:
            fetcher = Fetcher(cap, seconds, opened=LOOPBACK, ports={port}, lookup=loopback)
            async with fetcher:
                try:
                    return await fetcher.fetch(f"http://pictures.example.org:{port}{path}")
                except UnmaskError as error:
                    return " ".join([error.code, *filter(None, [error.detail.get("reason")])])

    return asyncio.run(attempt())


def fetched_from(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]], url: str, cap: int = 100_000
) -> bytes | str:
    """What a site that answers so yields for ``url``, whose port is PORT; all names are its own."""

    async def attempt() -> bytes | str:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", answer)
        async with TestServer(app) as site:
            fetcher = Fetcher(cap, 3.0, opened=LOOPBACK, ports={site.port}, lookup=loopback)
            async with fetcher:
                try:
                    return await fetcher.fetch(url.replace("PORT", str(site.port)))
                except UnmaskError as error:
                    return error.code

    return asyncio.run(attempt())


def loopback(_: str) -> list[str]:
    return ["127.0.0.1"]


def head(status: str = "200 OK", **headers: object) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def fixed_answers(port: int) -> dict[str, bytes]:
    here = f"http://pictures.example.org:{port}"
    body = bytes(500_000)
    return {
        "/ok": head(Content_Length=len(PICTURE), Content_Type="image/jpeg") + PICTURE,
        "/unsized": head(Connection="close") + PICTURE,
        "/empty": head(Content_Length=0),
        "/hop": head("302 Found", Location="/ok", Content_Length=0),
        "/loop": head("302 Found", Location="/loop", Content_Length=0),
        "/ping": head("301 Moved", Location=f"{here}/pong", Content_Length=0),
        "/pong": head("308 Moved", Location=f"{here}/ping", Content_Length=0),
        "/to-private": head("302 Found", Location=f"http://10.0.0.1:{port}/", Content_Length=0),
        "/to-mapped": head(
            "307 Go", Location=f"http://[::ffff:10.0.0.1]:{port}/", Content_Length=0
        ),
        "/to-port": head("302 Found", Location="http://127.0.0.1:6379/", Content_Length=0),
        "/to-file": head("302 Found", Location="file:///etc/passwd", Content_Length=0),
        "/to-number": head("302 Found", Location=f"http://2130706433:{port}/ok", Content_Length=0),
        "/nowhere": head("302 Found", Content_Length=0),
        "/404": head("404 Not Found", Content_Length=0),
        "/500": head("500 Broken", Content_Length=0),
        "/204": head("204 No Content"),
        "/206": head("206 Partial", Content_Length=4) + b"part",
        "/page": head(Content_Type="text/html; charset=utf-8", Content_Length=5) + b"<html",
        "/huge-length": head(Content_Length=10**15) + b"x",
        "/negative-length": head(Content_Length=-1) + b"x",
        "/two-lengths": head(Content_Length=5) + b"hello",
        "/short": head(Content_Length=500) + b"x",
        "/gzip-bomb": head(Content_Encoding="gzip", Content_Length=len(gzip.compress(body)))
        + gzip.compress(body),
        "/bad-chunks": head(Transfer_Encoding="chunked") + b"zz\r\nhello\r\n0\r\n\r\n",
        "/huge-header": head(X_Long="a" * 300_000, Content_Length=0),
        "/garbage": b"\x00\x01\x02 this is not HTTP\r\n\r\n",
        "/cookie": head("302 Found", Location="/cookie-seen", Set_Cookie="a=b", Content_Length=0),
        "/silent-close": b"",
    }


async def answer(path: str, port: int, request: bytes, writer: asyncio.StreamWriter) -> None:
    fixed = fixed_answers(port)
    if path in fixed:
        writer.write(fixed[path])
    elif path == "/cookie-seen":
        seen = b"cookie:" in request.lower() or b"referer:" in request.lower()
        writer.write(head(Content_Length=3) + (b"yes" if seen else b"no!"))
    elif path == "/mute":
        await asyncio.sleep(60)
    else:
        await answer_without_end(path, writer)
    await writer.drain()


async def answer_without_end(path: str, writer: asyncio.StreamWriter) -> None:
    first, again, pause = {
        "/drip": (head(Content_Length=90_000), b"x", 0.05),
        "/endless": (head(Transfer_Encoding="chunked"), b"2000\r\n" + bytes(0x2000) + b"\r\n", 0),
        "/endless-headers": (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 100, 0),
        "/endless-hints": (b"", head("103 Early Hints"), 0.01),
    }[path]
    writer.write(first)
    while True:
        writer.write(again)
        await writer.drain()
        await asyncio.sleep(pause)


@asynccontextmanager
async def hostile_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            await answer(request.split()[1].decode(), port, request, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield port
    finally:
        for task in tasks:
            if task is not None:
                task.cancel()
        server.close()
