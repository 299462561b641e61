"""One download: a chain of redirects, each through the gates, to a file's bytes."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Collection
from concurrent.futures import Future
from typing import Self

import aiohttp
from yarl import URL

from unmask import __version__
from unmask.fetch.addresses import next_url
from unmask.fetch.bodies import Take, read_body
from unmask.fetch.cookies import ChainCookies
from unmask.fetch.gate import Gate
from unmask.fetch.names import Names, Resolver
from unmask.fetch.refusals import unreachable

MAX_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: Answers that hold the file: as it is, or as a proxy changed it.
GOOD = frozenset({200, 203})
#: Bytes of one line of an answer's head, and lines: as many as browsers take.
MAX_LINE, MAX_LINES = 262_144, 1_024
HEADERS = {
    "User-Agent": f"Unmask/{__version__}",
    "Accept": "image/*",
    "Accept-Encoding": "identity",
}


class Download:
    """Fetches one file; its connections and cookies are its own."""

    def __init__(
        self, gate: Gate, names: Names, tls: ssl.SSLContext | None, ports: Collection[int]
    ) -> None:
        self._gate = gate
        self._ports = ports
        self._resolver = Resolver(names)
        self._cookies = ChainCookies()
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            socket_factory=self._socket,
            use_dns_cache=False,
            force_close=True,
            ssl=tls or True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None),  # The caller's covers the whole chain.
            headers=HEADERS,
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
            max_headers=MAX_LINES,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    @property
    def lookup(self) -> Future[list[str]] | None:
        """The last lookup of a name, which may outlive the download."""
        return self._resolver.lookup

    async def follow(self, url: URL, limit: int, take: Take) -> bytes:
        """The file at ``url``, at most ``limit`` bytes, of which ``take`` counts each."""
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._ask(url, limit, take)
            if isinstance(answer, bytes):
                return answer
            url = next_url(url, answer, self._ports)
        raise unreachable(f"It redirects more than {MAX_REDIRECTS} times.")

    async def _ask(self, url: URL, limit: int, take: Take) -> bytes | str:
        """The body of a good answer, or the location that a redirect names."""
        cookies = self._cookies.header(url)
        async with self._session.get(url, headers=cookies, allow_redirects=False) as response:
            self._cookies.keep(response)
            if response.status in REDIRECTS and "Location" in response.headers:
                return response.headers["Location"]
            if response.status not in GOOD:
                status = response.status
                raise unreachable(f"The site answered with status {status}.", status=status)
            return await read_body(response, limit, take)

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """The last gate: checks each address that is dialled, wherever it came from."""
        family, kind, protocol, _, where = info
        self._gate.check(str(where[0]))
        return socket.socket(family, kind, protocol)
