"""Sends a few bytes to an address that somebody else named, through the same gates as a fetch."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import aiohttp

from unmask import __version__
from unmask.errors import UnmaskError
from unmask.fetch.addresses import USUAL_PORTS, checked_url
from unmask.fetch.gate import AddressRefusedError, Gate, Network
from unmask.fetch.names import Lookup, Names, Resolver, look_up

#: Bytes of an answer that are read: its beginning is enough to find a fault.
KEPT = 1_024
#: Requests at one time.
_SLOTS = 8


@dataclass(frozen=True)
class Posted:
    """An answer: its status, the beginning of its body, and how long it took."""

    status: int
    head: str
    milliseconds: int


class Poster:
    """Posts to the public internet. Redirects are not followed, and nothing is tried again.

    ``seconds`` bounds a request. The keyword arguments open what is closed, for tests.
    """

    def __init__(
        self,
        seconds: float = 10.0,
        *,
        opened: Collection[Network] = (),
        ports: Collection[int] = USUAL_PORTS,
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._seconds = seconds
        self._ports = frozenset(ports)
        self._gate = Gate(opened)
        self._names = Names(self._gate, lookup or look_up, _SLOTS)
        self._tls = tls
        self._slots = asyncio.Semaphore(_SLOTS)

    def close(self) -> None:
        """End the threads that look names up."""
        self._names.close()

    def check(self, text: str) -> str:
        """The address as it would be posted to; raises ``bad_url`` or ``url_refused``."""
        return str(checked_url(text, self._ports))

    async def post(self, text: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """Post ``body``; any status is an answer.

        Raises ``bad_url``, ``url_refused``, ``url_unreachable`` or ``url_timeout``.
        """
        url = checked_url(text, self._ports)
        start = time.monotonic()
        try:
            async with self._slots, asyncio.timeout(self._seconds), self._session() as session:
                sent = session.post(url, data=body, headers=headers, allow_redirects=False)
                async with sent as response:
                    head = await _head_of(response)
                    passed = round((time.monotonic() - start) * 1_000)
                    return Posted(response.status, head, passed)
        except TimeoutError as error:
            message = f"The address did not answer within {self._seconds:g} seconds."
            raise UnmaskError("url_timeout", message, seconds=self._seconds) from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefusedError):
                message = "The address leads outside the public internet."
                raise UnmaskError("url_refused", message) from error
            message = "No connection could be made to the address."
            raise UnmaskError("url_unreachable", message) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            message = "What the address answered could not be read."
            raise UnmaskError("url_unreachable", message) from error

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=Resolver(self._names),
            socket_factory=self._socket,
            use_dns_cache=False,
            force_close=True,
            ssl=self._tls or True,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            headers={"User-Agent": f"Unmask/{__version__}"},
        )

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """The last gate: checks each address that is dialled, wherever it came from."""
        family, kind, protocol, _, where = info
        self._gate.check(str(where[0]))
        return socket.socket(family, kind, protocol)


async def _head_of(response: aiohttp.ClientResponse) -> str:
    """The first bytes of an answer, as text."""
    head = await response.content.read(KEPT)
    return head.decode("utf-8", "replace").replace("\0", "")
