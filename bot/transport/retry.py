"""Retries: of calls to Telegram and of steps that need Redis, until a deadline."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter

from bot.transport.rate_limiter import seconds_of
from unmask.errors import UnmaskError
from unmask.logs import kind_of

_log = logging.getLogger(__name__)
T = TypeVar("T")

_FIRST_PAUSE, _MAX_PAUSE = 0.5, 30.0
_MAX_REASON = 100
#: Redis is nearer than Telegram and can be asked more often.
_MAX_REDIS_PAUSE = 10.0


async def retry_telegram(call: Callable[[], Awaitable[T]], deadline: float) -> T:
    """The result of a call to Telegram, repeated until it succeeds or ``deadline`` (Unix time).

    Raises a refusal at once, and the last failure at the deadline.
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            return await call()
        except BadRequest:
            raise
        except RetryAfter as refusal:
            pause = seconds_of(refusal)
            failure: Exception = refusal
        except NetworkError as error:
            failure = error
        if time.time() + pause > deadline:
            raise failure
        _log.warning("not delivered yet", extra={"why": type(failure).__name__, "pause": pause})
        await asyncio.sleep(pause)
        pause = min(2 * max(pause, _FIRST_PAUSE), _MAX_PAUSE)


def reason_of(error: BaseException) -> str:
    """What the log may hold of an exception: its kind, and the sentence of Telegram's refusal."""
    if isinstance(error, (BadRequest, Forbidden)):
        return f"{kind_of(error)}: {' '.join(error.message.split())[:_MAX_REASON]}"
    return kind_of(error)


async def retry_redis(step: Callable[[], Awaitable[T]], deadline: float = math.inf) -> T:
    """The result of a step, repeated while Redis is away until ``deadline`` (Unix time).

    Raises what the step raises; ``queue_unavailable`` only at the deadline.
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            return await step()
        except UnmaskError as error:
            if error.code != "queue_unavailable" or time.time() > deadline:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, _MAX_REDIS_PAUSE)
