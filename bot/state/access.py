"""Which users and chats the bot serves, which it never answers, and who administers it."""

from __future__ import annotations

from typing import Any

from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from unmask.errors import SettingsError
from unmask.queue.clients import reachable
from unmask.settings import Settings


class Access:
    """Decides who is served. Ids are Telegram's: positive for users, negative for groups."""

    def __init__(self, redis: aioredis.Redis, keys: Keys, settings: Settings) -> None:
        self._redis = redis
        self._key = keys.blocked
        self._admins = ids(settings.bot_admins, "UNMASK_BOT_ADMINS")
        self._allowed = ids(settings.bot_allowed, "UNMASK_BOT_ALLOWED")
        self._blocked = ids(settings.bot_blocked, "UNMASK_BOT_BLOCKED")

    def is_admin(self, user: int) -> bool:
        """Whether a user administers this bot."""
        return user in self._admins

    def serves(self, user: int, chat: int) -> bool:
        """Whether the allow-list, if there is one, names the user or the chat."""
        return not self._allowed or bool({user, chat} & (self._allowed | self._admins))

    def is_named(self, chat: int) -> bool:
        """Whether the allow-list, or the list of administrators, names the chat itself."""
        return chat in self.named

    @property
    def named(self) -> frozenset[int]:
        """The users and chats for which :meth:`is_named` holds."""
        return self._allowed | self._admins

    async def is_blocked(self, user: int, chat: int) -> bool:
        """Whether the user or the chat is blocked."""
        if {user, chat} & self._blocked:
            return True
        with reachable():
            blocked: Any = await self._redis.smismember(self._key, [str(user), str(chat)])
        return any(blocked)

    async def block(self, number: int) -> bool:
        """Block the user or chat with this id; False if it was blocked already."""
        with reachable():
            return bool(await self._redis.sadd(self._key, str(number)))

    async def unblock(self, number: int) -> bool:
        """Undo :meth:`block`; False if it had not blocked this id."""
        with reachable():
            return bool(await self._redis.srem(self._key, str(number)))


def ids(text: str, variable: str) -> frozenset[int]:
    """The ids in a setting, separated by commas or spaces; raises :class:`SettingsError`."""
    try:
        return frozenset(int(part) for part in text.replace(",", " ").split())
    except ValueError as error:
        message = f"{variable}: Telegram ids are whole numbers, separated by commas or spaces."
        raise SettingsError(message) from error
