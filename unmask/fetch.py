"""A URL to bytes, without being led inside the network.

A caller that names a URL may try to make this machine talk to machines that only it can reach
(server-side request forgery). Three gates stand in the way, each enough alone for most attacks:
the URL itself (:func:`checked_url`), every answer of the name service, and every address at the
moment a socket is made for it. Redirects come back to the first gate.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from unmask import __version__
from unmask.errors import WEB_PAGE, UnmaskError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Lookup = Callable[[str], Iterable[str]]

#: The ports on which pictures are published. Others reach mail servers, databases and the like.
USUAL_PORTS = frozenset({80, 443, 8080, 8443})
MAX_URL = 4_096
MAX_REDIRECTS = 5
#: Downloads at one time; others wait.
MAX_DOWNLOADS = 32
CHUNK = 65_536
REDIRECTS = frozenset({301, 302, 303, 307, 308})

#: IPv4 that is not the public internet: IANA's special-purpose registry, multicast, and Azure's
#: 168.63.129.16, which looks public and answers only on the machine itself.
CLOSED_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        [
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "168.63.129.16/32",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ],
    )
)
#: IPv6 is closed except for the unicast block in use, whose special-purpose parts are closed too.
#: Mapped, translated and tunnelled IPv4 (::ffff:0:0/96, 64:ff9b::/96, 2001::/32, 2002::/16) is
#: closed as a whole: an IPv4 host has an IPv4 address.
OPEN_V6 = ipaddress.IPv6Network("2000::/3")
CLOSED_V6 = tuple(
    map(
        ipaddress.IPv6Network,
        ["2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"],
    )
)
#: Names that mean this machine or this network, whatever the name service says.
CLOSED_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "onion", "test")

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_USER = re.compile(r"[^/?#]*//[^/?#]*@")
_BRACKETS = re.compile(r"[^/?#]*//[^/?#]*\[")
_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0\\]")


class AddressRefusedError(OSError):
    """An address that is not of the public internet was about to be dialled."""


def is_public(address: Address) -> bool:
    """Whether ``address`` belongs to the public internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in CLOSED_V4)
    if address.scope_id is not None or address not in OPEN_V6:
        return False
    return not any(address in network for network in CLOSED_V6)


def checked_url(text: str | URL, ports: Collection[int] = USUAL_PORTS) -> URL:
    """The URL, normalised and without its fragment.

    Raises ``bad_url`` for text that is no plain http(s) URL, ``url_refused`` for a port or a name
    that is not of the public internet. Addresses written as such are checked when they are dialled.
    """
    text = str(text)
    if len(text) > MAX_URL or _CONTROL.search(text):
        raise _bad_url("It is too long or holds spaces, control characters or backslashes.")
    try:
        url = URL(text).with_fragment(None)
        host, port = url.raw_host, url.port
    except ValueError as error:
        raise _bad_url("It cannot be read as a URL.") from error
    if url.scheme not in {"http", "https"} or not host:
        raise _bad_url("It must begin with http:// or https:// and name a host.")
    if _USER.match(text):
        raise _bad_url("User names and passwords in a URL are not accepted.")
    if port not in ports:
        raise _refused(f"Port {port} is not one on which pictures are published.")
    if _BRACKETS.match(text) and not isinstance(_address(host), ipaddress.IPv6Address):
        raise _bad_url("Its host is not a valid address.")
    if _address(host) is None:
        _check_name(host)
    return url


def next_url(url: URL, location: str, ports: Collection[int] = USUAL_PORTS) -> URL:
    """Where a redirect from ``url`` leads; raises as :func:`checked_url` does, and
    ``url_refused`` if it leaves https for http."""
    if _CONTROL.search(location):
        raise _bad_url("It redirects to what is not a URL.")
    try:
        target = url.join(URL(location))
    except ValueError as error:
        raise _bad_url("It redirects to what is not a URL.") from error
    if url.scheme == "https" and target.scheme == "http":
        raise _refused("It redirects from https to http.")
    return checked_url(target, ports)


