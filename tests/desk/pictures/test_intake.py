"""A check becomes a sighting: of a new case, or of the case of its picture."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from desk.models import Picture, Sighting, Suggestion
from desk.pictures import Intake, Sent, SentState, Source
from desk.pictures.looks import bands, near_pictures, signed
from desk.vocabulary import CaseState, HumanVerdict, Match, NoticeKind
from tests.conftest import Pixels
from tests.desk.checks import StubChecks, jpeg, pattern, with_other_face
from tests.desk.conftest import FakeClock
from tests.desk.play import Play, judgement, refused
from unmask.permissions import Scope
from unmask.report import Door, State

pytestmark = pytest.mark.anyio


async def _send(play: Play, check_id: str, page: str | None = None, who: str = "bob") -> Sent:
    source = Source(door=Door.EXTENSION, page_url=page)
    return await play.desk.intake.send(getattr(play, who), check_id, source)


async def _count(play: Play, table: Any) -> int:
    async with play.desk.database.reading() as session:
        query = sa.select(sa.func.count()).where(table.team_id == play.ada.team_id)
        return await session.scalar(query) or 0


async def test_a_new_picture_opens_a_case(play: Play, checks: StubChecks) -> None:
    data = jpeg(pattern(1))
    sent = await _send(play, checks.add(data, 0.83), "https://www.example.org/a?b=1")
    assert (sent.state, sent.match) == (SentState.DONE, Match.NEW)
    assert sent.case is not None
    detail = await play.desk.reading.detail(play.vera, sent.case)
    assert (detail.case.suspicion, detail.case.sightings) == (83, 1)
    (picture,), (sighting,) = detail.pictures, detail.sightings
    assert picture.report is not None and picture.report["verdict"] == "fake"
    assert "id" not in picture.report, "a case shows no check's id"
    assert sighting.page_url == "https://www.example.org/a?b=1"
    read = play.desk.keep.read
    assert await read(play.vera, sent.case, picture.id, "original.bin") == data
    assert await read(play.vera, sent.case, picture.id, "mask.png") == b"mask.png of a stub"
    for who, name in ((play.vera, "../x.bin"), (play.vera, "x.bin"), (play.foreign, "mask.png")):
        with refused("not_found"):
            await read(who, sent.case, picture.id, name)


async def test_twenty_senders_of_one_picture_make_one_case(play: Play, checks: StubChecks) -> None:
    data = jpeg(pattern(2))
    sent = await asyncio.gather(*(_send(play, checks.add(data)) for _ in range(20)))
    assert len({one.case for one in sent}) == 1
    assert sorted(one.match or "" for one in sent) == ["new"] + ["same_file"] * 19
    assert await _count(play, Picture) == 1 and await _count(play, Sighting) == 20
    record = await play.desk.reading.get(play.vera, sent[0].case or 0)
    assert record.sightings == 20
    async with play.desk.database.reading() as session:
        keys = set(await session.scalars(sa.select(Picture.store_key)))
    stored = play.desk.keep._store.case_keys(play.ada.team_id)
    assert set(stored) <= keys, "the files of the others are gone"
    assert (await play.desk.history.verify(play.ada)).holds


async def test_copies_that_come_at_once_make_one_case(
    play: Play, checks: StubChecks, portrait: Pixels
) -> None:
    copies = [jpeg(portrait, 95 - 3 * n, 512 - 20 * n) for n in range(4)]
    sent = await asyncio.gather(*(_send(play, checks.add(data, face=True)) for data in copies))
    assert len({one.case for one in sent}) == 1
    assert sorted(one.match or "" for one in sent) == ["near_confirmed"] * 3 + ["new"]


async def test_a_fake_of_a_photograph_is_suggested_and_never_joined(
    play: Play, checks: StubChecks, portrait: Pixels
) -> None:
    first = await _send(play, checks.add(jpeg(portrait), 0.1, face=True))
    fake = jpeg(with_other_face(portrait))
    second = await _send(play, checks.add(fake, 0.9, face=True))
    assert second.match is Match.NEW and first.case != second.case
    detail = await play.desk.reading.detail(play.vera, second.case or 0)
    assert [(one.case, one.mirrored) for one in detail.suggestions] == [(first.case, False)]
    await play.desk.joining.refuse(play.bob, second.case or 0, first.case or 0)
    assert not (await play.desk.reading.detail(play.vera, first.case or 0)).suggestions
    again = jpeg(with_other_face(portrait), 80)
    third = await _send(play, checks.add(again, 0.9, face=True))
    assert (third.match, third.case) == (Match.NEAR, second.case)
    assert await _count(play, Suggestion) == 1, "what was refused is not suggested again"


async def test_a_mirrored_copy_is_suggested_and_not_joined(
    play: Play, checks: StubChecks, portrait: Pixels
) -> None:
    first = await _send(play, checks.add(jpeg(portrait), 0.1, face=True))
    turned = jpeg(np.ascontiguousarray(portrait[:, ::-1]), 70, 400)
    second = await _send(play, checks.add(turned, 0.1))
    assert second.match is Match.NEW and second.answer is not None
    detail = await play.desk.reading.detail(play.vera, second.case or 0)
    assert [(one.case, one.mirrored) for one in detail.suggestions] == [(first.case, True)]
    again = jpeg(np.ascontiguousarray(portrait[:, ::-1]), 90, 300)
    third = await _send(play, checks.add(again))
    assert (third.match, third.case) == (Match.NEAR, second.case)
    assert await _count(play, Suggestion) == 1


async def test_joining_by_hand_and_splitting_again(
    play: Play, checks: StubChecks, portrait: Pixels
) -> None:
    one = (await _send(play, checks.add(jpeg(portrait), 0.1, face=True))).case or 0
    two = (await _send(play, checks.add(jpeg(with_other_face(portrait)), face=True))).case or 0
    joined = await play.desk.joining.join(play.bob, two, one)
    assert joined.sightings == 2
    detail = await play.desk.reading.detail(play.vera, one)
    moved = next(picture for picture in detail.pictures if picture.id != detail.case.picture)
    with refused("bad_request"):
        await play.desk.joining.split(play.bob, one, [picture.id for picture in detail.pictures])
    back = await play.desk.joining.split(play.bob, one, [moved.id])
    assert (back.number, back.sightings, back.joined_into) == (two, 1, None)
    own = detail.case.picture or 0
    await play.desk.joining.join(play.bob, two, one)
    new = await play.desk.joining.split(play.bob, one, [own])
    assert new.number not in (one, two), "the case's own picture goes to a new case"
    assert (await play.desk.reading.get(play.vera, one)).picture == moved.id


async def test_plain_pictures_are_the_same_only_as_files(play: Play, checks: StubChecks) -> None:
    grey = np.full((64, 64, 3), 120, np.uint8)
    one = await _send(play, checks.add(jpeg(grey)))
    other = await _send(play, checks.add(jpeg(grey + np.uint8(3))))
    again = await _send(play, checks.add(jpeg(grey)))
    assert one.case == again.case != other.case
    assert await _count(play, Suggestion) == 0


async def test_the_same_check_is_one_sighting(play: Play, checks: StubChecks) -> None:
    check_id = checks.add(jpeg(pattern(3)))
    sent = await asyncio.gather(*(_send(play, check_id) for _ in range(5)))
    assert len({one.case for one in sent}) == 1 and await _count(play, Sighting) == 1
    other = await play.desk.intake.send(play.foreign, check_id, Source())
    assert other.case == 1, "another team has cases of its own"


async def test_a_check_that_has_not_ended_is_taken_in_later(play: Play, checks: StubChecks) -> None:
    check_id = checks.add(jpeg(pattern(4)), state=State.RUNNING)
    assert (await _send(play, check_id)).state is SentState.PENDING
    assert await play.desk.intake.finish_pending() == 0
    checks.finish(check_id)
    assert await play.desk.intake.finish_pending() == 1
    sent = await play.desk.intake.finish(play.bob, check_id)
    assert sent.state is SentState.DONE and sent.case is not None
    newest = (await play.desk.reading.history(play.ada, sent.case))[0]
    assert newest.actor == play.bob.reference, "also after a restart the sender is named"


async def test_a_check_that_failed_or_is_gone_makes_no_case(play: Play, checks: StubChecks) -> None:
    failed = await _send(play, checks.add(jpeg(pattern(5)), state=State.FAILED))
    assert (failed.state, failed.error) == (SentState.FAILED, "damaged")
    with refused("not_found"):
        await _send(play, "0" * 32)
    check_id = checks.add(jpeg(pattern(6)), state=State.QUEUED)
    await _send(play, check_id)
    del checks.checks[check_id]
    assert (await play.desk.intake.finish(play.bob, check_id)).error == "not_found"
    with refused("not_found"):
        await play.desk.intake.finish(play.foreign, check_id)


async def test_who_may_send(play: Play, checks: StubChecks) -> None:
    check_id = checks.add(jpeg(pattern(7)))
    with refused("not_allowed"):
        await _send(play, check_id, who="vera")
    for scope, allowed in ((Scope.DESK_SEND, True), (Scope.DESK_READ, False)):
        key, _ = await play.desk.keys.create(play.ada, "bot", [scope])
        actor = await play.desk.keys.identify(key)
        assert actor is not None
        if allowed:
            assert (await play.desk.intake.send(actor, check_id, Source())).case is not None
        else:
            with refused("key_scope"):
                await play.desk.intake.send(actor, check_id, Source())
    for odd in ({"page_url": "javascript:x"}, {"picture_url": "ftp://x/y"}, {"note": "x" * 10_001}):
        with refused("bad_request"):
            await play.desk.intake.send(play.bob, check_id, Source(**odd))


async def test_watchers_are_told_once_and_a_flood_is_one_notice(
    play: Play, checks: StubChecks, clock: FakeClock
) -> None:
    data = jpeg(pattern(8))
    number = (await _send(play, checks.add(data))).case or 0
    await play.desk.editing.watch(play.vera, number)
    for _ in range(25):
        await _send(play, checks.add(data))
    kinds = [notice.kind for notice in await play.desk.notices.list(play.vera)]
    assert kinds == [NoticeKind.TRENDING, NoticeKind.SEEN_AGAIN]


async def test_a_stale_verdict_reopens_its_case(
    play: Play, checks: StubChecks, clock: FakeClock
) -> None:
    data = jpeg(pattern(9))
    number = (await _send(play, checks.add(data))).case or 0
    await play.desk.opinions.decide(play.bob, number, judgement())
    answer = (await _send(play, checks.add(data))).answer
    assert answer is not None and answer.verdict is HumanVerdict.MANIPULATED
    clock.pass_time(days=400)
    sent = await _send(play, checks.add(data))
    assert sent.answer is not None and sent.answer.verdict is None
    assert (await play.desk.reading.get(play.vera, number)).state is CaseState.NEW


async def test_files_that_a_crash_left_are_removed(play: Play, checks: StubChecks) -> None:
    await _send(play, checks.add(jpeg(pattern(10))))
    left = await play.desk.keep.put(play.ada.team_id, {"original.bin": b"x"})
    now = time.time()
    assert await play.desk.keep.delete_orphans(play.ada.team_id, now) == 0, "it may be in use"
    assert await play.desk.keep.delete_orphans(play.ada.team_id, now + 3_601) == 1
    assert await play.desk.keep.get(play.ada.team_id, left, "original.bin") is None


async def test_near_hashes_are_found_whichever_bits_differ(play: Play, checks: StubChecks) -> None:
    number = (await _send(play, checks.add(jpeg(pattern(11))))).case or 0
    async with play.desk.database.reading() as session:
        case_id, phash = (
            await session.execute(
                sa.select(Picture.case_id, Picture.phash).where(Picture.team_id == play.ada.team_id)
            )
        ).one()
        bits = phash & (1 << 64) - 1
        random = np.random.default_rng(0)
        for distance in range(8):
            for _ in range(10):
                flips = random.choice(64, distance, replace=False)
                other = bits
                for flip in flips:
                    other ^= 1 << int(flip)
                (near,) = await near_pictures(session, play.ada.team_id, other)
                assert (near.case_id, near.distance) == (case_id, distance), number
        assert not await near_pictures(session, play.ada.team_id, bits ^ ((1 << 64) - 1))
        assert not await near_pictures(session, play.foreign.team_id, bits)


@pytest.mark.parametrize("bits", [0, 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_bits_as_a_database_holds_them(bits: int) -> None:
    assert signed(bits) & (1 << 64) - 1 == bits and -(1 << 63) <= signed(bits) < 1 << 63
    first, second, third, fourth = bands(bits)
    assert first << 48 | second << 32 | third << 16 | fourth == bits


async def test_an_intake_that_dies_before_its_commit_begins_again(
    play: Play, checks: StubChecks, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise KeyboardInterrupt

    check_id = checks.add(jpeg(pattern(12)))
    monkeypatch.setattr(Intake, "_commit", dies)
    with pytest.raises(KeyboardInterrupt):
        await _send(play, check_id)
    monkeypatch.undo()
    assert await _count(play, Sighting) == 0
    assert await play.desk.intake.finish_pending() == 1
    assert await _count(play, Sighting) == 1
