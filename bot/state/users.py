"""What is kept of a user: the language, what they were told once, and what is theirs."""

from __future__ import annotations

import time
from typing import Any

from redis import asyncio as aioredis

from bot.i18n import LANGUAGES, language_of
from bot.state.redis_keys import Keys
from unmask.queue.clients import reachable

#: Seconds for which a language, and what a user was told, are kept after the last change.
KEPT = 180 * 86_400


class People:
    """Raises :class:`UnmaskError` ``queue_unavailable``."""

    def __init__(self, redis: aioredis.Redis, keys: Keys, retention: int) -> None:
        self._redis = redis
        self._keys = keys
        self._retention = retention

    async def language(self, user: int, code: str | None) -> str:
        """The language that a user chose, else that of their Telegram (an IETF tag)."""
        with reachable():
            chosen: Any = await self._redis.hget(self._keys.of("person", user), "language")
        return chosen if chosen in LANGUAGES else language_of([code])

    async def choose_language(self, user: int, language: str) -> None:
        """Keep the language that a user chose."""
        await self._put(user, "language", language)

    async def was_told(self, user: int, what: str) -> bool:
        """Whether a user was told this once."""
        with reachable():
            return bool(await self._redis.hexists(self._keys.of("person", user), f"told:{what}"))

    async def tell(self, user: int, what: str) -> None:
        """Remember that a user was told this."""
        await self._put(user, f"told:{what}", "1")

    async def own(self, user: int, *things: str) -> None:
        """Remember that things are a user's: ``check:CHAT:ID``, ``ticket:TOKEN``, ``file:ID``."""
        key = self._keys.of("owned", user)
        now = time.time()
        with reachable():
            async with self._redis.pipeline(transaction=False) as steps:
                steps.zremrangebyscore(key, "-inf", now)
                steps.zadd(key, dict.fromkeys(things, now + self._retention))
                steps.expire(key, self._retention + 60)
                await steps.execute()

    async def owned(self, user: int) -> list[str]:
        """All that is a user's."""
        with reachable():
            found: Any = await self._redis.zrange(self._keys.of("owned", user), 0, -1)
        return list(found)

    async def disown(self, user: int, *things: str) -> None:
        """Forget that things are a user's."""
        if things:
            with reachable():
                await self._redis.zrem(self._keys.of("owned", user), *things)

    async def forget(self, user: int) -> None:
        """Forget the user."""
        with reachable():
            await self._redis.delete(self._keys.of("owned", user), self._keys.of("person", user))

    async def _put(self, user: int, name: str, value: str) -> None:
        key = self._keys.of("person", user)
        with reachable():
            await self._redis.hset(key, name, value)
            await self._redis.expire(key, KEPT)