class Fetcher:
    """Downloads pictures from the public internet; one for each process.

    ``max_bytes`` bounds a file, ``seconds`` the whole of a download with its redirects. The
    keyword arguments open what is closed, for tests: ``opened`` networks, ``ports``, another
    ``lookup`` of names, another ``tls`` context. No setting and no variable reaches them.
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
        self._opened = tuple(opened)
        self._ports = frozenset(ports)
        self._resolver = _Resolver(self._check, lookup or _look_up)
        self._tls = tls
        self._slots = asyncio.Semaphore(MAX_DOWNLOADS)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the sockets and threads."""
        if self._session is not None:
            await self._session.close()
        await self._resolver.close()

    async def fetch(self, text: str) -> bytes:
        """The bytes at ``text``, a URL.

        Raises ``bad_url``, ``url_refused``, ``url_unreachable``, ``url_timeout``,
        ``too_many_bytes`` or, for a web page, ``not_a_picture``.
        """
        url = checked_url(text, self._ports)
        async with self._slots:
            try:
                async with asyncio.timeout(self._seconds):
                    return await self._follow(url)
            except TimeoutError as error:
                raise UnmaskError(
                    "url_timeout",
                    f"The site did not send the picture within {self._seconds:g} seconds.",
                    seconds=self._seconds,
                ) from error
            except aiohttp.ClientConnectorError as error:
                if isinstance(error.os_error, AddressRefusedError):
                    raise _refused("It leads to an address outside the public internet.") from error
                raise _unreachable("No connection could be made to the site.") from error
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise _unreachable("The site's answer could not be read.") from error

    async def _follow(self, url: URL) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._ask(url)
            if isinstance(answer, bytes):
                return answer
            url = next_url(url, answer, self._ports)
        raise _unreachable(f"It redirects more than {MAX_REDIRECTS} times.")

    async def _ask(self, url: URL) -> bytes | str:
        """The body of a good answer, or the location that a redirect names."""
        async with self._client().get(url, allow_redirects=False) as response:
            if response.status in REDIRECTS and "Location" in response.headers:
                return response.headers["Location"]
            if response.status != 200:
                raise _unreachable(
                    f"The site answered with status {response.status}.", status=response.status
                )
            # We asked for plain bytes: a site that compresses them may be sending a bomb.
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise _unreachable("The site sent the picture compressed, unasked.")
            if response.content_type in {"text/html", "application/xhtml+xml"}:
                raise UnmaskError(
                    "not_a_picture",
                    "The URL leads to a web page, not to a picture on its own.",
                    reason=WEB_PAGE,
                )
            return await self._read(response)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        if (response.content_length or 0) > self._max_bytes:
            raise self._too_many()
        body = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK):
            body += chunk
            if len(body) > self._max_bytes:
                raise self._too_many()
        return bytes(body)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=self._resolver,
                socket_factory=self._socket,
                use_dns_cache=False,
                force_close=True,  # No two downloads share a connection.
                limit=MAX_DOWNLOADS,
                ssl=self._tls or True,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=self._seconds),
                headers={
                    "User-Agent": f"Unmask/{__version__}",
                    "Accept": "image/*",
                    "Accept-Encoding": "identity",
                },
            )
        return self._session

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """The last gate: checks each address that is dialled, wherever it came from."""
        family, kind, protocol, _, where = info
        self._check(str(where[0]))
        return socket.socket(family, kind, protocol)

    def _check(self, text: str) -> None:
        address = _address(text)
        if address is None:
            raise AddressRefusedError("not an address")
        if is_public(address) or any(address in network for network in self._opened):
            return
        raise AddressRefusedError("not an address of the public internet")

    def _too_many(self) -> UnmaskError:
        return UnmaskError(
            "too_many_bytes",
            f"The picture is larger than {self._max_bytes:,} bytes.",
            limit=self._max_bytes,
        )


class _Resolver(AbstractResolver):
    """Looks names up in threads of its own, so that a slow name server delays nothing else.

    Refuses an answer if any of its addresses is refused: a mixed answer is an attack.
    """

    def __init__(self, check: Callable[[str], None], lookup: Lookup) -> None:
        self._check = check
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(MAX_DOWNLOADS, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        addresses = list(await loop.run_in_executor(self._threads, self._lookup, host))
        for address in addresses:
            self._check(address)
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
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str) -> list[str]:
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in answers))


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _check_name(host: str) -> None:
    """Refuse names that no public host has, and numbers that some systems read as addresses."""
    name = host.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _bad_url("Its host is not a valid name.")
    if _NUMBER.fullmatch(labels[-1]):
        raise _bad_url("Its host is a number that is not an address in the usual form.")
    if len(labels) < 2 or any(name == end or name.endswith(f".{end}") for end in CLOSED_NAMES):
        raise _refused("Its host is not a name of the public internet.")


def _bad_url(why: str) -> UnmaskError:
    return UnmaskError("bad_url", f"This URL cannot be used. {why}")


def _refused(why: str) -> UnmaskError:
    return UnmaskError("url_refused", f"This URL is not fetched. {why}")


def _unreachable(why: str, **detail: int) -> UnmaskError:
    return UnmaskError("url_unreachable", f"The picture could not be fetched. {why}", **detail)
