"""The leader lock: one process at a time, without a wait for one that has died."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from typing import Any

import pytest
from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from bot.transport import leader
from bot.transport.leader import EXPIRY_SECONDS, LeaderLock

pytestmark = pytest.mark.anyio
KEYS = Keys(7)
ELSEWHERE = json.dumps({"host": "elsewhere", "pid": 1, "name": "x"})


async def test_only_one_process_works_as_a_bot(redis: aioredis.Redis) -> None:
    lock = LeaderLock(redis, KEYS)
    await lock.acquire()
    token = await redis.get(KEYS.leader)
    assert 0 < await redis.ttl(KEYS.leader) <= EXPIRY_SECONDS
    assert json.loads(token or "")["host"] == socket.gethostname()
    await redis.set(KEYS.leader, ELSEWHERE)
    assert not await lock._renew()
    await lock.release()
    assert await redis.exists(KEYS.leader), "the lock of another process is not released"
    await redis.set(KEYS.leader, token or "")
    await lock.release()
    assert not await redis.exists(KEYS.leader)


async def test_the_lock_is_renewed(redis: aioredis.Redis) -> None:
    lock = LeaderLock(redis, KEYS)
    await lock.acquire()
    await redis.pexpire(KEYS.leader, 500)
    assert await lock._renew()
    assert await redis.pttl(KEYS.leader) > 500


async def test_a_lock_that_has_expired_is_acquired_again(redis: aioredis.Redis) -> None:
    """As after a failure of Redis, unless another process was quicker."""
    lock = LeaderLock(redis, KEYS)
    await lock.acquire()
    await redis.delete(KEYS.leader)
    assert await lock._renew() and await redis.exists(KEYS.leader)
    await redis.set(KEYS.leader, ELSEWHERE)
    assert not await lock._renew()


async def test_an_answer_that_is_lost_does_not_lose_the_lock(redis: aioredis.Redis) -> None:
    """Redis has set the key, and the client, which never heard of it, tries again."""
    lock = LeaderLock(redis, KEYS)
    await redis.set(KEYS.leader, lock._token, ex=EXPIRY_SECONDS)
    await asyncio.wait_for(lock.acquire(), EXPIRY_SECONDS / 2)
    await redis.delete(KEYS.leader)
    await redis.set(KEYS.leader, lock._token, ex=EXPIRY_SECONDS)
    assert await lock._renew() and await lock._try_acquire()


async def test_keep_returns_when_another_process_took_over(
    redis: aioredis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader, "RENEWAL_SECONDS", 0.01)
    lock = LeaderLock(redis, KEYS)
    await lock.acquire()
    keeping = asyncio.create_task(lock.keep())
    await redis.set(KEYS.leader, ELSEWHERE)
    await asyncio.wait_for(keeping, 60)


@pytest.mark.parametrize("pid", [2**22 + 1, os.getpid()], ids=["gone", "reused"])
async def test_the_lock_of_a_dead_process_is_acquired_at_once(
    redis: aioredis.Redis, pid: int
) -> None:
    holder: dict[str, Any] = {"host": socket.gethostname(), "pid": pid, "name": "x"}
    await redis.set(KEYS.leader, json.dumps(holder))
    lock = LeaderLock(redis, KEYS)
    await lock.acquire()
    assert await lock._renew()
