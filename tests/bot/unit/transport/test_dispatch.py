"""From Telegram to the handlers: updates delivered twice, answers lost, unreadable updates."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis import asyncio as aioredis
from telegram import Bot, Update

from bot.state.redis_keys import Keys
from bot.transport.dispatch import Dispatch
from bot.transport.inbox import Inbox
from bot.transport.polling import poll
from unmask.errors import UnmaskError

pytestmark = pytest.mark.anyio
CHAT = {"id": 1, "type": "private"}


def update(number: int) -> dict[str, Any]:
    message = {"message_id": number, "date": 1_700_000_000, "chat": CHAT, "text": "hello"}
    return {"update_id": number, "message": message}


class Handlers:
    """An Application whose handlers collect the updates as soon as they may."""

    def __init__(self) -> None:
        self.bot = Bot("7:AAFake")
        self.handled: list[int] = []
        self.may_handle = asyncio.Event()
        self.may_handle.set()

    async def process_update(self, update: Update) -> None:
        await self.may_handle.wait()
        self.handled.append(update.update_id)


class LossyRedis:
    """A Redis that executes every command; the first answer to a script is lost."""

    def __init__(self, redis: aioredis.Redis) -> None:
        self._redis = redis
        self.loses_answer = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._redis, name)

    async def eval(self, *arguments: Any) -> Any:
        answer = await self._redis.eval(*arguments)
        if self.loses_answer:
            self.loses_answer = False
            raise ConnectionError("the answer was lost")
        return answer


def dispatch_with(redis: Any) -> tuple[Dispatch, Handlers]:
    handlers = Handlers()
    application: Any = handlers
    return Dispatch(application, Inbox(redis, Keys(7))), handlers


async def finish(dispatch: Dispatch) -> None:
    while dispatch._tasks:
        await asyncio.sleep(0.01)


async def test_an_update_whose_acceptance_was_not_confirmed(redis: aioredis.Redis) -> None:
    """Telegram learns that it was not accepted and delivers it again."""
    dispatch, handlers = dispatch_with(LossyRedis(redis))
    with pytest.raises(UnmaskError) as away:
        await dispatch.accept([update(5)])
    assert away.value.code == "queue_unavailable"
    await dispatch.accept([update(5)])
    await finish(dispatch)
    await dispatch.accept([update(5)])
    await finish(dispatch)
    assert handlers.handled == [5]


async def test_an_update_that_comes_again_while_it_is_handled(redis: aioredis.Redis) -> None:
    dispatch, handlers = dispatch_with(redis)
    handlers.may_handle.clear()
    await dispatch.accept([update(5), update(5)])
    await dispatch.accept([update(5), update(6)])
    handlers.may_handle.set()
    await finish(dispatch)
    assert handlers.handled == [5, 6]
    assert not await redis.exists(Keys(7).inbox)


async def test_an_update_that_comes_again_just_when_its_handler_returns(
    redis: aioredis.Redis,
) -> None:
    """The inbox still has it at that moment."""

    class Slow(Inbox):
        async def accept(self, updates: Any) -> list[dict[str, Any]]:
            answer = await super().accept(updates)
            handlers.may_handle.set()
            await finish(dispatch)
            return answer

    dispatch, handlers = dispatch_with(redis)
    handlers.may_handle.clear()
    await dispatch.accept([update(5)])
    dispatch._inbox = Slow(redis, Keys(7))
    await dispatch.accept([update(5)])
    await finish(dispatch)
    assert handlers.handled == [5]


async def test_an_update_of_an_earlier_process_is_not_handled_twice(redis: aioredis.Redis) -> None:
    await Inbox(redis, Keys(7)).accept([update(5)])
    dispatch, handlers = dispatch_with(redis)
    await dispatch.resume()
    await dispatch.accept([update(5)])
    await finish(dispatch)
    assert handlers.handled == [5]


async def test_an_update_that_cannot_be_read(
    redis: aioredis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """It delays no other, and its text gets into no log."""
    dispatch, handlers = dispatch_with(redis)
    strange = {"update_id": 4, "message": {"message_id": 1, "text": "between you and me"}}
    offsets: list[int] = []

    async def post(endpoint: str, data: dict[str, Any], **_: Any) -> list[dict[str, Any]]:
        assert endpoint == "getUpdates"
        offsets.append(data["offset"])
        if len(offsets) > 1:
            await asyncio.Event().wait()
        return [strange, update(5)]

    handlers.bot._post = post  # type: ignore[method-assign, assignment]
    polling = asyncio.create_task(poll(handlers.bot, dispatch))
    while len(offsets) < 2 and not polling.done():
        await asyncio.sleep(0.01)
    polling.cancel()
    await finish(dispatch)
    assert offsets == [0, 6] and handlers.handled == [5]
    assert not await redis.exists(Keys(7).inbox)
    assert "unknown form" in caplog.text and "between you" not in caplog.text
