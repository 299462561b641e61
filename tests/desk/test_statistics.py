"""A team's figures."""

from __future__ import annotations

import pytest

from desk.cases.editing import CaseChanges
from desk.pictures import Source
from desk.statistics import agreement_of
from desk.vocabulary import HumanVerdict
from tests.desk.checks import StubChecks, jpeg, pattern
from tests.desk.conftest import FakeClock
from tests.desk.play import Play, judgement

pytestmark = pytest.mark.anyio

FAKE, REAL = HumanVerdict.MANIPULATED, HumanVerdict.AUTHENTIC


async def test_throughput_and_people_against_the_machine(play: Play, clock: FakeClock) -> None:
    await play.decided(FAKE)
    await play.decided(REAL)
    clock.pass_time(days=2)
    number = await play.case(0.1)
    clock.pass_time(hours=6)
    await play.desk.opinions.decide(play.bob, number, judgement(FAKE))
    await play.case()
    figures = await play.desk.figures.of_team(play.vera, 3)
    assert [(day.opened, day.decided) for day in figures.days] == [(2, 2), (0, 0), (2, 1)]
    assert figures.against_machine == {"fake": {FAKE: 1, REAL: 1}, "real": {FAKE: 1}}
    assert figures.hours_to_verdict is not None
    assert figures.hours_to_verdict[2] == pytest.approx(6, abs=0.01)
    foreign = await play.desk.figures.of_team(play.foreign, 3)
    assert foreign.hours_to_verdict is None and foreign.against_machine == {}


def test_agreement_is_told_with_its_interval_and_not_of_few() -> None:
    assert agreement_of([(FAKE, FAKE)] * 29).share is None
    # Cohen's own kind of table: 45 and 25 agree, 15 and 15 do not
    pairs = [(FAKE, FAKE)] * 45 + [(REAL, REAL)] * 25 + [(FAKE, REAL)] * 15 + [(REAL, FAKE)] * 15
    found = agreement_of(pairs)
    assert found.share == pytest.approx(0.7)
    assert found.kappa == pytest.approx((0.7 - 0.52) / 0.48)
    assert found.share_low == pytest.approx(0.604, abs=0.002)
    assert found.share_high == pytest.approx(0.781, abs=0.002)
    same = agreement_of([(FAKE, FAKE)] * 50)
    assert (same.share, same.kappa) == (1.0, None)  # with one verdict alone chance agrees too


async def test_pairs_of_opinions_are_counted(play: Play) -> None:
    await play.rules(second_opinion="always")
    for verdict in (FAKE, REAL):
        number = await play.case()
        await play.desk.opinions.decide(play.bob, number, judgement(FAKE))
        await play.desk.opinions.give_second(play.cleo, number, judgement(verdict))
    assert (await play.desk.figures.of_team(play.ada)).agreement.pairs == 2


async def test_a_digest_tells_numbers_of_cases(
    play: Play, checks: StubChecks, clock: FakeClock
) -> None:
    old = await play.case()
    clock.pass_time(days=3)
    await play.decided()
    data = jpeg(pattern(90))
    for _ in range(10):
        sent = await play.desk.intake.send(play.bob, checks.add(data), Source())
    due = CaseChanges(due_at=clock())
    await play.desk.editing.edit(play.bob, old, due)
    digest = await play.desk.figures.digest(play.vera)
    assert (digest.opened, digest.decided, digest.sightings, digest.waiting) == (2, 1, 10, 2)
    assert digest.waiting_longest == (old, sent.case) and digest.overdue == (old,)
    assert digest.trending == (sent.case,)
    assert digest.head == (await play.desk.history.verify(play.ada)).head
