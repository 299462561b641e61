"""What the bot stores in Redis: nothing twice, nothing lost, nothing for longer than it must."""

from __future__ import annotations

import pytest
from redis import asyncio as aioredis

from bot.state.access import Access, ids
from bot.state.callback_data import CallbackData, CallbackDataStore
from bot.state.limits import Limits
from bot.state.links import CODE_SECONDS, Links
from bot.state.pending_albums import TTL_SECONDS, PendingAlbums
from bot.state.redis_keys import Keys
from bot.state.reply_queue import Item, Kind, Reply, ReplyStore, SentPicture, Stage
from bot.state.users import Users
from bot.transport.inbox import Inbox
from desk.accounts.secrets import token_hash
from unmask.errors import SettingsError
from unmask.settings import Settings

pytestmark = pytest.mark.anyio
KEYS = Keys(7)


async def test_a_code_has_one_token_until_another_code_comes(redis: aioredis.Redis) -> None:
    links = Links(redis, KEYS, "secret")
    token = await links.token_for(1, "ABCD")
    assert await links.token_for(1, "ABCD") == token and token_hash(token)
    assert len({token, await links.token_for(2, "ABCD"), await links.token_for(1, "EFGH")}) == 3
    assert 0 < await redis.ttl(KEYS.linking(1)) <= CODE_SECONDS
    assert "ABCD" not in str(await redis.get(KEYS.linking(2)))
    await links.forget(2)
    assert not await redis.exists(KEYS.linking(2))


async def test_a_reply_is_added_and_its_update_removed_in_one_step(
    redis: aioredis.Redis,
) -> None:
    inbox, replies = Inbox(redis, KEYS), ReplyStore(redis, KEYS)
    await inbox.accept([{"update_id": 1, "message": {}}])
    reply = Reply(
        id="a",
        chat=1,
        group=False,
        reply_to=2,
        user=1,
        language="en",
        items=[Item(sent=SentPicture(kind=Kind.PHOTO, message=2, file="f"))],
    )
    await replies.add(reply, 1)
    assert not await inbox.take_over()
    assert await replies.all() == [reply] and await replies.count() == 1
    reply.stage = Stage.SENDING
    await replies.save(reply)
    assert (await replies.all())[0].stage is Stage.SENDING
    await replies.remove("a")
    await replies.save(reply)
    assert not await replies.all(), "saving does not bring back a removed reply"


async def test_a_reply_that_cannot_be_read_is_dropped(redis: aioredis.Redis) -> None:
    """It would otherwise fail every start."""
    replies = ReplyStore(redis, KEYS)
    await redis.hset(KEYS.replies, "a", '{"id": "a"}')
    assert await replies.all() == [] and await replies.count() == 0


async def test_callback_data_expires(redis: aioredis.Redis) -> None:
    callbacks = CallbackDataStore(redis, KEYS, 100)
    callback = CallbackData(user=1, owner=2, chat=3, check="c")
    await callbacks.save("t", callback)
    assert await callbacks.find("t") == callback
    assert 0 < await redis.ttl(KEYS.callback("t")) <= 100
    await callbacks.remove("t")
    assert await callbacks.find("t") is None


async def test_a_user_is_forgotten_without_a_trace(redis: aioredis.Redis) -> None:
    users = Users(redis, KEYS, 100)
    assert await users.language(9, "de-CH") == "de"
    await users.choose_language(9, "te")
    assert await users.language(9, "de") == "te"
    assert not await users.has_hint(9, "x")
    await users.mark_hint(9, "x")
    assert await users.has_hint(9, "x")
    await users.own(9, "check:1:a", "ticket:b")
    await users.disown(9, "ticket:b")
    assert await users.owned(9) == ["check:1:a"]
    assert await redis.ttl(KEYS.owned(9)) > 0 and await redis.ttl(KEYS.user(9)) > 0
    await users.forget(9)
    assert not await redis.keys("*:9")


async def test_which_users_and_chats_are_served(redis: aioredis.Redis) -> None:
    settings = Settings(bot_admins="1", bot_allowed="2, -30", bot_blocked="4")
    access = Access(redis, KEYS, settings)
    assert access.is_admin(1) and not access.is_admin(2)
    served = {(1, 1): True, (2, 2): True, (3, 3): False, (3, -30): True}
    assert {pair: access.serves(*pair) for pair in served} == served
    assert await access.is_blocked(4, 4) and not await access.is_blocked(3, 3)
    assert await access.block(3) and not await access.block(3)
    assert await access.is_blocked(3, 99) and await access.is_blocked(99, 3)
    assert await access.unblock(3) and not await access.unblock(3)
    assert Access(redis, KEYS, Settings()).serves(3, 3), "without a list, everybody"


def test_ids_of_a_setting() -> None:
    assert ids("1, -2 3", "X") == {1, -2, 3}
    with pytest.raises(SettingsError, match="UNMASK_BOT_ADMINS"):
        ids("@ada", "UNMASK_BOT_ADMINS")


async def test_limits_of_a_user_and_of_a_chat(redis: aioredis.Redis, redis_url: str) -> None:
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


def test_pictures_of_an_album_are_held_until_a_message_calls_the_bot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    albums: PendingAlbums[int] = PendingAlbums()
    albums.add("a", 1)
    albums.add("b", 2)
    albums.add("a", 3)
    assert albums.pop("a") == [1, 3] and albums.pop("a") == []
    now += TTL_SECONDS + 1
    albums.add("c", 4)
    assert albums.pop("b") == []
