"""Nothing of an erased case is left, the chain still holds, and the sweep keeps house."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from desk.cases.editing import CaseChanges
from desk.models import Base, Counter
from desk.outgoing import Dispatcher
from desk.pictures import Source
from desk.retention.erasing import EraseReason
from desk.vocabulary import CaseState, HumanVerdict
from tests.desk.checks import StubChecks, jpeg, pattern
from tests.desk.conftest import FakeClock
from tests.desk.play import Play, judgement, refused

pytestmark = pytest.mark.anyio

SECRET = "Waldemar-Zyxwvut"


async def _full_case(play: Play, checks: StubChecks, seed: int) -> tuple[int, str]:
    """A case with the secret in every text; its number and its picture's sha256."""
    data = jpeg(pattern(seed))
    source = Source(
        page_url=f"https://{SECRET}.example/page",
        picture_url=f"https://img.example/{SECRET}.jpg",
        channel=SECRET,
        note=SECRET,
    )
    check_id = checks.add(data)
    number = (await play.desk.intake.send(play.bob, check_id, source)).case or 0
    edits = CaseChanges(title=SECRET, claim=SECRET, summary=SECRET)
    await play.desk.editing.edit(play.bob, number, edits)
    await play.desk.editing.tag(play.bob, number, add=[SECRET])
    await play.desk.comments.add(play.bob, number, f"{SECRET} @cleo-{play.slug}")
    await play.desk.opinions.decide(play.bob, number, judgement(reasoning=SECRET))
    await play.desk.publishing.publish(play.bob, number)
    await play.desk.opinions.reopen(play.cleo, number, SECRET)
    await play.desk.opinions.decide(play.cleo, number, judgement(HumanVerdict.AUTHENTIC))
    return number, checks.checks[check_id].sha256


async def _dump(play: Play) -> str:
    """All rows of all tables, as text."""
    async with play.desk.database.reading() as session:
        parts = []
        for table in Base.metadata.sorted_tables:
            rows = await session.execute(sa.select(table))
            parts.append(f"{table.name}: {rows.all()}")
    return "\n".join(parts)


async def test_nothing_of_an_erased_case_is_left(
    play: Play, checks: StubChecks, tmp_path: Path
) -> None:
    number, sha256 = await _full_case(play, checks, 70)
    other = await play.decided()
    dispatcher = Dispatcher(play.desk.changes, play.desk.webhooks)
    while await dispatcher.dispatch():
        pass
    before = await _dump(play)
    assert SECRET in before and SECRET.casefold() in before and sha256 in before
    for who, code in ((play.bob, "not_allowed"), (play.foreign, "not_found")):
        with refused(code):
            await play.desk.erasing.erase(who, number, EraseReason.REQUEST)
    await play.desk.erasing.erase(play.ada, number, EraseReason.REQUEST)
    await play.desk.sweeper.sweep()
    after = await _dump(play)
    assert SECRET.casefold() not in after.casefold() and sha256 not in after
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []
    await _require_clean_pages(play, SECRET, sha256)
    with refused("not_found"):
        await play.desk.reading.get(play.ada, number)
    assert (await play.desk.history.verify(play.ada)).holds
    assert await play.desk.erasing.was_erased(play.bob, sha256)
    assert not await play.desk.erasing.was_erased(play.foreign, sha256)
    assert (await play.desk.reading.get(play.ada, other)).state is CaseState.DECIDED
    assert await play.case() > other, "a number is never given twice"


async def _require_clean_pages(play: Play, *secrets: str) -> None:
    """Of SQLite also the pages of the file: what is deleted must be overwritten."""
    if not play.desk.database.is_sqlite:
        return
    async with play.desk.database.engine.connect() as connection:
        await connection.exec_driver_sql("COMMIT")
        await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        await connection.exec_driver_sql("BEGIN")
    path = Path(str(play.desk.database.url.database))
    for file in path.parent.glob(f"{path.name}*"):
        data = file.read_bytes().lower()
        for secret in secrets:
            assert secret.lower().encode() not in data, (file.name, secret)
    words = "waldemar", "zyxwvut"  # as the search parts it
    assert not any(word.encode() in path.read_bytes().lower() for word in words)


async def test_a_legal_hold_stops_all(play: Play, checks: StubChecks, clock: FakeClock) -> None:
    number = await play.case()
    await play.desk.editing.edit(play.ada, number, CaseChanges(legal_hold=True))
    with refused("conflict"):
        await play.desk.erasing.erase(play.ada, number, EraseReason.REQUEST)
    clock.pass_time(days=4_000)
    await play.desk.sweeper.sweep()
    assert (await play.desk.reading.get(play.ada, number)).legal_hold
    other = await play.case()
    await play.desk.joining.join(play.bob, number, other)
    with refused("conflict"):  # also by the case that it was joined to
        await play.desk.erasing.erase(play.ada, other, EraseReason.REQUEST)


async def test_cases_go_when_their_time_is_over(play: Play, clock: FakeClock) -> None:
    new, decided, published = await play.case(), await play.decided(), await play.decided()
    await play.desk.editing.edit(play.bob, published, CaseChanges(title="Kept"))
    await play.desk.publishing.publish(play.bob, published)
    clock.pass_time(days=181)
    await play.desk.sweeper.sweep()
    with refused("not_found"):
        await play.desk.reading.get(play.ada, new)
    await play.desk.reading.get(play.ada, decided)
    clock.pass_time(days=600)
    await play.desk.sweeper.sweep()
    with refused("not_found"):
        await play.desk.reading.get(play.ada, decided)
    assert (await play.desk.reading.get(play.ada, published)).state is CaseState.PUBLISHED
    assert (await play.desk.history.verify(play.ada)).holds


async def test_the_sweep_ends_claims_and_mends_counters(play: Play, clock: FakeClock) -> None:
    number = await play.case()
    await play.desk.claims.claim(play.bob, number)
    async with play.desk.database.writing() as session:
        await session.execute(
            sa.update(Counter).where(Counter.team_id == play.ada.team_id).values(n=77)
        )
    clock.pass_time(hours=1)
    await play.desk.sweeper.sweep()
    states = (await play.desk.queue.counts(play.ada)).states
    assert {state: n for state, n in states.items() if n} == {"new": 1}
    history = await play.desk.reading.history(play.ada, number)
    assert [entry.action for entry in history].count("case.lapsed") == 1
    await play.desk.sweeper.sweep()
    assert len(await play.desk.reading.history(play.ada, number)) == len(history)
