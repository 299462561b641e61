"""Limits per minute: the pictures of a user and of a chat, and the buttons a user presses."""

from __future__ import annotations

from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from unmask.errors import UnmaskError
from unmask.queue.clients import reachable
from unmask.queue.rate_limits import Limiter
from unmask.settings import Settings

#: How many buttons a user may press in a minute: each may fetch a picture.
MAX_PRESSES = 60


class Limits:
    """Counts pictures and presses. Beyond a limit a method returns the error ``rate_limited`` (with
    ``retry_after``, in seconds); it raises ``queue_unavailable``."""

    def __init__(self, redis: aioredis.Redis, redis_url: str, bot: int, settings: Settings) -> None:
        self._redis = redis
        self._keys = Keys(bot)
        self._limiter = Limiter(redis_url, f"unmask:bot:{bot}:rate")
        self._user = settings.bot_pictures_per_minute_user
        self._chat = settings.bot_pictures_per_minute_chat

    async def picture(self, user: int, chat: int) -> UnmaskError | None:
        """Count one picture of a user in a chat."""
        return await self._hit("user", user, self._user) or await self._hit(
            "chat", chat, self._chat
        )

    async def press(self, user: int) -> UnmaskError | None:
        """Count one press of a button."""
        return await self._hit("press", user, MAX_PRESSES)

    async def begin_wait(self, chat: int, seconds: int) -> bool:
        """Whether to tell a chat now that it has to wait; False while it knows already."""
        with reachable():
            key = self._keys.wait_notice(chat)
            return bool(await self._redis.set(key, "1", nx=True, ex=seconds))

    async def close(self) -> None:
        """Close the connections."""
        await self._limiter.close()

    async def _hit(self, kind: str, number: int, per_minute: int) -> UnmaskError | None:
        try:
            await self._limiter.hit(kind, str(number), per_minute)
        except UnmaskError as error:
            if error.code != "rate_limited":
                raise
            return error
        return None
