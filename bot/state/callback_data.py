"""What a button belongs to: looked up by a token, so that it works after a restart too."""

from __future__ import annotations

import secrets

from pydantic import BaseModel, ConfigDict
from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from bot.state.reply_queue import Item
from unmask.queue.clients import reachable


class Ticket(BaseModel):
    """What the buttons below an answer need to know.

    ``check`` is shown; ``owner`` asked for it, ``asker`` got this answer: they differ where a
    group's earlier check is shown again. ``item`` is what was sent, where it can be examined anew.
    The ticket of an album has no check but ``pages``, the tokens of its pictures' tickets, and the
    ``numbers`` that its caption gives them; each of those knows ``album``, the token of the whole.
    """

    model_config = ConfigDict(frozen=True)

    asker: int
    owner: int
    chat: int
    check: str = ""
    item: Item | None = None
    pages: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    album: str = ""


class Tickets:
    """Keeps tickets as long as results are kept. Raises ``queue_unavailable``."""

    def __init__(self, redis: aioredis.Redis, keys: Keys, seconds: int) -> None:
        self._redis = redis
        self._keys = keys
        self._seconds = seconds

    @staticmethod
    def token() -> str:
        """A new token: 12 characters, 72 random bits."""
        return secrets.token_urlsafe(9)

    async def keep(self, token: str, ticket: Ticket) -> None:
        """Keep a ticket under its token."""
        key = self._keys.of("ticket", token)
        with reachable():
            await self._redis.set(key, ticket.model_dump_json(), ex=self._seconds)

    async def find(self, token: str) -> Ticket | None:
        """The ticket; None if there is none any more."""
        with reachable():
            text = await self._redis.get(self._keys.of("ticket", token))
        return Ticket.model_validate_json(text) if text else None

    async def drop(self, token: str) -> None:
        """Forget a ticket."""
        with reachable():
            await self._redis.delete(self._keys.of("ticket", token))
