"""Pages, filters, search, counts, the next case, bulk, and saved filters."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from desk.cases.editing import CaseChanges
from desk.models import Case
from desk.pictures import Source
from desk.queue import BulkAction, CaseFilter, Sort
from desk.queue.next import WhyNone
from desk.vocabulary import CaseState, DismissReason, HumanVerdict
from tests.desk.checks import StubChecks, jpeg, pattern
from tests.desk.conftest import FakeClock
from tests.desk.play import Play, judgement, refused
from unmask.report import Verdict

pytestmark = pytest.mark.anyio


async def _numbers(
    play: Play, sort: Sort = Sort.RANK, who: str = "bob", **wanted: object
) -> list[int]:
    page = await play.desk.queue.page(getattr(play, who), CaseFilter.model_validate(wanted), sort)
    return [case.number for case in page.cases]


async def _title(play: Play, number: int, title: str) -> None:
    await play.desk.editing.edit(play.bob, number, CaseChanges(title=title))


@pytest.mark.parametrize("sort", [Sort.RANK, Sort.NEWEST, Sort.OLDEST, Sort.SUSPICION])
async def test_pages_show_each_case_once(play: Play, sort: Sort) -> None:
    for n in range(11):
        await play.case((n % 3) / 4)
    seen: list[int] = []
    cursor = None
    while True:
        page = await play.desk.queue.page(play.vera, CaseFilter(), sort, cursor=cursor, limit=3)
        seen += [case.number for case in page.cases]
        cursor = page.cursor
        if cursor is None:
            break
        await play.case(0.9)  # one that comes meanwhile moves nothing
    assert len(seen) == len(set(seen)) and set(range(1, 12)) <= set(seen)
    assert await _numbers(play, who="foreign") == []


async def test_the_order_of_the_queue(play: Play, clock: FakeClock) -> None:
    low, high, none, urgent, due = [await play.case(p) for p in (0.2, 0.9, None, 0.2, 0.2)]
    await play.desk.editing.edit(play.bob, urgent, CaseChanges(priority=3))
    tomorrow = clock() + timedelta(days=1)
    await play.desk.editing.edit(play.bob, due, CaseChanges(due_at=tomorrow))
    assert await _numbers(play) == [urgent, due, high, low, none]
    assert await _numbers(play, Sort.SUSPICION) == [high, due, urgent, low, none]
    assert await _numbers(play, Sort.DUE) == [due]
    assert await _numbers(play, overdue=True) == []
    clock.pass_time(days=2)
    assert await _numbers(play, overdue=True) == [due]


async def test_filters(play: Play, checks: StubChecks, clock: FakeClock) -> None:
    new, held, decided = await play.case(0.9), await play.case(0.3), await play.decided()
    dismissed = await play.case()
    await play.desk.closing.dismiss(play.bob, dismissed, DismissReason.SPAM)
    await play.desk.claims.claim(play.cleo, held)
    sent = await play.desk.intake.send(
        play.bob, checks.add(jpeg(pattern(50)), 0.9), Source(page_url="https://www.EXAMPLE.org/x")
    )
    seen = sent.case or 0
    await play.desk.editing.tag(play.bob, new, add=["Storm"])
    await play.desk.editing.watch(play.vera, new)
    every = list(CaseState)
    assert sorted(await _numbers(play)) == [new, held, seen]
    assert await _numbers(play, state=["decided"]) == [decided]
    assert len(await _numbers(play, state=every)) == 5
    assert await _numbers(play, state=["claimed"]) == [held]
    assert sorted(await _numbers(play, state=["new", "dismissed"])) == [new, dismissed, seen]
    assert await _numbers(play, mine=True, who="cleo") == [held]
    assert await _numbers(play, mine=True) == []
    assert sorted(await _numbers(play, unclaimed=True)) == [new, seen]
    assert await _numbers(play, tag=["storm"]) == [new]
    assert await _numbers(play, watched=True, who="vera") == [new]
    assert await _numbers(play, host="example.org") == [seen]
    assert await _numbers(play, suspicion_to=50) == [held]
    assert await _numbers(play, machine=["real"]) == [held]
    assert await _numbers(play, state=every, verdict=["manipulated"]) == [decided]
    assert await _numbers(play, state=every, overruled=True) == []
    await play.desk.opinions.decide(play.bob, new, judgement(HumanVerdict.AUTHENTIC))
    assert await _numbers(play, state=every, overruled=True) == [new]
    clock.pass_time(hours=1)
    assert await _numbers(play, state=["claimed"]) == [], "its claim has lapsed"
    assert held in await _numbers(play, state=["new"])


async def test_an_odd_cursor_is_refused(play: Play) -> None:
    for cursor in ("", "x", "W10", "WzEsMl0x", "WyJhIiwgMV0", "WzEsIHRydWVd", "\N{SNOWMAN}"):
        for sort in (Sort.RANK, Sort.DUE):
            with refused("bad_request"):
                await play.desk.queue.page(play.bob, CaseFilter(), sort, cursor=cursor)


@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("Élection à Paris", "election"),
        ("Election in Paris", "élections"[:8]),
        ("Überschwemmung", "UBER"),
        ("बाढ़ की तस्वीर", "तस्वीर"),
        ("తుఫాను చిత్రం", "తుఫాను"),
        ("A photo of 2 men", "photo men"),
        ('He said "no"', '"no"'),
        ("Пожар в Москве", "москве пожар"),
    ],
)
async def test_a_search_finds_words_of_all_languages(play: Play, title: str, query: str) -> None:
    number = await play.case()
    await _title(play, number, title)
    assert await _numbers(play, q=query) == [number]
    assert await _numbers(play, q=query, who="foreign") == []
    await _title(play, number, "something else")
    assert await _numbers(play, q=query) == []


@pytest.mark.parametrize(
    "query",
    [
        '"',
        "*",
        "a*",
        "NEAR(a b)",
        "team_id:1",
        "folded:a OR b",
        "' OR 1=1 --",
        "a & !b",
        "\\",
        "-",
        "(((",
        ":*",
        "'a':*",
        "\0",
        "^a",
        "a AND",
        "NOT a",
        "{a b}",
        "x" * 300,
        "a " * 150,
    ],
)
async def test_no_query_is_more_than_words(play: Play, query: str) -> None:
    number = await play.case()
    await _title(play, number, "unrelated")
    assert await _numbers(play, q=query) == []


async def test_a_search_by_number_and_by_a_beginning(play: Play) -> None:
    one, two = await play.case(), await play.case()
    await _title(play, two, f"storm over Romania, see case {one}")
    assert set(await _numbers(play, q=f"#{one}")) == {one, two}
    assert await _numbers(play, q="storm roma") == [two]
    assert await _numbers(play, q="storm ro") == [], "a beginning has three letters at least"
    await play.desk.opinions.decide(play.bob, two, judgement())
    assert await _numbers(play, q="storm") == []
    assert await _numbers(play, q="storm", state=["decided"]) == [two]


async def test_counts(play: Play) -> None:
    await play.rules(second_opinion="always")
    one, two, three = [await play.case() for _ in range(3)]
    await play.desk.claims.claim(play.bob, one)
    await play.desk.opinions.decide(play.bob, two, judgement())
    await play.desk.joining.join(play.bob, three, one)
    counts = await play.desk.queue.counts(play.bob)
    assert {state: n for state, n in counts.states.items() if n} == {"claimed": 1, "second": 1}
    assert (counts.mine, counts.second_for_me) == (1, 0)
    assert (await play.desk.queue.counts(play.cleo)).second_for_me == 1
    assert await _numbers(play, second_for_me=True, who="cleo") == [two]
    assert await _numbers(play, second_for_me=True) == []
    assert set((await play.desk.queue.counts(play.foreign)).states.values()) == {0}


async def test_the_next_case_or_why_there_is_none(play: Play) -> None:
    take = play.desk.next.claim
    assert (await take(play.bob)).why is WhyNone.NONE_OPEN
    low, high = await play.case(0.1), await play.case(0.9)
    got = await take(play.bob)
    assert got.case is not None and got.case.number == high
    assert (await take(play.cleo)).case is not None
    answer = await take(play.dan)
    assert (answer.why, answer.claimed, answer.another) == (WhyNone.ALL_CLAIMED, 2, 0)
    await play.rules(second_opinion="always", max_claims=1)
    await play.desk.opinions.decide(play.bob, high, judgement())
    answer = await take(play.bob)
    assert (answer.why, answer.claimed, answer.another) == (WhyNone.OPINION_OF_ANOTHER, 1, 1)
    got = await take(play.dan)
    assert got.case is not None and got.case.state is CaseState.SECOND
    await play.case()
    assert (await take(play.dan)).why is WhyNone.CLAIM_LIMIT
    assert (await take(play.bob, CaseFilter(tag=("none",)))).why is WhyNone.NONE_OPEN
    assert low


async def test_many_cases_at_once(play: Play) -> None:
    numbers = [await play.case() for _ in range(4)]
    await play.desk.claims.claim(play.cleo, numbers[0])
    run = play.desk.bulk.run
    tagging = BulkAction(add_tags=("storm",), priority=2)
    with refused("conflict") as caught:
        await run(play.bob, tagging, wanted=CaseFilter(), expected=3)
    assert caught.error.detail["count"] == 4
    outcome = await run(play.bob, tagging, wanted=CaseFilter(), expected=4)
    assert sorted(outcome.done) == numbers and not outcome.refused
    outcome = await run(play.bob, BulkAction(dismiss=DismissReason.SPAM), numbers=tuple(numbers))
    assert outcome.refused == {numbers[0]: "conflict"} and len(outcome.done) == 3
    outcome = await run(play.foreign, tagging, numbers=(numbers[0],))
    assert outcome.refused == {numbers[0]: "not_found"}
    for wrong in ((), tuple(range(1, 502))):
        with refused("bad_request"):
            await run(play.bob, tagging, numbers=wrong)
    assert (await play.desk.reading.get(play.vera, numbers[0])).tags == ("storm",)


async def test_saved_filters(play: Play) -> None:
    filters = play.desk.filters
    wanted = CaseFilter(tag=("storm",), suspicion_from=50)
    mine = await filters.save(play.bob, "Storm", wanted, Sort.NEWEST)
    await filters.save(play.ada, "All", CaseFilter(), for_team=True)
    with refused("not_allowed"):
        await filters.save(play.bob, "Team", wanted, for_team=True)
    assert [(f.name, f.is_teams) for f in await filters.list(play.bob)] == [
        ("All", True),
        ("Storm", False),
    ]
    assert (await filters.list(play.bob))[1].filter == wanted
    assert [f.name for f in await filters.list(play.cleo)] == ["All"]
    changed = await filters.save(play.bob, "Storm", CaseFilter(), Sort.RANK)
    assert changed.id == mine.id
    for who in (play.cleo, play.foreign):
        with refused("not_found"):
            await filters.delete(who, mine.id)
    await filters.delete(play.bob, mine.id)
    assert [f.name for f in await filters.list(play.bob)] == ["All"]


async def test_the_open_queue_is_read_from_its_own_index(play: Play) -> None:
    """At a million cases another plan takes seconds; see benchmarks/desk.py."""
    from desk.queue.filters import ORDERS, conditions

    await play.case()
    where = conditions(CaseFilter(), play.bob, play.desk.changes.clock())
    for sort, index in (
        (Sort.RANK, "ix_cases_open_rank"),
        (Sort.SUSPICION, "ix_cases_open_suspicion"),
    ):
        query = sa.select(Case).where(*where).order_by(*ORDERS[sort].clauses()).limit(50)
        engine = play.desk.database.engine
        text = str(query.compile(engine.sync_engine, compile_kwargs={"literal_binds": True}))
        explain = "EXPLAIN QUERY PLAN" if play.desk.database.is_sqlite else "EXPLAIN"
        async with engine.connect() as connection:
            if not play.desk.database.is_sqlite:
                await connection.execute(sa.text("SET enable_seqscan = off"))
                await connection.execute(sa.text("SET enable_sort = off"))
            plan = " ".join(
                str(row) for row in await connection.execute(sa.text(f"{explain} {text}"))
            )
        assert index in plan, plan
        assert "TEMP B-TREE" not in plan and "Sort" not in plan


async def test_counting_a_filter_and_verdicts(play: Play) -> None:
    for probability in (0.9, 0.2, None):
        await play.case(probability)
    assert await play.desk.queue.count(play.vera, CaseFilter()) == 3
    assert await play.desk.queue.count(play.vera, CaseFilter(machine=(Verdict.NO_FACE,))) == 1
