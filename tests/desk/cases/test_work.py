"""Texts, tags, comments, notices, joining and publishing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from desk.cases.editing import CaseChanges
from desk.vocabulary import CaseState, DismissReason, HumanVerdict, NoticeKind
from tests.desk.play import Play, judgement, refused

pytestmark = pytest.mark.anyio


async def test_texts_and_marks(play: Play) -> None:
    number = await play.case()
    due = datetime(2027, 1, 1, tzinfo=UTC)
    edits = CaseChanges(title=" Storm\nin  Rome ", claim="It is new.", priority=3, due_at=due)
    record = await play.desk.editing.edit(play.bob, number, edits)
    assert (record.title, record.priority, record.due_at) == ("Storm in Rome", 3, due)
    with refused("conflict"):
        stale = CaseChanges(title="other")
        await play.desk.editing.edit(play.cleo, number, stale, record.version - 1)
    record = await play.desk.editing.edit(play.cleo, number, CaseChanges(due_at=None))
    assert record.due_at is None and record.title == "Storm in Rome"
    version = record.version
    same = await play.desk.editing.edit(play.cleo, number, CaseChanges(title="Storm in Rome"))
    assert same.version == version, "nothing changed"
    for wrong in (CaseChanges(priority=4), CaseChanges(title="x" * 301)):
        with refused("bad_request"):
            await play.desk.editing.edit(play.bob, number, wrong)
    with refused("not_allowed"):
        await play.desk.editing.edit(play.bob, number, CaseChanges(legal_hold=True))
    assert (await play.desk.editing.edit(play.ada, number, CaseChanges(legal_hold=True))).legal_hold


async def test_tags(play: Play) -> None:
    number = await play.case()
    record = await play.desk.editing.tag(play.bob, number, add=["Élection", "storm", "STORM"])
    assert record.tags == ("storm", "élection")
    version = record.version
    record = await play.desk.editing.tag(play.bob, number, add=["x"], remove=["storm", "none"])
    assert (record.tags, record.version) == (("x", "élection"), version)
    assert await play.desk.editing.tags(play.vera) == {"storm": 0, "x": 1, "élection": 1}
    assert await play.desk.editing.tags(play.foreign) == {}
    with refused("bad_request"):
        await play.desk.editing.tag(play.bob, number, add=[f"t{n}" for n in range(31)])
    await play.desk.editing.delete_tag(play.ada, "X")
    assert (await play.desk.reading.get(play.vera, number)).tags == ("élection",)


async def test_comments_tell_those_who_are_named_and_those_who_watch(play: Play) -> None:
    number = await play.case()
    await play.desk.editing.watch(play.vera, number)
    body = f"Look, @cleo-{play.slug}! And @nobody, mail@bob-{play.slug}."
    comment = await play.desk.comments.add(play.bob, number, body)
    assert comment.mentions == (play.cleo.person_id,)
    kinds = {
        name: [notice.kind for notice in await play.desk.notices.list(getattr(play, name))]
        for name in ("ada", "bob", "cleo", "vera")
    }
    assert kinds == {
        "ada": [],
        "bob": [],
        "cleo": [NoticeKind.MENTIONED],
        "vera": [NoticeKind.COMMENTED],
    }
    await play.desk.comments.edit(play.bob, number, comment.id, f"@cleo-{play.slug} again")
    assert len(await play.desk.notices.list(play.cleo)) == 1, "named already"
    with refused("not_allowed"):
        await play.desk.comments.edit(play.ada, number, comment.id, "x")
    with refused("not_allowed"):
        await play.desk.comments.remove(play.cleo, number, comment.id)
    await play.desk.comments.remove(play.ada, number, comment.id)
    (left,) = await play.desk.comments.list(play.vera, number)
    assert left.body == "" and left.removed_at is not None
    history = await play.desk.reading.history(play.ada, number)
    assert "again" not in str([entry.text for entry in history])
    assert (await play.desk.history.verify(play.ada)).holds
    await play.desk.notices.mark_read(play.cleo, case=number)
    assert await play.desk.notices.count_unread(play.cleo) == 0
    assert await play.desk.notices.count_unread(play.vera) == 1


async def test_dismissing_and_restoring(play: Play) -> None:
    number = await play.case()
    await play.desk.claims.claim(play.bob, number)
    with refused("conflict"):
        await play.desk.closing.dismiss(play.cleo, number, DismissReason.SPAM)
    record = await play.desk.closing.dismiss(play.ada, number, DismissReason.NOT_OURS, "not ours")
    assert record.state is CaseState.DISMISSED and record.dismissed_for is DismissReason.NOT_OURS
    with refused("conflict"):
        await play.desk.opinions.decide(play.bob, number, judgement())
    assert (await play.desk.closing.restore(play.bob, number)).state is CaseState.NEW


async def test_joining_and_what_is_not_joined(play: Play) -> None:
    one, two = await play.case(), await play.case()
    record = await play.desk.joining.join(play.bob, one, two)
    assert record.number == two
    assert (await play.desk.reading.get(play.vera, one)).joined_into == two
    assert (await play.desk.reading.detail(play.vera, two)).joined == (one,)
    with refused("conflict") as caught:
        await play.desk.claims.claim(play.bob, one)
    assert caught.error.detail["joined_into"] == two
    three = await play.case()
    await play.desk.joining.join(play.bob, two, three)
    assert (await play.desk.reading.get(play.vera, one)).joined_into == three, "one step, always"
    authentic = await play.decided(HumanVerdict.AUTHENTIC)
    with refused("conflict"):
        await play.desk.joining.join(play.bob, authentic, three)
    with refused("conflict"):
        await play.desk.joining.join(play.bob, authentic, await play.decided())
    await play.desk.joining.join(play.bob, three, authentic)
    for wrong, code in ((authentic, "bad_request"), (999_999, "not_found")):
        with refused(code):
            await play.desk.joining.join(play.bob, authentic, wrong)
    histories = [await play.desk.reading.history(play.ada, n) for n in (three, authentic)]
    assert [history[0].action for history in histories] == ["case.joined", "case.joined"]


async def test_publishing_correcting_and_withdrawing(play: Play) -> None:
    number = await play.decided()
    with refused("bad_request"):
        await play.desk.publishing.publish(play.bob, number)  # no title
    await play.desk.editing.edit(play.bob, number, CaseChanges(title="Storm", summary="Old."))
    record, slug = await play.desk.publishing.publish(play.bob, number)
    assert record.state is CaseState.PUBLISHED
    report = await play.desk.publishing.read(slug)
    assert (report.title, report.version, report.corrections) == ("Storm", 1, ())
    assert report.verdict is HumanVerdict.MANIPULATED and not report.under_review
    await play.desk.editing.edit(play.bob, number, CaseChanges(title="Changed"))
    assert (await play.desk.publishing.read(slug)).title == "Storm", "a snapshot"
    await play.desk.opinions.reopen(play.bob, number, "new source")
    assert (await play.desk.publishing.read(slug)).under_review
    await play.desk.opinions.decide(play.bob, number, judgement(HumanVerdict.AUTHENTIC))
    with refused("bad_request"):
        await play.desk.publishing.publish(play.bob, number)  # no note on what changed
    _, again = await play.desk.publishing.publish(play.bob, number, note="We were wrong.")
    assert again == slug
    report = await play.desk.publishing.read(slug)
    assert (report.version, report.verdict) == (2, HumanVerdict.AUTHENTIC)
    assert [correction.note for correction in report.corrections] == ["We were wrong."]
    assert report.first_published_at < report.published_at
    record = await play.desk.publishing.withdraw(play.bob, number, "asked to")
    assert record.state is CaseState.DECIDED
    assert (await play.desk.publishing.read(slug)).withdrawn_at is not None
    for wrong in ("", "x" * 22, "../../etc/passwd"):
        with refused("not_found"):
            await play.desk.publishing.read(wrong)


async def test_who_may_publish_and_when(play: Play) -> None:
    await play.rules(second_opinion="if_published", publishers="admins")
    number = await play.decided()
    await play.desk.editing.edit(play.bob, number, CaseChanges(title="Storm"))
    with refused("not_allowed"):
        await play.desk.publishing.publish(play.bob, number)
    with refused("second_opinion_due"):
        await play.desk.publishing.publish(play.ada, number)
    await play.desk.opinions.ask_for_second(play.bob, number)
    await play.desk.opinions.give_second(play.cleo, number, judgement())
    record, _ = await play.desk.publishing.publish(play.ada, number)
    assert record.state is CaseState.PUBLISHED
