"""Names to addresses, in threads: a name server that is slow delays nothing else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from aiohttp.abc import AbstractResolver, ResolveResult

from unmask.fetch.gate import NAT64_NAME, Gate

Lookup = Callable[[str], Iterable[str]]


class Names:
    """The threads in which names are looked up. A lookup cannot be broken off, so there is a thread
    for each download, and one more; a download's turn lasts until its lookup ended."""

    def __init__(self, gate: Gate, lookup: Lookup, threads: int) -> None:
        self._gate = gate
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(threads + 1, thread_name_prefix="unmask-names")
        self._nat64: Future[None] | None = None

    def submit(self, host: str) -> Future[list[str]]:
        """The addresses of a host, as they will be known."""
        return self._threads.submit(lambda: list(self._lookup(host)))

    async def check(self, addresses: Iterable[str]) -> None:
        """Refuse an answer if any of its addresses is refused: a mixed answer is an attack."""
        for address in addresses:
            if ":" in address:
                await self._learn_nat64()
            self._gate.check(address)

    def close(self) -> None:
        """Look up no more names."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _learn_nat64(self) -> None:
        """Ask once, before the first IPv6 address is dialled."""
        if self._nat64 is None:
            self._nat64 = self._threads.submit(self._ask_nat64)
        await asyncio.shield(asyncio.wrap_future(self._nat64))

    def _ask_nat64(self) -> None:
        with suppress(OSError):  # No such name: a network without NAT64.
            self._gate.close_nat64(self._lookup(NAT64_NAME))


class Resolver(AbstractResolver):
    """Looks names up for one download."""

    def __init__(self, names: Names) -> None:
        self._names = names
        #: The lookup that was begun last; it may outlive the download.
        self.lookup: Future[list[str]] | None = None

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a host; raises ``AddressRefusedError`` and ``OSError``."""
        self.lookup = self._names.submit(host)
        addresses = await asyncio.wrap_future(self.lookup)
        await self._names.check(addresses)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing: the threads are shared."""


def look_up(host: str) -> list[str]:
    """The addresses of a host, by the system."""
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in answers))
