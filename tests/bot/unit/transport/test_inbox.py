"""The inbox: an update is handled once, and never lost."""

from __future__ import annotations

from typing import Any

import pytest
from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from bot.transport.inbox import MAX_STARTS, Inbox

pytestmark = pytest.mark.anyio
KEYS = Keys(7)


def update(number: int) -> dict[str, Any]:
    return {"update_id": number, "message": {"text": f"é {number}"}}


async def test_an_update_is_accepted_until_it_is_handled(redis: aioredis.Redis) -> None:
    inbox = Inbox(redis, KEYS)
    assert await inbox.accept([]) == []
    assert await inbox.accept([update(5), update(4)]) == [update(5), update(4)]
    assert await inbox.accept([update(5), update(6)]) == [update(5), update(6)]
    assert [one["update_id"] for one in await inbox.take_over()] == [4, 5, 6]
    await inbox.remove(5)
    assert [one["update_id"] for one in await inbox.take_over()] == [4, 6]
    assert await inbox.accept([update(5), update(6)]) == [update(6)]


async def test_an_update_that_crashes_every_process_is_given_up(redis: aioredis.Redis) -> None:
    inbox = Inbox(redis, KEYS)
    await inbox.accept([update(1)])
    for _ in range(MAX_STARTS):
        assert await inbox.take_over()
    assert not await inbox.take_over() and not await inbox.take_over()
