"""Puts the application together: the services that handlers use, the middlewares, the routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from desk.queue import Presence
from desk.service import Desk
from server import context
from server.api.layers import LAYERS, LayerRenderer
from server.api.preview import PREVIEWS, PreviewRenderer
from server.backpressure import Backpressure
from server.cached_stats import CachedStats
from server.copies import Copies
from server.metrics import Metrics
from server.middleware import MIDDLEWARES, add_headers, add_shared_headers
from server.model import public_model
from server.routes import add_routes, api_document
from server.security.identity import Identities
from server.security.keys import ApiKeys
from server.security.policy import Policy
from server.security.sessions import Sessions
from server.upload_memory import UploadMemory
from server.web.rendering import PAGES, Pages
from unmask.fetch import Fetcher
from unmask.queue.check_queue import CheckQueue
from unmask.queue.clients import open_async_client
from unmask.queue.rate_limits import Limiter
from unmask.settings import Settings


def make_app(
    settings: Settings,
    checks: CheckQueue,
    redis_url: str,
    fetcher: Fetcher | None = None,
    *,
    desk: Desk | None = None,
) -> web.Application:
    """The application on a connected queue; ``redis_url`` is where keys and limits are kept.

    Call it while the event loop runs. It closes what it opens itself, but neither ``checks`` nor
    ``desk``. Raises
    :class:`server.security.policy.UnsafeSettingsError`, ``model_missing`` or ``model_mismatch``.
    """
    policy = Policy.of(settings)
    model = public_model(settings)
    # aiohttp's own limit guards what is read whole; pictures are streamed and counted.
    app = web.Application(middlewares=MIDDLEWARES, client_max_size=65_536)
    redis = open_async_client(redis_url)
    limiter = Limiter(redis_url)
    app[context.SETTINGS] = settings
    app[context.POLICY] = policy
    app[context.CHECKS] = checks
    app[context.COPIES] = Copies(checks, settings)
    if desk is not None:
        app[context.DESK] = desk
        app[context.PRESENCE] = Presence(redis)
    app[context.KEYS] = keys = ApiKeys(redis)
    app[context.SESSIONS] = sessions = Sessions(redis)
    app[context.IDENTITIES] = Identities(keys, sessions, desk, keys_needed=policy.keys_needed)
    app[context.STATS] = stats = CachedStats(checks)
    app[context.BACKPRESSURE] = Backpressure(policy, limiter, stats, settings)
    app[context.FETCHER] = fetcher or Fetcher(settings.max_bytes, settings.fetch_seconds)
    app[context.UPLOADS] = UploadMemory(max(settings.upload_memory, 4 * settings.max_bytes))
    app[PREVIEWS] = PreviewRenderer(settings)
    app[LAYERS] = LayerRenderer(settings)
    app[context.METRICS] = Metrics()
    app[context.MODEL] = model
    app[context.DOCUMENT] = api_document()
    app[PAGES] = Pages(settings, model)
    app[context.STOPPING] = asyncio.Event()

    async def resources(app: web.Application) -> AsyncIterator[None]:
        yield
        app[PREVIEWS].close()
        await app[context.FETCHER].close()
        await limiter.close()
        await redis.aclose()

    app.cleanup_ctx.append(resources)
    app.on_shutdown.append(_stop_streams)
    app.on_response_prepare.append(add_headers)
    app.on_response_prepare.append(add_shared_headers)
    add_routes(app, with_desk=desk is not None)
    return app


async def _stop_streams(app: web.Application) -> None:
    app[context.STOPPING].set()
