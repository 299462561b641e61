"""What the handlers share: the typed keys of the application and of a request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from server.backpressure import Admission
from server.cached_stats import RecentStats
from server.metrics import Metrics
from server.model import PublicModel
from server.security.keys import ApiKey, ApiKeys
from server.security.policy import Policy
from unmask.fetch import Fetcher
from unmask.queue import CheckQueue
from unmask.settings import Settings

SETTINGS = web.AppKey("settings", Settings)
POLICY = web.AppKey("policy", Policy)
CHECKS = web.AppKey("checks", CheckQueue)
RECENT = web.AppKey("recent", RecentStats)
KEYS = web.AppKey("keys", ApiKeys)
ADMISSION = web.AppKey("admission", Admission)
FETCHER = web.AppKey("fetcher", Fetcher)
METRICS = web.AppKey("metrics", Metrics)
MODEL = web.AppKey("model", PublicModel)
#: Set when the server begins to stop: open streams end then.
STOPPING = web.AppKey("stopping", asyncio.Event)


@dataclass(frozen=True)
class Caller:
    """Who asks: the address as the limits count it, and the record of the key, if one was given."""

    address: str
    key: ApiKey | None = None


REQUEST_ID = web.RequestKey("request_id", str)
CALLER = web.RequestKey("caller", Caller)

#: The page keeps the key of a signed-in person in this cookie.
COOKIE = "unmask_key"
