"""A case is one person's at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from desk.cases.editing import CaseChanges
from desk.changes import AlreadyDoneError
from desk.vocabulary import Action, CaseState, NoticeKind
from tests.desk.conftest import FakeClock
from tests.desk.play import Play, judgement, refused
from unmask.errors import UnmaskError

pytestmark = pytest.mark.anyio


async def test_of_many_who_claim_at_once_one_wins(play: Play) -> None:
    people = [play.ada, play.bob, play.cleo, play.dan]
    for _ in range(5):
        number = await play.case()
        claims = [play.desk.claims.claim(person, number) for person in people * 2]
        outcomes = await asyncio.gather(*claims, return_exceptions=True)
        holders = {item.claimed_by.id for item in outcomes if not isinstance(item, BaseException)}
        refusals = [item for item in outcomes if isinstance(item, UnmaskError)]
        assert len(holders) == 1
        assert len(refusals) == 6  # the winner asks twice, and extends
        assert {error.code for error in refusals} == {"conflict"}
        assert {error.detail["claimed_by"] for error in refusals} == holders
        await play.desk.claims.release(play.ada, number)


async def test_a_conflict_tells_who_has_the_case_and_until_when(play: Play) -> None:
    number = await play.case()
    record = await play.desk.claims.claim(play.bob, number)
    with refused("conflict") as caught:
        await play.desk.claims.claim(play.cleo, number)
    detail = caught.error.detail
    assert detail["claimed_by_name"] == "Bob" and "Bob" in caught.error.message
    assert record.claimed_until is not None
    assert detail["claimed_until"] == record.claimed_until.isoformat()
    assert (detail["state"], detail["version"]) == ("claimed", record.version)


async def test_a_claim_lapses_by_itself(play: Play, clock: FakeClock) -> None:
    number = await play.case()
    await play.desk.claims.claim(play.bob, number)
    clock.pass_time(minutes=19)
    with refused("conflict"):
        await play.desk.claims.claim(play.cleo, number)
    clock.pass_time(minutes=2)
    assert (await play.desk.reading.get(play.vera, number)).state is CaseState.NEW
    assert (await play.desk.claims.claim(play.cleo, number)).claimed_by is not None
    actions = [entry.action for entry in await play.desk.reading.history(play.ada, number)]
    assert actions == [
        Action.CASE_CLAIMED,
        Action.CASE_LAPSED,
        Action.CASE_CLAIMED,
        Action.CASE_CREATED,
    ]


async def test_what_was_written_is_not_lost_when_the_claim_lapsed(
    play: Play, clock: FakeClock
) -> None:
    number = await play.case()
    held = await play.desk.claims.claim(play.bob, number)
    clock.pass_time(hours=2)
    done = await play.desk.opinions.decide(play.bob, number, judgement(), held.version)
    assert done.state is CaseState.DECIDED
    number = await play.case()
    held = await play.desk.claims.claim(play.bob, number)
    clock.pass_time(hours=2)
    await play.desk.opinions.decide(play.cleo, number, judgement())
    with refused("conflict") as caught:  # somebody else was faster
        await play.desk.opinions.decide(play.bob, number, judgement(), held.version)
    assert caught.error.detail["state"] == "decided"


async def test_extending_needs_the_claim(play: Play, clock: FakeClock) -> None:
    number = await play.case()
    first = await play.desk.claims.claim(play.bob, number)
    clock.pass_time(minutes=15)
    second = await play.desk.claims.extend(play.bob, number)
    assert first.claimed_until and second.claimed_until
    assert second.claimed_until > first.claimed_until
    for person in (play.cleo, play.ada):
        with refused("conflict"):
            await play.desk.claims.extend(person, number)
    clock.pass_time(minutes=21)
    with refused("conflict"):
        await play.desk.claims.extend(play.bob, number)


async def test_only_so_many_claims(play: Play) -> None:
    await play.rules(max_claims=2)
    numbers = [await play.case() for _ in range(3)]
    for number in numbers[:2]:
        await play.desk.claims.claim(play.bob, number)
    with refused("claim_limit") as caught:
        await play.desk.claims.claim(play.bob, numbers[2])
    assert caught.error.detail["limit"] == 2
    await play.desk.claims.release(play.bob, numbers[0])
    await play.desk.claims.claim(play.bob, numbers[2])


async def test_taking_over_tells_the_holder(play: Play) -> None:
    number = await play.case()
    await play.desk.editing.edit(play.ada, number, CaseChanges(title="The march"))
    await play.desk.claims.claim(play.bob, number)
    with refused("conflict"):  # Bob has the case open
        await play.desk.claims.take_over(play.cleo, number, holder_is_present=True)
    await play.desk.claims.take_over(play.ada, number, holder_is_present=True)
    notices = await play.desk.notices.list(play.bob)
    told = [(notice.kind, notice.case, notice.title) for notice in notices]
    assert told == [(NoticeKind.TAKEN_OVER, number, "The march")]
    record = await play.desk.claims.take_over(play.cleo, number)
    assert record.claimed_by is not None and record.claimed_by.name == "Cleo"
    newest = (await play.desk.reading.history(play.ada, number))[0]
    assert newest.data == {"from": play.ada.person_id}


async def test_releasing_is_the_holders_and_the_admins(play: Play) -> None:
    number = await play.case()
    with refused("conflict"):
        await play.desk.claims.release(play.bob, number)
    await play.desk.claims.claim(play.bob, number)
    with refused("conflict"):
        await play.desk.claims.release(play.cleo, number)
    assert (await play.desk.claims.release(play.ada, number)).state is CaseState.NEW


async def test_a_viewer_and_a_stranger_do_nothing(play: Play) -> None:
    number = await play.case()
    with refused("not_allowed"):
        await play.desk.claims.claim(play.vera, number)
    for call in (play.desk.claims.claim, play.desk.reading.get, play.desk.reading.detail):
        with refused("not_found") as foreign:
            await call(play.foreign, number)
        with refused("not_found") as unknown:
            await call(play.ada, 999_999)
        assert foreign.error.code == unknown.error.code
        assert foreign.error.message == unknown.error.message.replace("999999", str(number))


async def test_an_old_version_is_refused(play: Play) -> None:
    number = await play.case()
    before = await play.desk.reading.get(play.bob, number)
    after = await play.desk.claims.claim(play.bob, number, before.version)
    assert after.version > before.version
    with refused("conflict") as caught:
        await play.desk.claims.release(play.bob, number, before.version)
    assert caught.error.detail["version"] == after.version


async def test_a_claim_asks_the_database_little(play: Play) -> None:
    """Each statement is a trip to the database, and a thread's turn with SQLite."""
    numbers = [await play.case(), await play.case()]
    await play.desk.claims.claim(play.bob, numbers[0])  # the counters have rows from here on
    said: list[str] = []

    def hear(*event: Any) -> None:
        said.append(event[2])

    engine = play.desk.database.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", hear)
    await play.desk.claims.claim(play.bob, numbers[1])
    sa.event.remove(engine, "before_cursor_execute", hear)
    assert len([text for text in said if not text.startswith("BEGIN")]) <= 10, said


