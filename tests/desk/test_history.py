"""The chain holds, and shows what was changed."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from desk.vocabulary import DismissReason
from tests.desk.play import Play, judgement, refused

pytestmark = pytest.mark.anyio


async def _tamper(play: Play, *statements: str) -> None:
    """What somebody with the database does: takes the guard off, and writes."""
    async with play.desk.database.engine.begin() as connection:
        if play.desk.database.is_sqlite:
            await connection.execute(sa.text("PRAGMA foreign_keys=OFF"))
            triggers = await connection.execute(
                sa.text(
                    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' "
                    "AND name LIKE 'history%'"
                )
            )
            guards = triggers.all()
            for name, _ in guards:
                await connection.execute(sa.text(f"DROP TRIGGER {name}"))
        else:
            await connection.execute(sa.text("ALTER TABLE history DISABLE TRIGGER ALL"))
            await connection.execute(sa.text("ALTER TABLE history_texts DISABLE TRIGGER ALL"))
        for statement in statements:
            await connection.execute(sa.text(statement), {"team": play.ada.team_id})
        if play.desk.database.is_sqlite:
            for _, sql in guards:
                await connection.execute(sa.text(sql))


async def _broken(play: Play) -> tuple[int | None, str | None]:
    found = await play.desk.history.verify(play.vera)
    assert found.holds == (found.broken is None)
    return found.broken, found.why


async def test_an_untouched_history_holds(play: Play) -> None:
    await play.decided()
    await play.desk.closing.dismiss(play.bob, await play.case(), DismissReason.SPAM, "spam")
    found = await play.desk.history.verify(play.ada)
    assert found.holds and found.entries > 10 and len(found.head) == 64
    with refused("not_found"):
        await play.desk.reading.history(play.foreign, 1)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE history SET action = 'case.x' WHERE team_id = :team AND seq = 5", "hash"),
        ("UPDATE history SET actor = 'person:1' WHERE team_id = :team AND seq = 5", "hash"),
        ("UPDATE history SET case_number = 9 WHERE team_id = :team AND seq = 5", "hash"),
        ("""UPDATE history SET data = '{"a": 1}' WHERE team_id = :team AND seq = 5""", "hash"),
        ("DELETE FROM history WHERE team_id = :team AND seq = 5", "missing"),
        (
            "UPDATE history SET hash = (SELECT hash FROM history h WHERE h.team_id = :team "
            "AND h.seq = 4) WHERE team_id = :team AND seq = 5",
            "hash",
        ),
    ],
)
async def test_what_was_changed_is_named(play: Play, statement: str, why: str) -> None:
    await play.decided()
    await _tamper(play, statement)
    assert await _broken(play) == (5, why)


async def test_entries_that_changed_places_and_a_cut_end_are_named(play: Play) -> None:
    await play.decided()
    head = (await play.desk.history.verify(play.ada)).entries
    await _tamper(play, f"DELETE FROM history WHERE team_id = :team AND seq = {head}")
    assert await _broken(play) == (head, "head")
    # hiding one entry by rewriting the next one, with a link and a place that fit
    await _tamper(
        play,
        "DELETE FROM history WHERE team_id = :team AND seq = 5",
        "UPDATE history SET seq = 5 WHERE team_id = :team AND seq = 6",
    )
    assert await _broken(play) == (5, "link")


async def test_a_text_may_be_erased_but_not_rewritten(play: Play) -> None:
    number = await play.decided()
    await _tamper(play, "DELETE FROM history_texts WHERE team_id = :team")
    assert await _broken(play) == (None, None)
    entries = await play.desk.reading.history(play.ada, number)
    assert all(entry.text is None for entry in entries)
    await play.desk.opinions.reopen(play.bob, number, "look again")
    await _tamper(play, "UPDATE history_texts SET text = 'other' WHERE team_id = :team")
    assert (await _broken(play))[1] == "text"


async def test_many_at_once_make_one_chain(play: Play) -> None:
    numbers = await asyncio.gather(*(play.case() for _ in range(25)))
    assert sorted(numbers) == list(range(1, 26))
    assert (await play.desk.history.verify(play.ada)).holds


async def test_a_change_that_fails_leaves_nothing(play: Play) -> None:
    number = await play.case()
    before = await play.desk.history.verify(play.ada)
    with refused("bad_request"):
        await play.desk.opinions.decide(play.bob, number, judgement(reasoning=" "))
    with refused("bad_request"):
        await play.desk.joining.split(play.bob, number, [1])
    assert await play.desk.history.verify(play.ada) == before


async def test_no_name_and_no_text_is_in_the_chain(play: Play) -> None:
    number = await play.case()
    secret = "grandmother of Bob"
    await play.desk.opinions.decide(play.bob, number, judgement(reasoning=secret))
    await play.desk.comments.add(play.bob, number, secret)
    await play.desk.editing.tag(play.bob, number, add=[secret])
    async with play.desk.database.reading() as session:
        rows = await session.execute(
            sa.text("SELECT actor, data FROM history WHERE team_id = :team"),
            {"team": play.ada.team_id},
        )
        text = str(rows.all())
    assert secret not in text and "Bob" not in text
