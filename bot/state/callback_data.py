"""What a button belongs to: stored under a token, so that buttons work after a restart too."""

from __future__ import annotations

import secrets

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from bot.state.reply_queue import Item
from unmask.queue.clients import reachable


class CallbackData(BaseModel):
    """What the handlers of a reply's buttons need to know.

    ``check`` is the check whose result is shown. ``owner`` requested that check, ``user`` received
    this reply: they differ where a group's earlier check is shown again. ``item`` is the picture
    that was sent, if the result is that of a similar one and it can be examined itself.

    The buttons below an album have no check but ``pages``, the tokens of its pictures, and
    ``numbers``, which the caption gives them; each of those pictures has ``album``, the token of
    the album. ``asker`` is the name that the version before stored.
    """

    model_config = ConfigDict(frozen=True)

    user: int = Field(validation_alias=AliasChoices("user", "asker"))
    owner: int
    chat: int
    check: str = ""
    item: Item | None = None
    pages: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    album: str = ""


class CallbackDataStore:
    """Keeps callback data as long as results are kept. Raises ``queue_unavailable``."""

    def __init__(self, redis: aioredis.Redis, keys: Keys, seconds: int) -> None:
        self._redis = redis
        self._keys = keys
        self._seconds = seconds

    @staticmethod
    def new_token() -> str:
        """A new token: 12 characters, 72 random bits."""
        return secrets.token_urlsafe(9)

    async def save(self, token: str, callback: CallbackData) -> None:
        """Store callback data under its token."""
        with reachable():
            await self._redis.set(
                self._keys.callback(token), callback.model_dump_json(), ex=self._seconds
            )

    async def find(self, token: str) -> CallbackData | None:
        """The callback data of a token; None if it has expired or was removed."""
        with reachable():
            text = await self._redis.get(self._keys.callback(token))
        return CallbackData.model_validate_json(text) if text else None

    async def remove(self, token: str) -> None:
        """Remove the callback data of a token."""
        with reachable():
            await self._redis.delete(self._keys.callback(token))
