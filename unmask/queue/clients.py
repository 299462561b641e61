"""Redis clients that outlast a restart, and soon report a server that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis import asyncio as aioredis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import BusyLoadingError, ReadOnlyError, RedisError
from redis.retry import Retry

from unmask.errors import UnmaskError
from unmask.settings import Settings

#: About 4 s in all for a door, where a person waits; about 30 s for a worker, which has time.
DOOR_RETRIES, WORKER_RETRIES = 8, 35
_ASYNC_CONNECTIONS = 16
#: Errors after which another connection may help: the server still reads its data, or it became a
#: replica, and the address leads to the new primary by now.
_RETRYABLE = (BusyLoadingError, ReadOnlyError)


def redis_url(settings: Settings) -> str:
    """The URL of the Redis or Valkey in use; starts the embedded Valkey where none is set."""
    if settings.redis_url:
        return settings.redis_url
    # Imported here, because the module does not load on Windows, which has no embedded Valkey.
    from unmask.queue.valkey import EmbeddedValkey

    return EmbeddedValkey(settings.data).ensure()


def open_client(url: str, retries: int = DOOR_RETRIES, *, text: bool = True) -> redis.Redis:
    """A blocking client; ``text`` decodes answers."""
    return redis.Redis.from_url(
        url,
        decode_responses=text,
        socket_timeout=30,
        socket_connect_timeout=5,
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.02), retries),
        retry_on_error=list(_RETRYABLE),
    )


def open_async_client(url: str, *, retries: int = DOOR_RETRIES) -> aioredis.Redis:
    """A client for asyncio, which decodes answers; ``retries`` 0 is for listeners, which ping the
    server themselves."""
    backoff = ExponentialBackoff(cap=1.0, base=0.02) if retries else NoBackoff()
    # Callers wait for a free connection: a thousand at once must not mean a thousand connections.
    pool = aioredis.BlockingConnectionPool.from_url(
        url,
        max_connections=_ASYNC_CONNECTIONS,
        timeout=None,
        decode_responses=True,
        socket_timeout=30,
        socket_connect_timeout=5,
        health_check_interval=10 if retries else 0,
        retry=AsyncRetry(backoff, retries),
        retry_on_error=list(_RETRYABLE) if retries else [],
    )
    return aioredis.Redis.from_pool(pool)


@contextmanager
def reachable() -> Iterator[None]:
    """Turns a failure of Redis into :class:`UnmaskError` ``queue_unavailable``."""
    try:
        yield
    except (RedisError, OSError) as error:
        message = "The queue cannot be reached just now; try again in a moment."
        raise UnmaskError("queue_unavailable", message) from error
