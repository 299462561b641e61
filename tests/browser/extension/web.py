"""The internet of these tests: every host there is, on one port of loopback.

Chromium is told to dial this port for each name it looks up, so whatever it asks of whomever is
seen here; see :attr:`Web.strays`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count

from aiohttp import web

PAGES, PICTURES, OTHER = "pages.example.org", "pictures.example.org", "other.example.net"
#: Shows its pictures to members only: a cookie, set by /login, tells them.
MEMBERS = "members.example.org"
#: Sends its pictures to browsers for its friends' pages only; other programs are welcome.
WARY = "wary.example.net"
#: Sends its pictures for its friends' pages only, to browsers and programs alike.
CLOSED = "closed.example.net"
LOCAL = ("127.0.0.1", "localhost")
HOSTS = {PAGES, PICTURES, OTHER, MEMBERS, WARY, CLOSED, *LOCAL}


@dataclass(frozen=True)
class Asked:
    host: str
    path: str
    method: str
    headers: dict[str, str]


@dataclass(frozen=True)
class File:
    body: bytes
    kind: str
    headers: dict[str, str] = field(default_factory=dict)


class Web:
    """Serves what :meth:`put` was given, under each host's rules, and writes down who asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.strays: list[str] = []
        self.port = self.trap_port = 0
        self._files: dict[str, File] = {}
        self._number = count()

    async def start(self) -> None:
        runner = web.ServerRunner(web.Server(self._answer))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        trap = await asyncio.start_server(self._trapped, "127.0.0.1", 0)
        self.trap_port = trap.sockets[0].getsockname()[1]
        self._open = runner, trap

    async def stop(self) -> None:
        runner, trap = self._open
        trap.close()
        await runner.cleanup()

    @property
    def resolver_rules(self) -> str:
        """For Chromium's --host-resolver-rules: nobody is reached but this object and loopback.
        What Chromium asks its maker of its own accord is not ours."""
        return (
            "MAP *.google.com ~NOTFOUND, MAP *.googleapis.com ~NOTFOUND, "
            f"MAP *:443 127.0.0.1:{self.trap_port}, MAP * 127.0.0.1:{self.port}, "
            "EXCLUDE 127.0.0.1, EXCLUDE localhost"
        )

    def put(
        self, body: bytes, host: str = PICTURES, kind: str = "image/jpeg", **headers: str
    ) -> str:
        """A file of its own at ``host``; its URL."""
        endings = {"image/jpeg": "jpg", "image/png": "png", "text/html": "html"}
        path = f"/{next(self._number)}.{endings.get(kind, 'bin')}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._files[path] = File(body, kind, named)
        return self.url(host, path)

    def page(self, html: str, host: str = PAGES, **headers: str) -> str:
        """A page of its own at ``host``; its URL."""
        whole = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Page</title>{html}'
        return self.put(whole.encode(), host, "text/html", **headers)

    def url(self, host: str, path: str) -> str:
        return f"http://{host}:{self.port}{path}"

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        host = request.host.rpartition(":")[0] or request.host
        asked = Asked(host, request.path, request.method, dict(request.headers))
        self.asked.append(asked)
        if host not in HOSTS:
            self.strays.append(f"{request.method} {request.host}{request.path_qs}")
            return web.Response(status=404)
        if host == MEMBERS and request.path == "/login":
            return web.Response(headers={"Set-Cookie": "member=yes; HttpOnly; SameSite=Lax"})
        refused = refusal(asked)
        file = self._files.get(request.path)
        if refused or file is None:
            return web.Response(status=refused or 404)
        headers = {"Content-Type": file.kind, "Cache-Control": "no-store"} | file.headers
        return web.Response(body=file.body, headers=headers)

    async def _trapped(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await reader.read(2_000)
        self.strays.append("over TLS: " + "".join(chr(byte) for byte in hello if 31 < byte < 127))
        writer.close()


def refusal(asked: Asked) -> int:
    """The status with which a host refuses, or 0."""
    headers = asked.headers
    if asked.host == MEMBERS and "member=yes" not in headers.get("Cookie", ""):
        return 401
    from_friend = PAGES in headers.get("Referer", "")
    is_browser = "Mozilla" in headers.get("User-Agent", "")
    if asked.host == CLOSED and not from_friend:
        return 403
    if asked.host == WARY and is_browser and not from_friend:
        return 403
    return 0
