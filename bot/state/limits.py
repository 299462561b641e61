"""How many pictures a user and a chat may send in a minute, and buttons a user may press."""

from __future__ import annotations

from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from unmask.errors import UnmaskError
from unmask.queue.clients import reachable
from unmask.queue.rate_limits import Limiter
from unmask.settings import Settings

#: Presses of buttons a minute for a user: each may fetch a picture.
PRESSES = 60


class Limits:
    """Counts. What is one too many is told by the error ``rate_limited`` (``retry_after``, in
    seconds), which is returned; ``queue_unavailable`` is raised."""

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
        return await self._hit("press", user, PRESSES)

    async def begin_wait(self, chat: int, seconds: int) -> bool:
        """Whether a chat is now to be told to wait; not if it was, and that time is not over."""
        key = self._keys.of("limits", chat)
        with reachable():
            return bool(await self._redis.set(key, "1", nx=True, ex=seconds))

    async def close(self) -> None:
        """Close the connections."""
        await self._limiter.close()

    async def _hit(self, kind: str, who: int, per_minute: int) -> UnmaskError | None:
        try:
            await self._limiter.hit(kind, str(who), per_minute)
        except UnmaskError as error:
            if error.code != "rate_limited":
                raise
            return error
        return None
