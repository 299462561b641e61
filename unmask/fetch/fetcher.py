"""Downloads pictures for many callers, in a thread of their own."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Collection
from typing import Self

import aiohttp
from yarl import URL

from unmask.data_url import decode_data_url, is_data_url
from unmask.fetch.addresses import USUAL_PORTS, checked_url
from unmask.fetch.bodies import Take
from unmask.fetch.download import Download
from unmask.fetch.gate import AddressRefusedError, Gate, Network
from unmask.fetch.names import Lookup, Names, look_up
from unmask.fetch.refusals import refused, too_late, unreachable
from unmask.fetch.turns import SLOTS, Turns


class Fetcher:
    """Downloads pictures from the public internet; one for each process.

    ``max_bytes`` bounds a file, ``seconds`` the whole of a download with its wait for a turn and
    its redirects. The keyword arguments open what is closed, for tests: ``opened`` networks,
    ``ports``, another ``lookup`` of names, another ``tls`` context. No setting and no variable
    reaches them.

    Downloads run on an event loop in a thread of their own: a site that sends its answer in single
    bytes, or endless hints before it, keeps that loop busy and not the caller's.
    """

    def __init__(
        self,
        max_bytes: int,
        seconds: float = 15.0,
        *,
        opened: Collection[Network] = (),
        ports: Collection[int] = USUAL_PORTS,
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._ports = frozenset(ports)
        self._gate = Gate(opened)
        self._names = Names(self._gate, lookup or look_up, SLOTS)
        self._tls = tls
        self._turns = Turns()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Break off what is under way, and end the threads."""
        self._names.close()
        if self._loop is None or self._thread is None:
            return
        loop, self._loop = self._loop, None
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_cancel_all(), loop))
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(self._thread.join)
        loop.close()

    async def fetch(self, text: str, caller: str = "", take: Take | None = None) -> bytes:
        """The bytes at ``text``, a URL; ``caller`` is whose share of the downloads it takes.

        ``take`` is called, in another thread, with the number of bytes that come, and may raise an
        :class:`UnmaskError` to end the download.

        Raises ``bad_url``, ``url_refused``, ``url_unreachable``, ``url_timeout``, ``busy``,
        ``too_many_bytes`` or, for a web page, ``not_a_picture``.
        """
        if is_data_url(text):
            return await asyncio.to_thread(decode_data_url, text, self._max_bytes)
        url = checked_url(text, self._ports)
        download = self._in_turn(url, caller, take or _take_any)
        running = asyncio.run_coroutine_threadsafe(download, self._running_loop())
        return await asyncio.wrap_future(running)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=self._loop.run_forever, name="unmask-fetch", daemon=True
            )
            self._thread.start()
        return self._loop

    async def _in_turn(self, url: URL, caller: str, take: Take) -> bytes:
        """Download in the caller's turn. At most half of the time goes by waiting for it."""
        start = time.monotonic()
        await self._turns.take(caller, self._seconds / 2)
        download = Download(self._gate, self._names, self._tls, self._ports)
        try:
            async with download, asyncio.timeout_at(self._end(start)):
                return await download.follow(url, self._max_bytes, take)
        except TimeoutError as error:
            raise too_late(self._seconds) from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefusedError):
                raise refused("It leads to an address outside the public internet.") from error
            raise unreachable("No connection could be made to the site.") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise unreachable("The site's answer could not be read.") from error
        finally:
            self._release_after(download, caller)

    def _end(self, start: float) -> float:
        """When the download's time is up, by the clock of its loop."""
        waited = time.monotonic() - start
        return asyncio.get_running_loop().time() + max(self._seconds - waited, 0)

    def _release_after(self, download: Download, caller: str) -> None:
        """End the turn, at once or when the lookup of a name that is under way has ended: else
        names that are never found would take all threads."""
        loop = asyncio.get_running_loop()
        if download.lookup is None or download.lookup.done():
            self._turns.release(caller)
            return

        def release(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._turns.release, caller)

        download.lookup.add_done_callback(release)


def _take_any(_: int) -> None:
    pass


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
