"""What the handlers share: the typed keys of the application and of a request."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from desk.actors import DeskActor
from desk.queue import Presence
from desk.service import Desk
from server.backpressure import Backpressure
from server.cached_stats import CachedStats
from server.copies import Copies
from server.metrics import Metrics
from server.model import PublicModel
from server.security.identity import Actor, Identities
from server.security.keys import ApiKeys
from server.security.policy import Policy, public_prefix
from server.security.sessions import COOKIE, PERSON_COOKIE, STATE_COOKIE, Sessions, cookie_name
from server.upload_memory import UploadMemory
from unmask.fetch import Fetcher
from unmask.queue.check_queue import CheckQueue
from unmask.settings import Settings

SETTINGS = web.AppKey("settings", Settings)
POLICY = web.AppKey("policy", Policy)
CHECKS = web.AppKey("checks", CheckQueue)
COPIES = web.AppKey("copies", Copies)
#: The team desk, and who has which of its cases open.
DESK = web.AppKey("desk", Desk)
PRESENCE = web.AppKey("presence", Presence)
STATS = web.AppKey("stats", CachedStats)
KEYS = web.AppKey("keys", ApiKeys)
SESSIONS = web.AppKey("sessions", Sessions)
IDENTITIES = web.AppKey("identities", Identities)
BACKPRESSURE = web.AppKey("backpressure", Backpressure)
FETCHER = web.AppKey("fetcher", Fetcher)
UPLOADS = web.AppKey("uploads", UploadMemory)
METRICS = web.AppKey("metrics", Metrics)
MODEL = web.AppKey("model", PublicModel)
#: The OpenAPI document.
DOCUMENT = web.AppKey("document", dict[str, Any])
#: Set when the server begins to stop: open streams end then.
STOPPING = web.AppKey("stopping", asyncio.Event)


#: The language of the answer, where people read it.
LANGUAGE = web.RequestKey("language", str)
REQUEST_ID = web.RequestKey("request_id", str)
#: The caller's address as the limits count it.
ADDRESS = web.RequestKey("address", str)
ACTOR = web.RequestKey("actor", Actor)
#: Who acts at the desk of the team that the path names.
TEAM_ACTOR = web.RequestKey("team_actor", DeskActor)


def prefix_of(request: web.Request) -> str:
    """The path under which a proxy shows the server, as the proxy or ``UNMASK_PUBLIC_URL`` tells;
    empty without one. It goes before addresses that others than our own page follow."""
    policy = request.app[POLICY]
    forwarded = request.headers.get("X-Forwarded-Prefix") if policy.proxies else None
    prefix = public_prefix(forwarded) if forwarded is not None else None
    return policy.prefix if prefix is None else prefix


def cookie_of(request: web.Request) -> str:
    """The name of the cookie that holds a session's id."""
    return _cookie(request, COOKIE)


def person_cookie_of(request: web.Request) -> str:
    """The name of the cookie that holds the session of a member of a team."""
    return _cookie(request, PERSON_COOKIE)


def state_cookie_of(request: web.Request) -> str:
    """The name of the cookie of a browser that is on its way to a provider and back."""
    return _cookie(request, STATE_COOKIE)


def _cookie(request: web.Request, base: str) -> str:
    return cookie_name(base, https=request.app[POLICY].https, prefix=prefix_of(request))


def caller_of(request: web.Request) -> str:
    """Whose share of the service a request takes: that of its key, else of its address."""
    prefix = request[ACTOR].prefix
    return f"key:{prefix}" if prefix is not None else request[ADDRESS]
