"""What reaches a bot, asked by python-telegram-bot's own client."""

from __future__ import annotations

import asyncio
from io import BytesIO

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image
from telegram import (
    Bot,
    Message,
    Update,
)

from tests import pictures
from tests.bot.telegram import TOKEN, Channel, Group, Person
from tests.bot.telegram.kit import BUTTON, JPEG, drained, refused

pytestmark = pytest.mark.anyio


async def test_updates_are_kept_until_they_are_confirmed(bot: Bot, ada: Person) -> None:
    await ada.says("again")
    first = await bot.get_updates(timeout=1)
    assert [update.message.text for update in first if update.message] == ["/start", "again"]
    assert [update.update_id for update in await bot.get_updates()] == [u.update_id for u in first]
    rest = await bot.get_updates(offset=first[0].update_id + 1)
    assert [update.update_id for update in rest] == [first[1].update_id]
    assert await bot.get_updates(offset=first[1].update_id + 1) == ()


async def test_a_long_poll_ends_with_what_comes(bot: Bot, ada: Person) -> None:
    await drained(bot)
    asking = asyncio.create_task(bot.get_updates(timeout=30, offset=0))
    await ada.telegram.until(lambda: not ada.telegram.calls[-1].done)
    await ada.says("at last")
    assert [u.message.text for u in await asking if u.message] == ["at last"]


async def test_a_second_poll_ends_the_first(bot: Bot, ada: Person) -> None:
    await drained(bot)
    first = asyncio.create_task(bot.get_updates(timeout=30))
    await ada.telegram.until(lambda: not ada.telegram.calls[-1].done)
    async with aiohttp.ClientSession() as other:
        await other.post(f"{ada.telegram.base_url}{TOKEN}/getUpdates")
    with refused("terminated by other getUpdates"):
        await first


async def test_an_update_can_come_twice(bot: Bot, ada: Person) -> None:
    (first,) = await drained(bot)
    ada.telegram.updates.repeat(first.to_dict())
    assert [u.update_id for u in await bot.get_updates()] == [first.update_id]


async def test_albums_stickers_and_gifs(bot: Bot, ada: Person) -> None:
    await drained(bot)
    await ada.sends_album([JPEG, JPEG], caption="Both")
    await ada.sends_sticker(pictures.encoded(pictures.corners(512, 512), "WEBP"))
    await ada.sends_gif([pictures.corners(64, 48), pictures.photo(64, 48)])
    await ada.sends_gif([pictures.corners(64, 48), pictures.photo(64, 48)], kept=True)
    one, two, sticker, gif, kept = [u.message for u in await bot.get_updates() if u.message]
    assert one.media_group_id == two.media_group_id is not None
    assert (one.caption, two.caption) == ("Both", None)
    assert sticker.sticker is not None and sticker.sticker.width == 512
    for message, mime in ((gif, "video/mp4"), (kept, "image/gif")):
        assert message.animation is not None and message.document is not None
        assert message.animation.mime_type == mime
        assert message.animation.thumbnail is not None
        small = await (await bot.get_file(message.animation.thumbnail)).download_as_bytearray()
        with Image.open(BytesIO(small)) as first:
            assert first.size == (64, 48)


async def test_a_press_is_answered_once(bot: Bot, ada: Person) -> None:
    await drained(bot)
    await bot.send_message(ada.user.id, "one", reply_markup=BUTTON)
    answer = await ada.answer()
    pressing = asyncio.create_task(ada.presses(answer, "mask"))
    (update,) = await bot.get_updates(timeout=5)
    query = update.callback_query
    assert query is not None and (query.data, query.from_user.id) == ("mask:1", ada.user.id)
    with refused("MESSAGE_TOO_LONG"):
        await query.answer("x" * 201)
    await query.answer("Here", show_alert=True)
    press = await pressing
    assert (press.text, press.alert) == ("Here", True)
    with refused("query is too old"):
        await query.answer()
    late = ada.touches(answer, "mask:1", expired=True)
    with refused("query is too old"):
        await bot.answer_callback_query(late.id)


async def test_what_a_bot_sees_of_a_group(bot: Bot, ada: Person) -> None:
    telegram = ada.telegram
    group = Group(telegram, "Fact desk", ada)
    channel = Channel(telegram, "News", Group(telegram, "Talk", ada))
    await drained(bot)
    photo = await ada.sends_photo(JPEG, to=group)
    await ada.says("what do you think?", to=group)
    await ada.says("/check@other_bot", to=group, reply_to=photo)
    await ada.says("/check", to=group, reply_to=photo)
    await ada.says(f"@{telegram.bot.username} this?", to=group, reply_to=photo)
    own = await bot.send_message(group.chat.id, "x")
    await ada.says("really?", to=group, reply_to=group.chat.messages[own.message_id])
    post = await channel.posts_photo(JPEG)
    await ada.says("/check", to=channel.group, reply_to=post)
    got = [u.message for u in await bot.get_updates() if u.message]
    assert [message.text for message in got] == [
        "/check", f"@{telegram.bot.username} this?", "really?", "/check"
    ]  # fmt: skip
    replied = [message.reply_to_message for message in got]
    assert replied[0] is not None and replied[0].photo
    entities = [message.parse_entities() for message in got[:2]]
    assert [list(found.values()) for found in entities] == [
        ["/check"], [f"@{telegram.bot.username}"]
    ]  # fmt: skip
    assert isinstance(replied[3], Message) and replied[3].is_automatic_forward
    assert got[3].message_thread_id == post.id
    assert (await bot.get_chat_member(group.chat.id, ada.user.id)).status == "member"


async def test_a_webhook_gets_each_update_until_it_says_yes(bot: Bot, ada: Person) -> None:
    got: list[tuple[str | None, int]] = []
    statuses = iter([500, 403, 200, 200])

    async def hook(request: web.Request) -> web.Response:
        update = Update.de_json(await request.json(), bot)
        got.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), update.update_id))
        return web.Response(status=next(statuses))

    app = web.Application()
    app.router.add_post("/hook", hook)
    async with TestServer(app) as server:
        url = f"http://127.0.0.1:{server.port}/hook"
        await bot.set_webhook(url, secret_token="hush", max_connections=1)
        with refused("webhook is active"):
            await bot.get_updates()
        await ada.says("one more")
        await ada.telegram.until(lambda: len(got) == 4)
        await ada.telegram.settled(0)
        numbers = [number for _, number in got]
        assert numbers == [numbers[0]] * 3 + [numbers[0] + 1]
        assert {secret for secret, _ in got} == {"hush"}
        assert ada.telegram.updates.hook_answers == [500, 403, 200, 200]
        assert (await bot.get_webhook_info()).url == url
        await bot.delete_webhook()
    await ada.says("by polling again")
    assert [u.message.text for u in await bot.get_updates() if u.message] == ["by polling again"]
