"""Telegram's own limits: not faster than it allows, and patient when it says no."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from telegram.error import RetryAfter
from telegram.ext import AIORateLimiter

_log = logging.getLogger(__name__)
#: Longest time that one call waits because Telegram said so, in seconds. An answer that is owed
#: is tried again after that; anything else fails.
LONGEST_WAIT = 60.0
#: They send no message, so the limits on messages are not theirs.
_FREE = frozenset({"setMessageReaction", "sendChatAction", "getChatMember"})
#: Not worth waiting for.
_FLEETING = frozenset({"setMessageReaction", "sendChatAction"})


class Pace(AIORateLimiter):
    """At most so many messages a second, and 20 a minute to one group."""

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
        """Make the call once it may be made. A chat that is told to wait holds up no other."""
        waited = 0.0
        while True:
            try:
                if endpoint in _FREE:
                    return await callback(*args, **kwargs)
                return await super().process_request(
                    callback, args, kwargs, endpoint, data, rate_limit_args
                )
            except RetryAfter as refusal:
                seconds = seconds_of(refusal)
                waited += seconds
                if endpoint in _FLEETING or waited > LONGEST_WAIT:
                    raise
                _log.info("told to wait", extra={"endpoint": endpoint, "seconds": seconds})
                await asyncio.sleep(seconds + 0.1)


def seconds_of(refusal: RetryAfter) -> float:
    """How long Telegram asks to wait."""
    wait = refusal.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
