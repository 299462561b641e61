"""Telegram's own limits: the bot keeps to them, and waits when Telegram says "retry after"."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from telegram.error import RetryAfter
from telegram.ext import AIORateLimiter

_log = logging.getLogger(__name__)
#: How many seconds one call waits in all because Telegram demands it. After that an owed reply is
#: retried later; anything else fails.
MAX_WAIT = 60.0
#: These methods send no message, so the limits on messages do not apply.
_UNLIMITED = frozenset({"setMessageReaction", "sendChatAction", "getChatMember"})
#: These are not worth waiting for.
_EXPENDABLE = frozenset({"setMessageReaction", "sendChatAction"})


class TelegramRateLimiter(AIORateLimiter):
    """Limits messages to ``per_second`` in all and to 20 a minute in one group."""

    def __init__(self, per_second: int) -> None:
        super().__init__(overall_max_rate=per_second, max_retries=0)

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, bool | dict[str, Any] | list[dict[str, Any]]]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> bool | dict[str, Any] | list[dict[str, Any]]:
        """The result of a call, made when the limits allow it. A chat that has to wait delays no
        other chat."""
        waited = 0.0
        while True:
            try:
                if endpoint in _UNLIMITED:
                    return await callback(*args, **kwargs)
                return await super().process_request(
                    callback, args, kwargs, endpoint, data, rate_limit_args
                )
            except RetryAfter as refusal:
                seconds = seconds_of(refusal)
                waited += seconds
                if endpoint in _EXPENDABLE or waited > MAX_WAIT:
                    raise
                _log.info(
                    "waiting as Telegram demands", extra={"endpoint": endpoint, "seconds": seconds}
                )
                await asyncio.sleep(seconds + 0.1)


def seconds_of(refusal: RetryAfter) -> float:
    """How many seconds Telegram demands to wait."""
    wait = refusal.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
