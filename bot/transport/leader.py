"""One process works as one bot: it holds a key in Redis and renews it, which is its sign of life.

Two of them would each answer what is owed. The second waits until the first has gone.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from typing import Any
from uuid import uuid4

from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from bot.transport.token import bot_id, token_of
from unmask.errors import UnmaskError
from unmask.queue.clients import open_async_client, reachable
from unmask.settings import Settings

_log = logging.getLogger(__name__)
#: Seconds until a silent process counts as gone, and between signs of life.
EXPIRY, INTERVAL = 8, 2
_LOOK = 0.25

#: Key, own value, seconds. Answers 1 if the key is ours (again).
_RENEW = """
local holder = redis.call('GET', ARGV[1])
if holder and holder ~= ARGV[2] then return 0 end
redis.call('SET', ARGV[1], ARGV[2], 'EX', ARGV[3])
return 1
"""
_RELEASE = """
if redis.call('GET', ARGV[1]) == ARGV[2] then return redis.call('DEL', ARGV[1]) end
return 0
"""


class Beat:
    """The right to work as this bot."""

    def __init__(self, redis: aioredis.Redis, keys: Keys) -> None:
        self._redis = redis
        self._key = keys.beat
        about = {"host": socket.gethostname(), "pid": os.getpid(), "name": uuid4().hex}
        self._own = json.dumps(about)

    async def take(self) -> None:
        """Wait until no other process works as this bot; raises ``queue_unavailable``."""
        waited = False
        while not await self._renewed():
            with reachable():
                holder = await self._redis.get(self._key)
            if holder and _has_died(json.loads(holder)):
                with reachable():
                    await self._redis.eval(_RELEASE, 0, self._key, holder)
                continue
            if not waited:
                _log.warning("another process works as this bot; waiting until it has gone")
                waited = True
            await asyncio.sleep(_LOOK)

    async def keep(self) -> None:
        """Give signs of life; returns when another process has taken over."""
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                if not await self._renewed():
                    _log.critical("another process took over as this bot")
                    return
            except UnmaskError as error:
                _log.warning("no sign of life could be given", extra={"code": error.code})

    async def release(self) -> None:
        """Let the next process begin at once."""
        with reachable():
            await self._redis.eval(_RELEASE, 0, self._key, self._own)

    async def _renewed(self) -> bool:
        with reachable():
            answer: Any = await self._redis.eval(_RENEW, 0, self._key, self._own, EXPIRY)
        return bool(answer)


async def alive(settings: Settings) -> bool:
    """Whether a bot with this token gives signs of life on this host.

    Raises :class:`TokenError` and :class:`UnmaskError` ``queue_unavailable``.
    """
    keys = Keys(bot_id(token_of(settings)))
    async with open_async_client(settings.redis_url or "") as client:
        with reachable():
            holder = await client.get(keys.beat)
    return bool(holder) and json.loads(str(holder))["host"] == socket.gethostname()


def _has_died(holder: dict[str, Any]) -> bool:
    """Whether the holder was a process of this host that is no more."""
    if holder["host"] != socket.gethostname():
        return False
    if holder["pid"] == os.getpid():  # an earlier life of this very process, or of its container
        return True
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False
