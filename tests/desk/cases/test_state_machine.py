"""Whatever people do, and in whatever order, a case keeps its rules."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter as Tally
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from sqlalchemy import make_url

from desk.accounts.secrets import Passwords
from desk.cases.editing import CaseChanges
from desk.database import Database
from desk.models import Case, Counter, Opinion
from desk.service import make_desk
from desk.vocabulary import (
    DECIDED_STATES,
    CaseState,
    Confidence,
    DismissReason,
    HumanVerdict,
    Review,
)
from tests.desk.conftest import FakeClock
from tests.desk.play import Play, judgement
from unmask.errors import UnmaskError
from unmask.settings import Settings

PEOPLE = ("ada", "bob", "cleo", "vera", "foreign")
ACTIONS = (
    *("claim", "extend", "release", "take_over", "decide", "second", "settle", "ask", "reopen"),
    *("publish", "withdraw", "dismiss", "restore", "join", "split", "title", "wait"),
)
#: What a person may be told; anything else is a fault of ours.
EXPECTED = {
    "conflict",
    "not_found",
    "not_allowed",
    "claim_limit",
    "second_opinion_due",
    "bad_request",
}
STEP = st.tuples(
    st.sampled_from(ACTIONS),
    st.sampled_from(PEOPLE),
    st.integers(1, 2),
    st.sampled_from([HumanVerdict.AUTHENTIC, HumanVerdict.MANIPULATED]),
    st.booleans(),
)


async def _act(play: Play, clock: FakeClock, step: tuple[Any, ...]) -> None:
    action, name, number, verdict, flag = step
    desk, person = play.desk, getattr(play, name)
    said = judgement(verdict, Confidence.LOW if flag else Confidence.HIGH)
    version = None
    if flag and name != "foreign":
        version = (await desk.reading.get(person, number)).version
    calls: dict[str, Any] = {
        "claim": lambda: desk.claims.claim(person, number, version),
        "extend": lambda: desk.claims.extend(person, number),
        "release": lambda: desk.claims.release(person, number, version),
        "take_over": lambda: desk.claims.take_over(person, number, holder_is_present=flag),
        "decide": lambda: desk.opinions.decide(person, number, said, version),
        "second": lambda: desk.opinions.give_second(person, number, said, version),
        "settle": lambda: desk.opinions.settle(person, number, said, version),
        "ask": lambda: desk.opinions.ask_for_second(person, number, version),
        "reopen": lambda: desk.opinions.reopen(person, number, "because", version),
        "publish": lambda: desk.publishing.publish(person, number, note="again", version=version),
        "withdraw": lambda: desk.publishing.withdraw(person, number, "because", version),
        "dismiss": lambda: desk.closing.dismiss(person, number, DismissReason.SPAM, "", version),
        "restore": lambda: desk.closing.restore(person, number, version),
        "join": lambda: desk.joining.join(person, number, 3 - number, version),
        "split": lambda: desk.joining.split(person, number, [1]),
        "title": lambda: desk.editing.edit(person, number, CaseChanges(title="T"), version),
    }
    if action == "wait":
        clock.pass_time(minutes=25)  # a claim lapses
        return
    try:
        await calls[action]()
    except UnmaskError as error:
        assert error.code in EXPECTED, (step, error.as_json())
        return
    assert name not in ("vera", "foreign"), step


async def _require_rules(play: Play, clock: FakeClock) -> None:
    async with play.desk.database.reading() as session:
        mine = Case.team_id == play.ada.team_id
        cases = list(await session.scalars(sa.select(Case).where(mine)))
        counters = await session.execute(
            sa.select(Counter.key, Counter.n).where(Counter.team_id == play.ada.team_id)
        )
        counted = {row.key: row.n for row in counters if row.n}
        opinions = list(await session.scalars(sa.select(Opinion)))
    alive = [case for case in cases if case.joined_into is None]
    assert counted == {f"state:{s}": n for s, n in Tally(str(c.state) for c in alive).items()}
    for case in cases:
        in_round = [o for o in opinions if o.case_id == case.id and o.round == case.round]
        assert len({opinion.person_id for opinion in in_round}) == len(in_round)
        assert (case.verdict is not None) == (case.state in DECIDED_STATES)
        assert (case.decided_at is not None) == (case.state in DECIDED_STATES)
        assert (case.review is not Review.NONE) == (case.state is CaseState.SECOND)
        assert (case.claimed_by is None) == (case.claimed_until is None)
        if case.joined_into is None:
            assert (case.state is CaseState.CLAIMED) <= (case.claimed_by is not None)
        if case.claimed_by is not None:
            assert case.state in (CaseState.CLAIMED, CaseState.SECOND)
        if case.state in (CaseState.SECOND, *DECIDED_STATES):
            assert in_round
        if case.review is Review.TIE:
            assert len({opinion.verdict for opinion in in_round}) == 2
        if case.by_second:
            assert len(in_round) > 1
    assert (await play.desk.history.verify(play.ada)).holds


async def _walk(path: Path, rule: str, steps: list[tuple[Any, ...]]) -> None:
    clock = FakeClock()
    database = Database(make_url(f"sqlite+aiosqlite:///{path}"))
    passwords = Passwords(memory_kib=64, passes=1)
    settings = Settings(data=path.parent)
    desk = await make_desk(database, settings, clock=clock, passwords=passwords)
    play = await Play.begin(desk, "walk")
    await play.rules(second_opinion=rule, max_claims=1)
    await play.case(0.9)
    await play.case(0.1)
    for step in steps:
        await _act(play, clock, step)
    await _require_rules(play, clock)
    await database.close()


@profile(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rule=st.sampled_from(["never", "always", "if_overruled", "if_published"]),
    steps=st.lists(STEP, min_size=8, max_size=30),
)
def test_no_walk_breaks_a_rule(
    sqlite_template: Path, tmp_path: Path, rule: str, steps: list[tuple[Any, ...]]
) -> None:
    path = tmp_path / "walk.db"
    for stale in tmp_path.glob("walk.db*"):
        stale.unlink()
    shutil.copy(sqlite_template, path)
    asyncio.run(_walk(path, rule, steps))
