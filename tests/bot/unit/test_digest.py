"""The digest on its way to Telegram: what it says, and that it is sent at most once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from redis import asyncio as aioredis
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TimedOut

from bot.digest import DigestSender
from bot.i18n import texts_in
from bot.replies import digest as words
from bot.state.access import Access
from bot.state.redis_keys import Keys
from bot.team import Digest, DigestCase
from unmask.i18n import LANGUAGES
from unmask.settings import Settings

pytestmark = pytest.mark.anyio
CHAT = -1001234567890
DIGEST = Digest(
    day=date(2026, 11, 27),
    chat=CHAT,
    team="The fact desk",
    locale="en",
    new=8,
    claimed=1,
    second=2,
    overdue=7,
    opened=3,
    decided={"manipulated": 2, "authentic": 1},
    second_cases=(DigestCase(number=3, title="The minister", since=datetime.now(UTC)),) * 2,
    overdue_cases=(DigestCase(number=2, title="The march " * 30, since=datetime.now(UTC)),) * 5,
    oldest=DigestCase(number=1, title="", since=datetime.now(UTC) - timedelta(days=4)),
    entries=214,
    head="a" * 64,
)


def test_it_says_all_of_it() -> None:
    lines = words.digest(texts_in("en"), DIGEST).splitlines()
    assert lines[:4] == [
        "📋 The fact desk · 2026-11-27",
        "",
        "New: 8 · claimed: 1 · second opinion due: 2",
        "Yesterday: 3 opened · 3 decided (Manipulated 2, Authentic 1)",
    ]
    assert lines[5] == "Overdue: 7"
    assert lines[6].startswith("• Case 2 · The march") and lines[6].endswith("…")
    assert lines[11] == "• and 2 more"
    assert lines[13:16] == ["Waiting for a second opinion: 2", *["• Case 3 · The minister"] * 2]
    assert lines[17:19] == ["Open longest, for 4 days:", "• Case 1"]
    assert lines[-1] == f"History up to entry 214: {'a' * 64}"
    assert len("\n".join(lines)) < 4096


def test_it_leaves_out_what_there_is_not() -> None:
    quiet = DIGEST.model_copy(
        update=dict.fromkeys(("new", "claimed", "second", "overdue"), 0) | {"oldest": None}
    )
    lines = words.digest(texts_in("en"), quiet).splitlines()
    assert lines[2] == "Nothing is open."
    assert not any(line.startswith(("Overdue", "Waiting", "Open longest")) for line in lines)


def test_the_languages_differ() -> None:
    assert len({words.digest(texts_in(language), DIGEST) for language in LANGUAGES}) == len(
        LANGUAGES
    )


@dataclass
class StubDesk:
    """A desk with one digest, until it is told how that went."""

    told: list[tuple[date, str | None]] = field(default_factory=list)

    async def take_digest(self, holder: str) -> Digest | None:
        assert holder == "telegram:17"
        return None if self.told else DIGEST

    async def end_digest(self, holder: str, day: date, failure: str | None = None) -> None:
        self.told.append((day, failure))

    async def queue_page(self) -> str:
        return "https://unmask.example.org/t/fact-desk"


@dataclass
class StubBot:
    """Telegram; ``error`` is raised in place of the next message."""

    error: Exception | None = None
    sent: list[tuple[int, str]] = field(default_factory=list)
    id: int = 17

    async def send_message(self, chat: int, text: str, **more: Any) -> None:
        error, self.error = self.error, None
        if error is not None:
            raise error
        self.sent.append((chat, text))


def sender(bot: StubBot, desk: StubDesk, redis: aioredis.Redis, allowed: str) -> DigestSender:
    access = Access(redis, Keys(17), Settings(bot_allowed=allowed))
    return DigestSender(bot, desk, access, redis, Keys(17))  # type: ignore[arg-type]


async def test_it_is_sent_and_told(redis: aioredis.Redis) -> None:
    bot, desk = StubBot(), StubDesk()
    digest = sender(bot, desk, redis, str(CHAT))
    await digest.deliver()
    await digest.deliver()
    assert [chat for chat, _ in bot.sent] == [CHAT]
    assert desk.told == [(DIGEST.day, None)]


@pytest.mark.parametrize(("stage", "failure"), [("sending", "unknown"), ("sent", None)])
async def test_after_a_crash_it_is_not_sent_again(
    redis: aioredis.Redis, stage: str, failure: str | None
) -> None:
    bot, desk = StubBot(), StubDesk()
    await redis.set(Keys(17).digest, f"{DIGEST.day} {stage}")
    await sender(bot, desk, redis, str(CHAT)).deliver()
    assert (bot.sent, desk.told) == ([], [(DIGEST.day, failure)])


async def test_the_mark_of_another_day_does_not_count(redis: aioredis.Redis) -> None:
    bot, desk = StubBot(), StubDesk()
    await redis.set(Keys(17).digest, "2026-11-26 sending")
    await sender(bot, desk, redis, str(CHAT)).deliver()
    assert len(bot.sent) == 1


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (Forbidden("bot was kicked from the group chat"), "no_chat"),
        (BadRequest("Chat not found"), "no_chat"),
        (BadRequest("not enough rights to send text messages to the chat"), "refused"),
        (TimedOut(), "unknown"),
        (NetworkError("Bad Gateway"), "unknown"),
    ],
)
async def test_what_went_wrong_is_told(
    redis: aioredis.Redis, error: Exception, failure: str
) -> None:
    bot, desk = StubBot(error), StubDesk()
    await sender(bot, desk, redis, str(CHAT)).deliver()
    assert (bot.sent, desk.told) == ([], [(DIGEST.day, failure)])


class ConnectError(Exception):
    """As httpx names it."""


@pytest.mark.parametrize("reason", [RetryAfter(timedelta()), NetworkError("refused")])
async def test_what_surely_did_not_leave_is_tried_again(
    redis: aioredis.Redis, reason: Exception
) -> None:
    reason.__cause__ = ConnectError()
    bot, desk = StubBot(reason), StubDesk()
    digest = sender(bot, desk, redis, str(CHAT))
    with pytest.raises(type(reason)):
        await digest.deliver()
    assert desk.told == []
    await digest.deliver()
    assert (len(bot.sent), desk.told) == (1, [(DIGEST.day, None)])


async def test_a_chat_that_the_operator_does_not_name_gets_none(redis: aioredis.Redis) -> None:
    bot, desk = StubBot(), StubDesk()
    await sender(bot, desk, redis, "4711").deliver()
    assert (bot.sent, desk.told) == ([], [(DIGEST.day, "not_named")])
