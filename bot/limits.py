"""How many pictures a user and a chat may send: counted in Redis by the minute."""

from __future__ import annotations

import math
import time
from typing import Any

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis import asyncio as aioredis

from bot.keys import Keys
from unmask.errors import UnmaskError
from unmask.queue.clients import reachable
from unmask.settings import Settings

#: Presses of buttons a minute for a user: each may fetch a picture.
PRESSES = 60


class Limits:
    """Counts; raises :class:`UnmaskError` ``rate_limited`` (``retry_after``, in seconds)."""

    def __init__(self, redis: aioredis.Redis, redis_url: str, bot: int, settings: Settings) -> None:
        self._redis = redis
        self._keys = Keys(bot)
        scheme, _, rest = redis_url.partition("://")
        scheme = "redis+unix" if scheme == "unix" else scheme
        self._storage = RedisStorage(
            f"async+{scheme}://{rest}",
            implementation="redispy",
            key_prefix=f"unmask:bot:{bot}:rate",
        )
        self._window = SlidingWindowCounterRateLimiter(self._storage)
        self._user = settings.bot_pictures_per_minute_user
        self._chat = settings.bot_pictures_per_minute_chat

    async def picture(self, user: int, chat: int) -> None:
        """Count one picture of a user in a chat; ``rate_limited`` if it is one too many."""
        await self._hit("user", user, self._user)
        await self._hit("chat", chat, self._chat)

    async def press(self, user: int) -> None:
        """Count one press of a button; ``rate_limited`` if it is one too many."""
        await self._hit("press", user, PRESSES)

    async def begin_wait(self, chat: int, seconds: int) -> bool:
        """Whether a chat is now to be told to wait; not if it was, and that time is not over."""
        key = self._keys.of("limits", chat)
        with reachable():
            return bool(await self._redis.set(key, "1", nx=True, ex=seconds))

    async def close(self) -> None:
        """Close the connections."""
        client: Any = getattr(self._storage.bridge, "storage", None)
        if client is not None:
            await client.aclose()

    async def _hit(self, kind: str, who: int, per_minute: int) -> None:
        if not per_minute:
            return
        item = RateLimitItemPerMinute(per_minute)
        with reachable():
            if await self._window.hit(item, kind, str(who)):
                return
            stats = await self._window.get_window_stats(item, kind, str(who))
        seconds = max(1, math.ceil(stats.reset_time - time.time()))
        message = f"More than {per_minute} a minute; wait {seconds} seconds."
        raise UnmaskError("rate_limited", message, limit=per_minute, retry_after=seconds)
