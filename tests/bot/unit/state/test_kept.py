"""What the bot keeps in Redis: nothing twice, nothing lost, nothing for longer than it must."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

import pytest
from redis import asyncio as aioredis

from bot.state.access import Access, ids
from bot.state.callback_data import Ticket, Tickets
from bot.state.limits import Limits
from bot.state.pending_albums import Unasked
from bot.state.redis_keys import Keys
from bot.state.reply_queue import Item, Kind, Order, OrderBook, Stage
from bot.state.users import People
from bot.transport.inbox import MOST_STARTS, Inbox
from bot.transport.leader import Beat
from unmask.errors import SettingsError
from unmask.settings import Settings

pytestmark = pytest.mark.anyio
KEYS = Keys(7)


def update(number: int) -> dict[str, Any]:
    return {"update_id": number, "message": {"text": f"é {number}"}}


def order(name: str, asker: int = 1) -> Order:
    return Order(
        id=name,
        chat=1,
        group=False,
        reply_to=2,
        asker=asker,
        language="en",
        items=[Item(kind=Kind.PHOTO, message=2, file="f")],
    )


async def test_an_update_is_accepted_until_it_is_dealt_with(redis: aioredis.Redis) -> None:
    inbox = Inbox(redis, KEYS)
    assert await inbox.accept([]) == []
    assert await inbox.accept([update(5), update(4)]) == [update(5), update(4)]
    assert await inbox.accept([update(5), update(6)]) == [update(5), update(6)]
    assert [one["update_id"] for one in await inbox.left()] == [4, 5, 6]
    await inbox.done(5)
    assert [one["update_id"] for one in await inbox.left()] == [4, 6]
    assert await inbox.accept([update(5), update(6)]) == [update(6)]


async def test_an_update_that_ends_every_process_is_given_up(redis: aioredis.Redis) -> None:
    inbox = Inbox(redis, KEYS)
    await inbox.accept([update(1)])
    for _ in range(MOST_STARTS):
        assert await inbox.left()
    assert not await inbox.left() and not await inbox.left()


async def test_an_order_and_its_update_change_places_in_one_step(redis: aioredis.Redis) -> None:
    inbox, book = Inbox(redis, KEYS), OrderBook(redis, KEYS)
    await inbox.accept([update(1)])
    made = order("a")
    await book.enter(made, 1)
    assert not await inbox.left()
    assert await book.open() == [made] and await book.count() == 1
    made.stage = Stage.SENDING
    await book.save(made)
    assert (await book.open())[0].stage is Stage.SENDING
    await book.close("a")
    await book.save(made)
    assert not await book.open(), "what was closed does not come back"


async def test_tickets_expire(redis: aioredis.Redis) -> None:
    tickets = Tickets(redis, KEYS, 100)
    ticket = Ticket(asker=1, owner=2, chat=3, check="c")
    await tickets.keep("t", ticket)
    assert await tickets.find("t") == ticket
    assert 0 < await redis.ttl(KEYS.of("ticket", "t")) <= 100
    await tickets.drop("t")
    assert await tickets.find("t") is None


async def test_of_a_person_nothing_stays(redis: aioredis.Redis) -> None:
    people = People(redis, KEYS, 100)
    assert await people.language(9, "de-CH") == "de"
    await people.choose_language(9, "te")
    assert await people.language(9, "de") == "te"
    assert not await people.was_told(9, "x")
    await people.tell(9, "x")
    assert await people.was_told(9, "x")
    await people.own(9, "check:1:a", "ticket:b")
    await people.disown(9, "ticket:b")
    assert await people.owned(9) == ["check:1:a"]
    assert await redis.ttl(KEYS.of("owned", 9)) > 0 and await redis.ttl(KEYS.of("person", 9)) > 0
    await people.forget(9)
    assert not await redis.keys("*:9")


async def test_who_is_served(redis: aioredis.Redis) -> None:
    settings = Settings(bot_admins="1", bot_allowed="2, -30", bot_blocked="4")
    access = Access(redis, KEYS, settings)
    assert access.is_admin(1) and not access.is_admin(2)
    assert [access.serves(*who) for who in ((1, 1), (2, 2), (3, 3), (3, -30))] == [
        True,
        True,
        False,
        True,
    ]
    assert await access.is_blocked(4, 4) and not await access.is_blocked(3, 3)
    assert await access.block(3) and not await access.block(3)
    assert await access.is_blocked(3, 99) and await access.is_blocked(99, 3)
    assert await access.unblock(3) and not await access.unblock(3)
    assert Access(redis, KEYS, Settings()).serves(3, 3), "without a list, everybody"


def test_ids_that_are_none() -> None:
    assert ids("1, -2 3", "X") == {1, -2, 3}
    with pytest.raises(SettingsError, match="UNMASK_BOT_ADMINS"):
        ids("@ada", "UNMASK_BOT_ADMINS")


async def test_limits_of_a_person_and_of_a_chat(redis: aioredis.Redis, redis_url: str) -> None:
    settings = Settings(bot_pictures_per_minute_user=2, bot_pictures_per_minute_chat=3)
    limits = Limits(redis, redis_url, 7, settings)
    try:
        for user in (1, 1, 2):
            assert await limits.picture(user, -5) is None
        for user, chat in ((1, 1), (2, -5)):
            refused = await limits.picture(user, chat)
            assert refused is not None and refused.code == "rate_limited"
            assert 1 <= refused.detail["retry_after"] <= 120
        assert await limits.begin_wait(-5, 60) and not await limits.begin_wait(-5, 60)
    finally:
        await limits.close()


async def test_only_one_works_as_a_bot(redis: aioredis.Redis) -> None:
    mine = Beat(redis, KEYS)
    await mine.take()
    kept = await redis.get(KEYS.beat)
    assert 0 < await redis.ttl(KEYS.beat) <= 8
    await redis.set(KEYS.beat, json.dumps({"host": "elsewhere", "pid": 1, "name": "x"}))
    assert not await mine._renewed()
    await mine.release()
    assert await redis.exists(KEYS.beat), "that of another is left alone"
    await redis.set(KEYS.beat, kept or "")
    await mine.release()
    assert not await redis.exists(KEYS.beat)


@pytest.mark.parametrize("pid", [2**22 + 1, os.getpid()])
async def test_the_place_of_a_dead_process_is_taken_at_once(
    redis: aioredis.Redis, pid: int
) -> None:
    holder = {"host": socket.gethostname(), "pid": pid, "name": "x"}
    await redis.set(KEYS.beat, json.dumps(holder))
    beat = Beat(redis, KEYS)
    await beat.take()
    assert await beat._renewed()


def test_pictures_for_which_nobody_asked_are_held_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    held: Unasked[int] = Unasked()
    held.hold("a", 1)
    held.hold("b", 2)
    held.hold("a", 3)
    assert held.take("a") == [1, 3] and held.take("a") == []
    now += 60
    held.hold("c", 4)
    assert held.take("b") == []
