"""Does what is owed, however long Telegram or Redis is away."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from telegram.error import BadRequest, NetworkError, RetryAfter

from bot.transport.rate_limiter import seconds_of
from unmask.errors import UnmaskError

_log = logging.getLogger(__name__)
T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
#: Redis is nearer, and can be asked more often.
_LONGEST_REDIS_PAUSE = 10.0


async def deliver(call: Callable[[], Awaitable[T]], until: float) -> T:
    """Make a call again until Telegram takes it, at the latest at ``until`` (Unix time).

    Raises what Telegram says no with, and its last failure when the time is up.
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
        if time.time() + pause > until:
            raise failure
        _log.warning("not delivered yet", extra={"why": type(failure).__name__, "pause": pause})
        await asyncio.sleep(pause)
        pause = min(2 * max(pause, _FIRST_PAUSE), _LONGEST_PAUSE)


async def patiently(step: Callable[[], Awaitable[T]], until: float = math.inf) -> T:
    """Do a step; while Redis is away, again, at the latest at ``until`` (Unix time).

    Raises what the step does, ``queue_unavailable`` when the time is up.
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            return await step()
        except UnmaskError as error:
            if error.code != "queue_unavailable" or time.time() > until:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_REDIS_PAUSE)
