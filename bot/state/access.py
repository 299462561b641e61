"""Whom the bot serves: everybody or those named, never those blocked; and who runs it."""

from __future__ import annotations

from typing import Any

from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from unmask.errors import SettingsError
from unmask.queue.clients import reachable
from unmask.settings import Settings


class Access:
    """Answers who may. Ids are Telegram's: of users above zero, of groups below."""

    def __init__(self, redis: aioredis.Redis, keys: Keys, settings: Settings) -> None:
        self._redis = redis
        self._key = keys.blocked
        self._admins = ids(settings.bot_admins, "UNMASK_BOT_ADMINS")
        self._allowed = ids(settings.bot_allowed, "UNMASK_BOT_ALLOWED")
        self._blocked = ids(settings.bot_blocked, "UNMASK_BOT_BLOCKED")

    def is_admin(self, user: int) -> bool:
        """Whether a user runs this bot."""
        return user in self._admins

    def serves(self, user: int, chat: int) -> bool:
        """Whether the allow-list, if there is one, names the user or the chat."""
        return not self._allowed or bool({user, chat} & (self._allowed | self._admins))

    async def is_blocked(self, user: int, chat: int) -> bool:
        """Whether the user or the chat is never answered."""
        if {user, chat} & self._blocked:
            return True
        with reachable():
            found: Any = await self._redis.smismember(self._key, [str(user), str(chat)])
        return any(found)

    async def block(self, who: int) -> bool:
        """Never answer ``who`` again; False if it was so already."""
        with reachable():
            return bool(await self._redis.sadd(self._key, str(who)))

    async def unblock(self, who: int) -> bool:
        """Answer ``who`` again; False if it was not blocked by :meth:`block`."""
        with reachable():
            return bool(await self._redis.srem(self._key, str(who)))


def ids(text: str, variable: str) -> frozenset[int]:
    """The ids in a setting, separated by commas or spaces; raises :class:`SettingsError`."""
    try:
        return frozenset(int(part) for part in text.replace(",", " ").split())
    except ValueError as error:
        message = f"{variable}: Telegram ids are whole numbers, separated by commas or spaces."
        raise SettingsError(message) from error
