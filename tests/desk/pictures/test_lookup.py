"""The team's verdict answers a picture that comes again, and only where it may."""

from __future__ import annotations

import hashlib

import pytest

from desk.pictures import Source, TeamAnswer
from desk.vocabulary import CaseState, HumanVerdict
from tests.conftest import Pixels
from tests.desk.checks import FACE, StubChecks, jpeg, with_other_face
from tests.desk.conftest import FakeClock
from tests.desk.play import Play, judgement, refused
from unmask.permissions import Scope

pytestmark = pytest.mark.anyio

PAGE = "https://example.org/story"


async def _ask(play: Play, data: bytes, page: str | None = None) -> TeamAnswer | None:
    sha256 = hashlib.sha256(data).hexdigest()
    return await play.desk.lookup.by_picture(play.vera, sha256, data, [FACE], page)


async def _decided(
    play: Play, checks: StubChecks, data: bytes, verdict: HumanVerdict = HumanVerdict.MANIPULATED
) -> int:
    source = Source(page_url=PAGE)
    sent = await play.desk.intake.send(play.bob, checks.add(data, face=True), source)
    await play.desk.opinions.decide(play.bob, sent.case or 0, judgement(verdict))
    return sent.case or 0


async def test_the_same_file_a_copy_and_a_fake(
    play: Play, checks: StubChecks, portrait: Pixels
) -> None:
    data = jpeg(portrait)
    number = await _decided(play, checks, data)
    same, copy = await _ask(play, data), await _ask(play, jpeg(portrait, 75, 400))
    assert same is not None and copy is not None
    assert (same.case, same.picture, same.verdict) == (number, "same", HumanVerdict.MANIPULATED)
    assert (copy.case, copy.picture, copy.confidence) == (number, "copy", "high")
    assert await _ask(play, jpeg(with_other_face(portrait))) is None, "a mere suggestion"


async def test_an_undecided_case_tells_its_state_alone(
    play: Play, checks: StubChecks, portrait: Pixels
) -> None:
    data = jpeg(portrait)
    sent = await play.desk.intake.send(play.bob, checks.add(data), Source())
    answer = await _ask(play, data)
    assert answer is not None and answer.case == sent.case
    assert (answer.state, answer.verdict, answer.decided_at) == (CaseState.NEW, None, None)
    await play.rules(second_opinion="always")
    await play.desk.opinions.decide(play.bob, sent.case or 0, judgement())
    answer = await _ask(play, data)
    assert answer is not None and answer.verdict is None, "the first opinion is no verdict"


async def test_out_of_context_is_about_its_page(
    play: Play, checks: StubChecks, portrait: Pixels
) -> None:
    data = jpeg(portrait)
    await _decided(play, checks, data, HumanVerdict.OUT_OF_CONTEXT)
    here = await _ask(play, data, PAGE)
    assert here is not None and here.verdict is HumanVerdict.OUT_OF_CONTEXT
    for page in (None, "https://other.example/"):
        elsewhere = await _ask(play, data, page)
        assert elsewhere is not None and elsewhere.verdict is None
        assert elsewhere.earlier == "other_context" and elsewhere.summary == ""


async def test_an_old_verdict_is_an_earlier_case(
    play: Play, checks: StubChecks, portrait: Pixels, clock: FakeClock
) -> None:
    data = jpeg(portrait)
    await _decided(play, checks, data)
    clock.pass_time(days=366)
    answer = await _ask(play, data)
    assert answer is not None and (answer.verdict, answer.earlier) == (None, "stale")


async def test_a_team_may_answer_nobody(play: Play, checks: StubChecks, portrait: Pixels) -> None:
    data = jpeg(portrait)
    await _decided(play, checks, data)
    await play.rules(auto_answer=False)
    assert await _ask(play, data) is None and await _ask(play, jpeg(portrait, 70)) is None


async def test_many_files_in_one_question_and_other_teams_in_none(
    play: Play, checks: StubChecks, portrait: Pixels
) -> None:
    data = jpeg(portrait)
    number = await _decided(play, checks, data)
    sha256 = hashlib.sha256(data).hexdigest()
    lookup = play.desk.lookup
    found = await lookup.by_sha256(play.vera, [sha256, "0" * 64], PAGE)
    assert {key: answer.case for key, answer in found.items()} == {sha256: number}
    assert await lookup.by_sha256(play.foreign, [sha256]) == {}
    assert await lookup.by_picture(play.foreign, sha256, data) is None
    with refused("bad_request"):
        await lookup.by_sha256(play.vera, ["0" * 64] * 51)
    key, _ = await play.desk.keys.create(play.ada, "k", [Scope.CHECK])
    actor = await play.desk.keys.identify(key)
    assert actor is not None
    with refused("key_scope"):
        await lookup.by_sha256(actor, [sha256])
