"""Which ways to sign in a page offers beside the password, at the address where it was opened."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from server.context import DESK, SETTINGS


@dataclass(frozen=True)
class WaysIn:
    """``provider`` is the name of the one that the settings name; ``elsewhere`` is the address at
    which passkeys, and the provider, work if they do not at the present one."""

    passkeys: bool
    provider: str | None
    elsewhere: str | None


def ways_in(request: web.Request) -> WaysIn:
    """The ways to sign in that the page offers.

    A passkey belongs to one host name, and a provider leads back to one address. Without
    ``UNMASK_PUBLIC_URL`` this machine has several names; behind a proxy the public one counts.
    """
    desk, settings = request.app[DESK], request.app[SETTINGS]
    origin = desk.passkeys.origin
    is_here = bool(settings.public_url) or request.host == urlsplit(origin).netloc
    passkeys, provider = desk.passkeys.are_possible, desk.oidc.name if desk.oidc.is_set else None
    if is_here:
        return WaysIn(passkeys, provider, None)
    can_go_there = settings.port and (passkeys or provider)
    return WaysIn(False, None, origin if can_go_there else None)
