"""Verdicts: alone, with a second opinion given blind, tied and settled."""

from __future__ import annotations

import json

import pytest

from desk.cases import CaseRecord, Judgement
from desk.vocabulary import CaseState, Confidence, HumanVerdict, NoticeKind, Review
from tests.desk.play import Play, judgement, refused

pytestmark = pytest.mark.anyio

AUTHENTIC, MANIPULATED = HumanVerdict.AUTHENTIC, HumanVerdict.MANIPULATED


async def _first(play: Play, verdict: HumanVerdict = MANIPULATED) -> CaseRecord:
    await play.rules(second_opinion="always")
    number = await play.case()
    return await play.desk.opinions.decide(play.bob, number, judgement(verdict))


async def test_one_opinion_decides_where_the_team_asks_for_no_second(play: Play) -> None:
    record = await play.desk.opinions.decide(play.bob, await play.case(), judgement())
    assert (record.state, record.verdict) == (CaseState.DECIDED, MANIPULATED)
    assert not record.by_second and record.claimed_by is None and record.decided_at is not None


@pytest.mark.parametrize(
    ("rule", "probability", "verdict", "confidence", "due"),
    [
        ("never", 0.9, AUTHENTIC, Confidence.LOW, False),
        ("always", 0.9, MANIPULATED, Confidence.HIGH, True),
        ("if_overruled", 0.9, AUTHENTIC, Confidence.HIGH, True),
        ("if_overruled", 0.1, HumanVerdict.GENERATED, Confidence.HIGH, True),
        ("if_overruled", 0.9, MANIPULATED, Confidence.HIGH, False),
        ("if_overruled", 0.9, HumanVerdict.OUT_OF_CONTEXT, Confidence.HIGH, False),
        ("if_overruled", 0.9, MANIPULATED, Confidence.LOW, True),
        ("if_published", 0.9, AUTHENTIC, Confidence.HIGH, False),
        ("if_published", None, AUTHENTIC, Confidence.LOW, True),
    ],
)
async def test_when_a_second_opinion_is_due(
    play: Play,
    rule: str,
    probability: float | None,
    verdict: HumanVerdict,
    confidence: Confidence,
    due: bool,
) -> None:
    await play.rules(second_opinion=rule)
    number = await play.case(probability)
    record = await play.desk.opinions.decide(play.bob, number, judgement(verdict, confidence))
    assert record.state is (CaseState.SECOND if due else CaseState.DECIDED)


async def test_the_second_opinion_is_blind(play: Play) -> None:
    record = await _first(play)
    number = record.number
    assert record.verdict is None and record.review is Review.SECOND
    secret = judgement().reasoning
    for reader in (play.ada, play.cleo, play.vera):
        detail = await play.desk.reading.detail(reader, number)
        assert [opinion.hidden for opinion in detail.opinions] == [True]
        history = await play.desk.reading.history(reader, number)
        shown = detail.model_dump_json() + json.dumps(
            [entry.model_dump(mode="json") for entry in history]
        )
        assert secret not in shown and "manipulated" not in shown
    own = await play.desk.reading.detail(play.bob, number)
    assert own.opinions[0].reasoning == secret
    await play.desk.opinions.give_second(play.cleo, number, judgement())
    both = await play.desk.reading.detail(play.vera, number)
    assert [opinion.verdict for opinion in both.opinions] == [MANIPULATED] * 2
    assert any(
        secret in (entry.text or "") for entry in await play.desk.reading.history(play.vera, number)
    )


async def test_two_who_agree_decide(play: Play) -> None:
    number = (await _first(play)).number
    with refused("second_opinion_due"):
        await play.desk.opinions.give_second(play.bob, number, judgement())
    with refused("second_opinion_due"):
        await play.desk.claims.claim(play.bob, number)
    record = await play.desk.opinions.give_second(play.cleo, number, judgement())
    assert record.state is CaseState.DECIDED and record.by_second
    with refused("conflict"):
        await play.desk.opinions.give_second(play.dan, number, judgement())


