"""Which users are served, how many pictures they may send, and what the bot tells them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.bot.bot_process import QueueProbe, bot_within
from tests.bot.conftest import ADMIN, BLOCKED, check_manners, telegram_of
from tests.bot.image_asserts import Pixels, as_file, faceless, genuine
from tests.bot.telegram import Group, Person, Telegram
from tests.server.server_process import Service

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def strict(service: Service, queue: QueueProbe) -> AsyncIterator[Telegram]:
    """The Telegram of a bot that accepts two pictures a minute and has an allow-list."""
    async with telegram_of(queue, 3) as telegram:
        settings: dict[str, Any] = {
            "bot_pictures_per_minute_user": 2,
            "bot_allowed": "100,-1001000000001",
            "bot_admins": "200",
        }
        async with bot_within(service, telegram, **settings):
            yield telegram
            await telegram.settled()
        check_manners(telegram)


async def test_a_user_who_sends_too_much_is_told_so(strict: Telegram) -> None:
    ada = Person(strict, "Ada", "en", 100)
    for _ in range(8):
        await ada.sends_file(as_file(faceless()))
    await strict.settled()
    pictures = [answer for answer in ada.unread if answer.kind == "photo"]
    texts = [answer for answer in ada.unread if answer.kind == "text"]
    ada.chat.read_count = len(ada.written)
    # A new minute may begin during the test.
    assert 2 <= len(pictures) <= 4
    assert texts and "Please wait" in texts[0].text
    assert len(texts) < 6, "it does not say so again and again"


async def test_another_user_is_not_limited(strict: Telegram) -> None:
    root = Person(strict, "Root", "en", 200)
    await root.sends_file(as_file(faceless()))
    assert (await root.answer()).kind == "photo"


async def test_a_user_who_is_not_served(strict: Telegram, portrait: Pixels) -> None:
    eve = Person(strict, "Eve", "en", 300)
    for _ in range(3):
        await eve.sends_file(as_file(genuine(portrait)))
    await eve.says("/start")
    await strict.settled()
    assert 1 <= len(eve.unread) <= 4 and all(one.kind == "text" for one in eve.unread)
    assert not [call for call in strict.calls if call.text("chat_id") == "300" and call.uploads]
    assert "300" in eve.unread[0].text, "the id, for the operator to add"
    eve.chat.read_count = len(eve.written)


async def test_a_group_can_be_served(strict: Telegram, portrait: Pixels) -> None:
    eve = Person(strict, "Eve", "en", 300)
    desk = Group(strict, "Desk", eve)
    assert desk.chat.id == -1001000000001
    await eve.sends_file(as_file(genuine(portrait)), caption="/check", to=desk)
    assert (await desk.answer()).kind == "photo"
    other = Group(strict, "Other", eve)
    await eve.sends_file(as_file(genuine(portrait)), caption="/check", to=other)
    await strict.settled()
    assert all(one.kind == "text" for one in other.unread)
    other.chat.read_count = len(other.written)


async def test_a_user_who_is_blocked(
    new_person: Callable[..., Person], telegram: Telegram, portrait: Pixels
) -> None:
    since = len(telegram.calls)
    mallory = new_person("Mallory", "en", BLOCKED)
    await mallory.sends_photo(as_file(genuine(portrait)))
    await mallory.says("/start")
    await telegram.settled()
    assert not [c for c in telegram.calls[since:] if c.params.get("chat_id") == str(BLOCKED)]


async def test_an_administrator_can_block(
    ada: Person, new_person: Callable[..., Person], telegram: Telegram, portrait: Pixels
) -> None:
    root = new_person("Root", "en", ADMIN)
    await ada.says(f"/block {root.user.id}")
    await ada.answer()
    await root.says(f"/block {ada.user.id}")
    assert str(ada.user.id) in (await root.answer()).text
    await ada.sends_photo(as_file(genuine(portrait)))
    await telegram.settled()
    assert not ada.unread
    await root.says(f"/unblock {ada.user.id}")
    await root.answer()
    await ada.sends_photo(as_file(genuine(portrait)))
    assert (await ada.answer()).kind == "photo"
    for words in ("/block", "/block Ada", "/unblock 9" * 30):
        await root.says(words)
        assert (await root.answer()).kind == "text"
