"""What the bot keeps of a user: the language, which hints they have had, and what is theirs."""

from __future__ import annotations

import time
from typing import Any

from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from unmask.i18n import LANGUAGES, language_of
from unmask.queue.clients import reachable

#: Seconds for which a language and the hints are kept after the last change.
TTL_SECONDS = 180 * 86_400


class Users:
    """The users in Redis. Methods raise :class:`UnmaskError` ``queue_unavailable``."""

    def __init__(self, redis: aioredis.Redis, keys: Keys, retention: int) -> None:
        self._redis = redis
        self._keys = keys
        self._retention = retention

    async def language(self, user: int, code: str | None) -> str:
        """The language that a user chose, else that of their Telegram app (an IETF tag)."""
        with reachable():
            language: Any = await self._redis.hget(self._keys.user(user), "language")
        return language if language in LANGUAGES else language_of([code])

    async def choose_language(self, user: int, language: str) -> None:
        """Keep the language that a user chose."""
        await self._set(user, "language", language)

    async def has_hint(self, user: int, hint: str) -> bool:
        """Whether a user has had a hint."""
        with reachable():
            return bool(await self._redis.hexists(self._keys.user(user), f"told:{hint}"))

    async def mark_hint(self, user: int, hint: str) -> None:
        """Remember that a user has had a hint."""
        await self._set(user, f"told:{hint}", "1")

    async def own(self, user: int, *things: str) -> None:
        """Remember that things belong to a user: ``check:CHAT:ID``, ``ticket:TOKEN`` (a button),
        ``file:ID``."""
        key = self._keys.owned(user)
        now = time.time()
        with reachable():
            async with self._redis.pipeline(transaction=False) as steps:
                steps.zremrangebyscore(key, "-inf", now)
                steps.zadd(key, dict.fromkeys(things, now + self._retention))
                steps.expire(key, self._retention + 60)
                await steps.execute()

    async def owned(self, user: int) -> list[str]:
        """All that belongs to a user."""
        with reachable():
            things: Any = await self._redis.zrange(self._keys.owned(user), 0, -1)
        return list(things)

    async def disown(self, user: int, *things: str) -> None:
        """Forget that things belong to a user."""
        if things:
            with reachable():
                await self._redis.zrem(self._keys.owned(user), *things)

    async def forget(self, user: int) -> None:
        """Forget a user."""
        with reachable():
            await self._redis.delete(self._keys.owned(user), self._keys.user(user))

    async def _set(self, user: int, field: str, value: str) -> None:
        key = self._keys.user(user)
        with reachable():
            await self._redis.hset(key, field, value)
            await self._redis.expire(key, TTL_SECONDS)
