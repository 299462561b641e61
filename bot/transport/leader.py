"""The leader lock: only one process works as one bot, because two would each send every reply.

The process holds a lock in Redis and extends it every few seconds. A second process waits until the
lock is released or expires. The lock's token is JSON with the host and the process id, by which a
crashed holder is recognised and ``unmask bot --alive`` finds a running one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from typing import Any
from uuid import uuid4

from redis import asyncio as aioredis
from redis.asyncio.lock import Lock
from redis.exceptions import LockNotOwnedError

from bot.state.redis_keys import Keys
from bot.transport.token import bot_id, token_of
from unmask.errors import UnmaskError
from unmask.queue.clients import open_async_client, reachable
from unmask.settings import Settings

_log = logging.getLogger(__name__)
#: Seconds until the lock of a silent process expires, and between two renewals.
EXPIRY_SECONDS, RENEWAL_SECONDS = 8, 2
#: Seconds between two attempts to acquire the lock.
_RETRY_SECONDS = 0.25


class LeaderLock:
    """The right to work as this bot."""

    def __init__(self, redis: aioredis.Redis, keys: Keys) -> None:
        self._redis = redis
        self._key = keys.leader
        self._lock = Lock(redis, self._key, timeout=EXPIRY_SECONDS, thread_local=False)
        holder = {"host": socket.gethostname(), "pid": os.getpid(), "name": uuid4().hex}
        self._token = json.dumps(holder)

    async def acquire(self) -> None:
        """Wait until no other process works as this bot; raises ``queue_unavailable``."""
        waiting = False
        while not await self._try_acquire():
            with reachable():
                token = await self._redis.get(self._key)
            if token and _has_died(json.loads(token)):
                await self._release(str(token))
                continue
            if not waiting:
                _log.warning("another process works as this bot; waiting until it has ended")
                waiting = True
            await asyncio.sleep(_RETRY_SECONDS)

    async def keep(self) -> None:
        """Renew the lock; returns when another process holds it."""
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            try:
                if not await self._renew():
                    _log.critical("another process took over as this bot")
                    return
            except UnmaskError as error:
                _log.warning("the leader lock was not renewed", extra={"code": error.code})

    async def release(self) -> None:
        """Release the lock, so that the next process can start at once."""
        await self._release(self._token)

    async def _renew(self) -> bool:
        """Whether this process still holds the lock. One that has expired, as when Redis was away,
        is acquired again if no other process holds it."""
        with reachable():
            try:
                return await self._lock.extend(EXPIRY_SECONDS, replace_ttl=True)
            except LockNotOwnedError:
                return await self._try_acquire()

    async def _try_acquire(self) -> bool:
        with reachable():
            # If the answer to the first attempt was lost, the lock is owned already.
            return await self._lock.acquire(blocking=False, token=self._token) or (
                await self._lock.owned()
            )

    async def _release(self, token: str) -> None:
        """Remove the lock if it has this token, which may be that of a process that has died."""
        with reachable(), contextlib.suppress(LockNotOwnedError):
            await self._lock.do_release(token.encode())


async def alive(settings: Settings) -> bool:
    """Whether a bot with this token runs on this host.

    Raises :class:`TokenError` and :class:`UnmaskError` ``queue_unavailable``.
    """
    keys = Keys(bot_id(token_of(settings)))
    async with open_async_client(settings.redis_url or "") as client:
        with reachable():
            token = await client.get(keys.leader)
    return bool(token) and json.loads(str(token))["host"] == socket.gethostname()


def _has_died(holder: dict[str, Any]) -> bool:
    """Whether the holder was a process of this host that has ended."""
    if holder["host"] != socket.gethostname():
        return False
    if holder["pid"] == os.getpid():  # an earlier start in the same container
        return True
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False
