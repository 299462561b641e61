"""The links between Telegram accounts and members of the team: a token for each."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from unmask.queue.clients import reachable

#: Seconds for which a link is kept after its last use.
TTL_SECONDS = 180 * 86_400
#: Seconds for which a code's token is known: longer than a code is valid.
CODE_SECONDS = 900


class Links:
    """The links in Redis. Methods raise :class:`UnmaskError` ``queue_unavailable``."""

    def __init__(self, redis: aioredis.Redis, keys: Keys, secret: str) -> None:
        """``secret`` keys the name by which the desk counts the tries of an account."""
        self._redis = redis
        self._keys = keys
        self._secret = secret.encode()

    def account(self, user: int) -> str:
        """The name of a user's account for the desk, which does not learn Telegram's number."""
        return self._hash(f"account {user}")

    async def token_for(self, user: int, code: str) -> str:
        """The token of the link that a user's code is to make: the same one each time, so that a
        command which a crash cut off makes one link when it is carried out again."""
        key, hashed = self._keys.linking(user), self._hash(f"code {code}")
        with reachable():
            known: Any = await self._redis.get(key)
            before, _, token = str(known or "").partition(" ")
            if before != hashed:
                token = secrets.token_urlsafe(32)
                await self._redis.set(key, f"{hashed} {token}", ex=CODE_SECONDS)
        return token

    async def find(self, user: int) -> str | None:
        """The token of a user's link."""
        with reachable():
            token: Any = await self._redis.getex(self._keys.link(user), ex=TTL_SECONDS)
        return str(token) if token else None

    async def keep(self, user: int, token: str) -> None:
        """Keep the token of a user's link, in place of one that was there."""
        with reachable():
            await self._redis.set(self._keys.link(user), token, ex=TTL_SECONDS)

    async def forget(self, user: int) -> None:
        """Forget a user's link."""
        with reachable():
            await self._redis.delete(self._keys.link(user), self._keys.linking(user))

    def _hash(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
