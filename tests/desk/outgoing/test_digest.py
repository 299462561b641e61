"""The daily digest: when it comes, what it says, and that it comes once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from desk.actors import DeskActor
from desk.cases.editing import CaseChanges
from desk.outgoing.digest import PATIENCE
from desk.vocabulary import DigestFailure, HumanVerdict
from tests.desk.conftest import FakeClock
from tests.desk.play import Play, judgement, refused
from unmask.permissions import Scope

pytestmark = pytest.mark.anyio
CHAT = -1001234567890


async def bot_of(play: Play) -> DeskActor:
    key, _ = await play.desk.keys.create(play.ada, "the bot", (Scope.DESK_BOT,))
    actor = await play.desk.keys.identify(key)
    assert actor is not None
    return actor


async def wanted(play: Play, **settings: object) -> DeskActor:
    await play.rules(digest=True, digest_chat=CHAT, digest_hour=9, **settings)
    return await bot_of(play)


async def test_it_says_what_waits_and_what_was_decided_yesterday(
    play: Play, clock: FakeClock
) -> None:
    bot, desk = await wanted(play, second_opinion="if_overruled"), play.desk
    clock.now = datetime(2026, 11, 26, 15, tzinfo=UTC)
    oldest, overdue, second, claimed = [await play.case() for _ in range(4)]
    for _ in range(2):
        await play.decided(HumanVerdict.MANIPULATED)
    due = clock.now + timedelta(hours=1)
    await desk.editing.edit(play.ada, overdue, CaseChanges(due_at=due, title="The march"))
    await desk.opinions.decide(play.bob, second, judgement(HumanVerdict.AUTHENTIC))
    clock.now = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
    await desk.claims.claim(play.cleo, claimed)
    digest = await desk.digests.take(bot, "bot-1")
    assert digest is not None
    assert (digest.chat, digest.locale, str(digest.day)) == (CHAT, "en", "2026-11-27")
    assert (digest.new, digest.claimed, digest.second, digest.overdue) == (2, 1, 1, 1)
    assert (digest.opened, digest.decided) == (6, {HumanVerdict.MANIPULATED: 2})
    assert [case.number for case in digest.second_cases] == [second]
    [late] = digest.overdue_cases
    assert (late.number, late.title) == (overdue, "The march")
    assert digest.oldest is not None and digest.oldest.number == oldest
    verification = await desk.history.verify(play.ada)
    assert (verification.entries, verification.head) == (digest.entries, digest.head)


async def test_it_comes_once_a_day_to_one_bot(play: Play, clock: FakeClock) -> None:
    bot, desk = await wanted(play), play.desk
    await play.case()
    first = await desk.digests.take(bot, "bot-1")
    assert first is not None
    assert await desk.digests.take(bot, "bot-2") is None, "another bot must not send it too"
    assert await desk.digests.take(bot, "bot-1") is not None, "the same one after a restart"
    with refused("not_found"):
        await desk.digests.done(bot, first.day, "bot-2")
    await desk.digests.done(bot, first.day, "bot-1")
    for hours in (0, 1, 6):
        clock.pass_time(hours=hours)
        assert await desk.digests.take(bot, "bot-1") is None
        assert await desk.digests.take(bot, "bot-2") is None
    clock.pass_time(days=1)
    assert await desk.digests.take(bot, "bot-2") is not None


async def test_a_bot_that_died_loses_the_day_to_another(play: Play, clock: FakeClock) -> None:
    bot, desk = await wanted(play), play.desk
    await play.case()
    taken = await desk.digests.take(bot, "bot-1")
    clock.now += PATIENCE
    assert taken is not None and await desk.digests.take(bot, "bot-2") is not None
    with refused("not_found"):
        await desk.digests.done(bot, taken.day, "bot-1")


async def test_a_day_with_nothing_to_say_stays_silent(play: Play, clock: FakeClock) -> None:
    bot, desk = await wanted(play), play.desk
    assert await desk.digests.take(bot, "bot-1") is None
    await play.case()
    assert await desk.digests.take(bot, "bot-1") is None, "the day is over for the digest"
    clock.pass_time(days=1)
    assert await desk.digests.take(bot, "bot-1") is not None


@pytest.mark.parametrize(
    ("zone", "hour", "now", "day"),
    [
        ("UTC", 9, "2026-11-26T08:59", None),
        ("UTC", 9, "2026-11-26T09:00", "2026-11-26"),
        ("Europe/Berlin", 9, "2026-11-26T07:59", None),
        ("Europe/Berlin", 9, "2026-11-26T08:00", "2026-11-26"),
        ("Asia/Kolkata", 7, "2026-11-26T01:29", None),
        ("Asia/Kolkata", 7, "2026-11-26T01:30", "2026-11-26"),
        ("Pacific/Auckland", 9, "2026-11-25T20:00", "2026-11-26"),
        # the hour that the clock leaps over in spring
        ("Europe/Berlin", 2, "2026-03-29T00:59", None),
        ("Europe/Berlin", 2, "2026-03-29T01:00", "2026-03-29"),
    ],
)
async def test_the_hour_is_that_of_the_teams_clock(
    play: Play, clock: FakeClock, zone: str, hour: int, now: str, day: str | None
) -> None:
    bot = await bot_of(play)
    await play.rules(digest=True, digest_chat=CHAT, digest_hour=hour, zone=zone)
    await play.case()
    clock.now = datetime.fromisoformat(now).replace(tzinfo=UTC)
    digest = await play.desk.digests.take(bot, "bot-1")
    assert (str(digest.day) if digest else None) == day


async def test_it_is_off_until_it_is_on_and_has_a_chat(play: Play) -> None:
    bot = await bot_of(play)
    await play.case()
    for settings in ({"digest_chat": CHAT}, {"digest": True, "digest_chat": None}):
        await play.rules(**settings)
        assert await play.desk.digests.take(bot, "bot-1") is None
    assert await play.desk.digests.last(play.vera) is None
    await play.rules(digest=True, digest_chat=CHAT)
    digest = await play.desk.digests.take(bot, "bot-1")
    assert digest is not None
    await play.desk.digests.done(bot, digest.day, "bot-1", DigestFailure.NO_CHAT)
    last = await play.desk.digests.last(play.vera)
    assert last is not None and (last.done, last.failure) == (True, DigestFailure.NO_CHAT)
    with refused("not_allowed"):
        await play.desk.digests.take(play.ada, "bot-1")


@pytest.mark.parametrize("zone", ["Berlin", "../etc/passwd", "", "Europe", "/etc/localtime"])
async def test_a_zone_must_be_one(play: Play, zone: str) -> None:
    with refused("bad_request") as refusal:
        await play.rules(zone=zone)
    assert refusal.error.detail["field"] == "zone"
