"""The webhook: receives updates from Telegram and answers 200 when they are stored."""

from __future__ import annotations

import hmac
import json
import logging
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bot.transport.dispatch import Dispatch
from unmask.errors import UnmaskError

_log = logging.getLogger(__name__)
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
#: Telegram's updates are a few KB.
MAX_BYTES = 1_000_000


class BadWebhookError(Exception):
    """The webhook's settings cannot work; the message says what to do."""


def webhook_path(url: str, token: str) -> str:
    """The path of the webhook's URL; raises :class:`BadWebhookError` if Telegram cannot use it."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise BadWebhookError("UNMASK_BOT_WEBHOOK: Telegram sends updates to https URLs only.")
    if token in url or token.partition(":")[2] in url:
        raise BadWebhookError("UNMASK_BOT_WEBHOOK: leave the token out of it; it gets into logs.")
    if parts.path in ("", "/"):
        raise BadWebhookError("UNMASK_BOT_WEBHOOK: give it a path, such as /telegram.")
    return parts.path


def webhook_app(path: str, secret: str, dispatch: Dispatch) -> web.Application:
    """The web application: the webhook at ``path``, and ``/healthz``."""

    async def receive(request: web.Request) -> web.Response:
        candidate = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(candidate.encode("utf-8", "replace"), secret.encode()):
            _log.warning("a request without the webhook's secret was refused")
            return web.Response(status=403)
        try:
            update = _validate(json.loads(await request.read()))
        except (ValueError, RecursionError):
            return web.Response(status=400)
        try:
            await dispatch.accept([update])
        except UnmaskError as error:
            # Telegram sends it again.
            _log.warning("an update was not accepted", extra={"code": error.code})
            return web.Response(status=503)
        return web.Response()

    async def health(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def hide_versions(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = "unmask"  # aiohttp would send its own and Python's version

    app = web.Application(client_max_size=MAX_BYTES)
    app.on_response_prepare.append(hide_versions)
    app.router.add_post(path, receive)
    app.router.add_get("/healthz", health)
    return app


def _validate(update: Any) -> dict[str, Any]:
    """The update itself; raises ValueError for anything else."""
    if not isinstance(update, dict) or type(update.get("update_id")) is not int:
        raise ValueError("not an update")
    return update