async def test_a_request_that_comes_again_is_done_once(play: Play, clock: FakeClock) -> None:
    first, second = await play.case(0.9), await play.case(0.8)
    once = replace(play.bob, request="telegram:1:4711")
    found = await play.desk.next.claim(once)
    assert found.case is not None and found.case.number == first
    for again in (play.desk.next.claim(once), play.desk.claims.claim(once, second)):
        with pytest.raises(AlreadyDoneError) as already:
            await again
        assert already.value.case == first
    assert (await play.desk.queue.counts(play.bob)).mine == 1
    # the key of another person is another key, and what was refused may be tried again
    other = replace(play.cleo, request=once.request)
    with refused("conflict"):
        await play.desk.claims.claim(other, first)
    assert (await play.desk.claims.claim(other, second)).number == second
    history = await play.desk.history.of_case(play.ada, first)
    assert [one.action for one in history].count(Action.CASE_CLAIMED) == 1
    # what was refused after a lapsed claim was ended is not done
    third = await play.case(0.99)
    await play.rules(max_claims=1)
    late = replace(play.bob, request="telegram:1:4713")
    await play.desk.claims.claim(play.dan, third)
    clock.pass_time(minutes=15)
    await play.desk.claims.extend(play.bob, first)
    clock.pass_time(minutes=6)
    for _ in range(2):
        assert (await play.desk.next.claim(late)).case is None
    await play.rules(max_claims=5)
    assert (await play.desk.next.claim(late)).case is not None
    clock.pass_time(days=31)
    await play.desk.sweeper.sweep()
    await play.desk.claims.claim(once, first)


async def test_of_one_request_sent_many_times_at_once_one_is_done(play: Play) -> None:
    for _ in range(4):
        await play.case()
    once = replace(play.bob, request="telegram:1:4712")
    tries = [play.desk.next.claim(once) for _ in range(4)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert [isinstance(one, AlreadyDoneError) for one in outcomes].count(True) == 3
    assert (await play.desk.queue.counts(play.bob)).mine == 1
