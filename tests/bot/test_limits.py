"""Who is served, how much, and what they are told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.bot.bot_process import Work, bot_within
from tests.bot.conftest import ADMIN, BLOCKED, check_manners, telegram_of
from tests.bot.image_asserts import Pixels, as_file, faceless, genuine
from tests.bot.telegram import Group, Person, Telegram
from tests.server.server_process import Service as Place

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def strict(place: Place, work: Work) -> AsyncIterator[Telegram]:
    """The Telegram of a bot that takes two pictures a minute and serves whom it is told to."""
    async with telegram_of(work, 3) as telegram:
        settings: dict[str, Any] = {
            "bot_pictures_per_minute_user": 2,
            "bot_allowed": "100,-1001000000001",
            "bot_admins": "200",
        }
        async with bot_within(place, telegram, **settings):
            yield telegram
            await telegram.settled()
        check_manners(telegram)


async def test_a_person_who_sends_too_much_is_told_so(strict: Telegram) -> None:
    ada = Person(strict, "Ada", "en", 100)
    for _ in range(8):
        await ada.sends_file(as_file(faceless()))
    await strict.settled()
    pictures = [answer for answer in ada.untaken if answer.kind == "photo"]
    told = [answer for answer in ada.untaken if answer.kind == "text"]
    ada.chat.taken = len(ada.written)
    # A minute may begin meanwhile.
    assert 2 <= len(pictures) <= 4
    assert told and "Please wait" in told[0].text
    assert len(told) < 6, "not told again and again"


async def test_another_person_is_not_held_up(strict: Telegram) -> None:
    root = Person(strict, "Root", "en", 200)
    await root.sends_file(as_file(faceless()))
    assert (await root.answer()).kind == "photo"


async def test_whom_the_bot_does_not_serve(strict: Telegram, portrait: Pixels) -> None:
    eve = Person(strict, "Eve", "en", 300)
    for _ in range(3):
        await eve.sends_file(as_file(genuine(portrait)))
    await eve.says("/start")
    await strict.settled()
    assert 1 <= len(eve.untaken) <= 4 and all(one.kind == "text" for one in eve.untaken)
    assert not [call for call in strict.calls if call.text("chat_id") == "300" and call.uploads]
    assert "300" in eve.untaken[0].text, "the id, for whoever runs the bot to add"
    eve.chat.taken = len(eve.written)


async def test_a_group_can_be_served(strict: Telegram, portrait: Pixels) -> None:
    eve = Person(strict, "Eve", "en", 300)
    desk = Group(strict, "Desk", eve)
    assert desk.chat.id == -1001000000001
    await eve.sends_file(as_file(genuine(portrait)), caption="/check", to=desk)
    assert (await desk.answer()).kind == "photo"
    other = Group(strict, "Other", eve)
    await eve.sends_file(as_file(genuine(portrait)), caption="/check", to=other)
    await strict.settled()
    assert all(one.kind == "text" for one in other.untaken)
    other.chat.taken = len(other.written)


async def test_whom_the_bot_never_answers(
    someone: Callable[..., Person], telegram: Telegram, portrait: Pixels
) -> None:
    since = len(telegram.calls)
    mallory = someone("Mallory", "en", BLOCKED)
    await mallory.sends_photo(as_file(genuine(portrait)))
    await mallory.says("/start")
    await telegram.settled()
    assert not [c for c in telegram.calls[since:] if c.params.get("chat_id") == str(BLOCKED)]


async def test_an_administrator_can_block(
    ada: Person, someone: Callable[..., Person], telegram: Telegram, portrait: Pixels
) -> None:
    root = someone("Root", "en", ADMIN)
    await ada.says(f"/block {root.user.id}")
    await ada.answer()
    await root.says(f"/block {ada.user.id}")
    assert str(ada.user.id) in (await root.answer()).text
    await ada.sends_photo(as_file(genuine(portrait)))
    await telegram.settled()
    assert not ada.untaken
    await root.says(f"/unblock {ada.user.id}")
    await root.answer()
    await ada.sends_photo(as_file(genuine(portrait)))
    assert (await ada.answer()).kind == "photo"
    for words in ("/block", "/block Ada", "/unblock 9" * 30):
        await root.says(words)
        assert (await root.answer()).kind == "text"
