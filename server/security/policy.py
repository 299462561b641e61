"""Who may reach the server, and how often: what follows from the settings."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from unmask.settings import Settings

#: Limits a minute where keys are needed and the settings name none.
CHECKS_PER_KEY, CHECKS_PER_ADDRESS, REQUESTS_PER_ADDRESS = 600, 60, 1_200

#: An address as some proxies write it: with a port, and then IPv6 in brackets.
_WITH_PORT = re.compile(r"\[([^\[\]]*)\](?::[0-9]+)?|([0-9.]+):[0-9]+")

_PREFIX = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*", re.ASCII)


class UnsafeSettingsError(Exception):
    """The settings would leave the server open to everybody; the message says what to do."""


@dataclass(frozen=True)
class Policy:
    """What follows from the settings.

    ``hosts`` are the host names under which a keyless server answers (None: any), ``origins`` the
    web origins that may call it besides its own, ``prefix`` the path under which a proxy shows it.
    Limits are counts a minute; 0 means none.
    """

    keys_needed: bool
    hosts: frozenset[str] | None
    own_host: str | None
    https: bool
    prefix: str
    extension_origins: frozenset[str]
    checks_per_key: int
    checks_per_address: int
    requests_per_address: int
    proxies: int

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        """The policy of these settings; raises :class:`UnsafeSettingsError`."""
        private = is_loopback(settings.host) and not settings.public_url
        if settings.api_keys == "none" and not private:
            raise UnsafeSettingsError(
                "UNMASK_API_KEYS=none is for a server that only this machine can reach. "
                "Listen on 127.0.0.1 without UNMASK_PUBLIC_URL, or let keys be needed."
            )
        needed = settings.api_keys == "required" or not private
        public = urlsplit(settings.public_url)
        return cls(
            keys_needed=needed,
            hosts=None if needed else frozenset({"localhost", "127.0.0.1", "::1", settings.host}),
            own_host=public.netloc or None,
            https=public.scheme == "https",
            prefix=public_prefix(public.path) or "",
            extension_origins=frozenset(settings.extension_origins.split()),
            checks_per_key=_limit(settings.checks_per_minute_key, CHECKS_PER_KEY, needed),
            checks_per_address=_limit(
                settings.checks_per_minute_address, CHECKS_PER_ADDRESS, needed
            ),
            requests_per_address=_limit(settings.requests_per_minute, REQUESTS_PER_ADDRESS, needed),
            proxies=settings.proxies,
        )

    def shares_with(self, origin: str) -> bool:
        """Whether ``origin`` is our extension's. Firefox gives each installation an origin of its
        own, so ``moz-extension://*`` stands for all of them."""
        if origin in self.extension_origins:
            return True
        scheme = "moz-extension://"
        return origin.startswith(scheme) and f"{scheme}*" in self.extension_origins


def public_prefix(path: str) -> str | None:
    """The path under which a proxy shows the server, without a slash at its end; None if it is not
    a plain one: it becomes part of addresses."""
    path = path.rstrip("/")
    return path if _PREFIX.fullmatch(path) else None


def is_loopback(host: str) -> bool:
    """Whether a server listening on ``host`` can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def counted_address(peer: str | None, forwarded: Iterable[str], proxies: int) -> str:
    """The caller's address as the limits count it: behind ``proxies`` trusted proxies the one that
    the outermost of them saw; of IPv6 the /64, for a caller owns at least that. ``forwarded`` are
    all lines of ``X-Forwarded-For``: a proxy may add one of its own after the caller's."""
    hops = [hop.strip() for hop in ",".join(forwarded).split(",") if hop.strip()]
    text = hops[-min(proxies, len(hops))] if proxies and hops else peer or ""
    if with_port := _WITH_PORT.fullmatch(text):
        text = with_port[1] or with_port[2] or ""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, 64), strict=False))


def _limit(setting: int | None, default: int, needed: bool) -> int:
    if setting is not None:
        return setting
    return default if needed else 0
