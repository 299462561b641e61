"""From Telegram to the handlers: whatever is delivered twice, lost on the way or unreadable."""

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
    """An Application whose handlers note what they get, once they may."""

    def __init__(self) -> None:
        self.bot = Bot("7:AAFake")
        self.got: list[int] = []
        self.may = asyncio.Event()
        self.may.set()

    async def process_update(self, update: Update) -> None:
        await self.may.wait()
        self.got.append(update.update_id)


class HardOfHearing:
    """A Redis that does what it is asked; the next answer is lost, and those tried again too."""

    def __init__(self, redis: aioredis.Redis) -> None:
        self._redis = redis
        self.deaf = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._redis, name)

    async def eval(self, *arguments: Any) -> Any:
        answer = await self._redis.eval(*arguments)
        if self.deaf:
            self.deaf = False
            raise ConnectionError("the answer was lost")
        return answer


def made(redis: Any) -> tuple[Dispatch, Handlers]:
    handlers = Handlers()
    application: Any = handlers
    return Dispatch(application, Inbox(redis, Keys(7))), handlers


async def through(dispatch: Dispatch) -> None:
    while dispatch._tasks:
        await asyncio.sleep(0.01)


async def test_an_update_whose_acceptance_was_not_heard_of(redis: aioredis.Redis) -> None:
    """Telegram, told that it was not taken, delivers it again."""
    dispatch, handlers = made(HardOfHearing(redis))
    with pytest.raises(UnmaskError) as away:
        await dispatch.take([update(5)])
    assert away.value.code == "queue_unavailable"
    await dispatch.take([update(5)])
    await through(dispatch)
    await dispatch.take([update(5)])
    await through(dispatch)
    assert handlers.got == [5]


async def test_an_update_that_comes_again_while_it_is_in_hand(redis: aioredis.Redis) -> None:
    dispatch, handlers = made(redis)
    handlers.may.clear()
    await dispatch.take([update(5), update(5)])
    await dispatch.take([update(5), update(6)])
    handlers.may.set()
    await through(dispatch)
    assert handlers.got == [5, 6]
    assert not await redis.exists(Keys(7).inbox)


async def test_an_update_that_comes_again_just_when_it_is_through(redis: aioredis.Redis) -> None:
    """The inbox still had it when it was asked."""

    class Slow(Inbox):
        async def accept(self, updates: Any) -> list[dict[str, Any]]:
            answer = await super().accept(updates)
            handlers.may.set()
            await through(dispatch)
            return answer

    dispatch, handlers = made(redis)
    handlers.may.clear()
    await dispatch.take([update(5)])
    dispatch._inbox = Slow(redis, Keys(7))
    await dispatch.take([update(5)])
    await through(dispatch)
    assert handlers.got == [5]


async def test_what_an_earlier_process_left_is_not_dealt_with_twice(redis: aioredis.Redis) -> None:
    await Inbox(redis, Keys(7)).accept([update(5)])
    dispatch, handlers = made(redis)
    await dispatch.resume()
    await dispatch.take([update(5)])
    await through(dispatch)
    assert handlers.got == [5]


async def test_an_update_that_cannot_be_read(
    redis: aioredis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """It holds up nothing, and what it says gets into no log."""
    dispatch, handlers = made(redis)
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
    await through(dispatch)
    assert offsets == [0, 6] and handlers.got == [5]
    assert not await redis.exists(Keys(7).inbox)
    assert "no form that is known" in caplog.text and "between you" not in caplog.text