async def test_a_second_opinion_may_be_claimed(play: Play) -> None:
    number = (await _first(play)).number
    record = await play.desk.claims.claim(play.cleo, number)
    assert record.state is CaseState.SECOND and record.claimed_by is not None
    with refused("conflict"):
        await play.desk.opinions.give_second(play.dan, number, judgement())
    await play.desk.claims.release(play.cleo, number)
    record = await play.desk.opinions.give_second(play.dan, number, judgement())
    assert record.state is CaseState.DECIDED


async def _tied(play: Play) -> int:
    number = (await _first(play)).number
    record = await play.desk.opinions.give_second(play.cleo, number, judgement(AUTHENTIC))
    assert (record.state, record.review) == (CaseState.SECOND, Review.TIE)
    assert record.verdict is None
    return number


async def test_a_third_person_settles_a_tie(play: Play) -> None:
    number = await _tied(play)
    assert NoticeKind.TIED in [notice.kind for notice in await play.desk.notices.list(play.bob)]
    record = await play.desk.opinions.settle(play.dan, number, judgement(AUTHENTIC))
    assert (record.verdict, record.by_second) == (AUTHENTIC, True)
    detail = await play.desk.reading.detail(play.vera, number)
    assert [opinion.role for opinion in detail.opinions] == ["first", "second", "settling"]


async def test_one_of_the_two_may_give_way(play: Play) -> None:
    number = await _tied(play)
    with refused("second_opinion_due"):
        await play.desk.opinions.settle(play.bob, number, judgement(MANIPULATED))
    record = await play.desk.opinions.settle(
        play.bob, number, judgement(AUTHENTIC, reasoning="Cleo convinced me.")
    )
    assert record.verdict is AUTHENTIC and record.by_second
    newest = (await play.desk.reading.history(play.ada, number))[0]
    assert newest.data["settled"] == "agreement" and newest.text == "Cleo convinced me."


async def test_an_admin_settles_what_nobody_else_can(play: Play) -> None:
    await play.rules(second_opinion="always")
    number = await play.case()
    await play.desk.opinions.decide(play.ada, number, judgement())
    with refused("second_opinion_due"):
        await play.desk.opinions.settle(play.bob, number, judgement(AUTHENTIC))
    record = await play.desk.opinions.settle(play.ada, number, judgement())
    assert record.state is CaseState.DECIDED and not record.by_second
    assert (await play.desk.reading.history(play.ada, number))[0].data["settled"] == "admin"


async def test_reopening_begins_another_round(play: Play) -> None:
    number = await play.decided()
    record = await play.desk.opinions.reopen(play.cleo, number, "a new source")
    assert (record.state, record.round, record.verdict) == (CaseState.CLAIMED, 2, None)
    record = await play.desk.opinions.decide(play.cleo, number, judgement(AUTHENTIC))
    assert record.verdict is AUTHENTIC
    rounds = [o.round for o in (await play.desk.reading.detail(play.vera, number)).opinions]
    assert rounds == [1, 2]


async def test_a_sensitive_case_needs_two_whatever_the_rule(play: Play) -> None:
    from desk.cases.editing import CaseChanges

    number = await play.case()
    await play.desk.editing.edit(play.bob, number, CaseChanges(sensitive=True))
    assert (await play.desk.opinions.decide(play.bob, number, judgement())).review is Review.SECOND


@pytest.mark.parametrize(
    "wrong",
    [
        judgement(reasoning="  \n"),
        judgement(reasoning="x" * 10_001),
        judgement().model_copy(update={"evidence_links": ("javascript:alert(1)",)}),
        judgement().model_copy(update={"evidence_links": ("https://ada:x@host/",)}),
    ],
)
async def test_a_judgement_without_reason_or_with_odd_links_is_refused(
    play: Play, wrong: Judgement
) -> None:
    with refused("bad_request"):
        await play.desk.opinions.decide(play.bob, await play.case(), wrong)
