"""Verdicts of people: the first opinion, a second one given blind, and how a tie is settled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from desk.actors import DeskActor
from desk.cases.claims import take
from desk.cases.records import CaseRecord
from desk.cases.work import (
    conflict,
    let_go,
    load_case,
    move,
    opinions_in_round,
    record_of,
    require_not_held_by_another,
    require_state,
    watch,
)
from desk.changes import Change, Changes
from desk.models import Case, Opinion
from desk.text import checked, web_address
from desk.vocabulary import (
    Action,
    CaseState,
    Confidence,
    HumanVerdict,
    NoticeKind,
    OpinionRole,
    Review,
    SecondOpinions,
)
from unmask.errors import UnmaskError
from unmask.permissions import Permission, Role, require
from unmask.report import Verdict

MAX_LINKS = 20
_FAKES = (HumanVerdict.MANIPULATED, HumanVerdict.GENERATED)


class Judgement(BaseModel):
    """What a person says: a verdict, how sure, why (a sentence at least), and links to evidence.
    ``score_was_shown`` tells whether the person had seen the machine's score."""

    model_config = ConfigDict(frozen=True)

    verdict: HumanVerdict
    confidence: Confidence = Confidence.MEDIUM
    reasoning: str
    evidence_links: tuple[str, ...] = Field((), max_length=MAX_LINKS)
    score_was_shown: bool = True


class OpinionRecord(BaseModel):
    """An opinion as the reader may see it: while a second one is due, others' opinions are hidden,
    and only that they were given is told."""

    model_config = ConfigDict(frozen=True)

    person_id: int
    round: int
    role: OpinionRole
    submitted_at: datetime
    hidden: bool = False
    verdict: HumanVerdict | None = None
    confidence: Confidence | None = None
    reasoning: str = ""
    evidence_links: tuple[str, ...] = ()


def overrules(machine: Verdict, human: HumanVerdict) -> bool:
    """Whether a person contradicts the machine. "Out of context" and "cannot tell" do not: the
    machine judges the picture alone."""
    if machine is Verdict.FAKE:
        return human is HumanVerdict.AUTHENTIC
    return machine is Verdict.REAL and human in _FAKES


class Opinions:
    """Gives opinions, and decides cases by them."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def decide(
        self, actor: DeskActor, number: int, judgement: Judgement, version: int | None = None
    ) -> CaseRecord:
        """Give the first opinion of a round. The case is decided, or waits for a second one.

        A case that nobody holds is claimed first, so a claim that lapsed meanwhile loses nothing.
        Raises ``conflict``, ``claim_limit``, ``bad_request``, ``not_found``.
        """
        require(actor, Permission.WORK_ON_CASE)
        judgement = _checked(judgement)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number, version)
            await require_state(change, case, (CaseState.NEW, CaseState.CLAIMED))
            await take(change, case)
            await _add(change, case, judgement, OpinionRole.FIRST)
            if _needs_second(change, case, judgement):
                await _ask_for_second(change, case)
            else:
                await _conclude(change, case, judgement, {"overruled": _overruled(case, judgement)})
            return await record_of(change, case)

    async def give_second(
        self, actor: DeskActor, number: int, judgement: Judgement, version: int | None = None
    ) -> CaseRecord:
        """Give the second opinion, without having seen the first.

        If both agree the case is decided, else it is tied. Raises ``second_opinion_due`` if the
        first opinion is one's own, ``conflict``, ``bad_request``, ``not_found``.
        """
        require(actor, Permission.WORK_ON_CASE)
        judgement = _checked(judgement)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number, version)
            if case.state is not CaseState.SECOND or case.review is not Review.SECOND:
                raise await conflict(change, case, f"Case {number} awaits no second opinion.")
            await take(change, case)
            first = (await opinions_in_round(change, case))[0]
            await _add(change, case, judgement, OpinionRole.SECOND)
            if first.verdict is judgement.verdict:
                case.by_second = True
                data = {"overruled": _overruled(case, judgement), "agreed": True}
                await _conclude(change, case, judgement, data)
            else:
                await _tie(change, case, first.person_id)
            return await record_of(change, case)

    async def settle(
        self, actor: DeskActor, number: int, judgement: Judgement, version: int | None = None
    ) -> CaseRecord:
        """End a tie: a third person decides, or one of the two takes the other's verdict.

        An admin may also settle a case for which nobody else can give a second opinion; the history
        says so. Raises ``second_opinion_due``, ``conflict``, ``bad_request``, ``not_found``.
        """
        require(actor, Permission.WORK_ON_CASE)
        judgement = _checked(judgement)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number, version)
            await require_state(change, case, (CaseState.SECOND,))
            await require_not_held_by_another(change, case)
            opinions = await opinions_in_round(change, case)
            how = _how_settled(case, actor, judgement, opinions)
            if how == "third":
                await _add(change, case, judgement, OpinionRole.SETTLING)
            case.by_second = how != "admin" or len(opinions) > 1
            data = {"overruled": _overruled(case, judgement), "settled": how}
            text = judgement.reasoning if how != "third" else None
            await _conclude(change, case, judgement, data, text)
            return await record_of(change, case)

    async def ask_for_second(
        self, actor: DeskActor, number: int, version: int | None = None
    ) -> CaseRecord:
        """Put a decided case back to wait for a second opinion, as publishing may need one."""
        require(actor, Permission.WORK_ON_CASE)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number, version)
            await require_state(change, case, (CaseState.DECIDED,))
            if case.by_second:
                raise await conflict(change, case, f"Case {number} has a second opinion already.")
            case.verdict = case.decided_at = None
            await _ask_for_second(change, case)
            return await record_of(change, case)

    async def reopen(
        self, actor: DeskActor, number: int, reason: str, version: int | None = None
    ) -> CaseRecord:
        """Begin another round of a decided or published case; the actor holds it.

        What is published says "under review" until it is published again or withdrawn.
        """
        require(actor, Permission.WORK_ON_CASE)
        reason = checked(reason, "reason", needed=True, most=1_000)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number, version)
            await require_state(change, case, (CaseState.DECIDED, CaseState.PUBLISHED))
            was = {"state": str(case.state), "verdict": case.verdict and str(case.verdict)}
            await begin_round(change, case)
            await change.record(Action.CASE_REOPENED, case, {"was": was}, reason)
            await change.notify(await change.watchers(case), NoticeKind.REOPENED, case)
            await take(change, case)
            return await record_of(change, case)


async def begin_round(change: Change, case: Case) -> None:
    """Take the verdict off a case; it is new again, in its next round."""
    await move(change, case, CaseState.NEW)
    case.round += 1
    case.verdict = case.decided_at = None
    case.review, case.by_second = Review.NONE, False
    let_go(case)


async def visible_opinions(
    session: AsyncSession, case: Case, reader: int | None
) -> list[OpinionRecord]:
    """All opinions of a case, oldest first, with those hidden that the reader may not see yet."""
    query = sa.select(Opinion).where(Opinion.case_id == case.id).order_by(Opinion.id)
    return [_shown(opinion, case, reader) for opinion in await session.scalars(query)]


def is_hidden(case: Case, round_number: int, author: int | None, reader: int | None) -> bool:
    """Whether an opinion is to be kept from a reader: a second opinion must be given blind."""
    awaited = case.state is CaseState.SECOND and case.review is Review.SECOND
    return awaited and round_number == case.round and author != reader


def _shown(opinion: Opinion, case: Case, reader: int | None) -> OpinionRecord:
    hidden = is_hidden(case, opinion.round, opinion.person_id, reader)
    record = OpinionRecord(
        person_id=opinion.person_id,
        round=opinion.round,
        role=opinion.role,
        submitted_at=opinion.submitted_at,
        hidden=hidden,
    )
    if hidden:
        return record
    return record.model_copy(
        update={
            "verdict": opinion.verdict,
            "confidence": opinion.confidence,
            "reasoning": opinion.reasoning,
            "evidence_links": tuple(opinion.evidence_links),
        }
    )


def _checked(judgement: Judgement) -> Judgement:
    reasoning = checked(judgement.reasoning, "reasoning", needed=True)
    links = tuple(web_address(link, "evidence link") for link in judgement.evidence_links)
    return judgement.model_copy(update={"reasoning": reasoning, "evidence_links": links})


def _overruled(case: Case, judgement: Judgement) -> bool:
    return overrules(case.machine_verdict, judgement.verdict)


def _needs_second(change: Change, case: Case, judgement: Judgement) -> bool:
    rule = change.settings.second_opinion
    if case.sensitive or rule is SecondOpinions.ALWAYS:
        return True
    if rule is SecondOpinions.NEVER:
        return False
    unsure = judgement.confidence is Confidence.LOW
    return unsure or (rule is SecondOpinions.IF_OVERRULED and _overruled(case, judgement))


def _how_settled(
    case: Case, actor: DeskActor, judgement: Judgement, opinions: Sequence[Opinion]
) -> str:
    """In which way the actor may settle: ``third``, ``agreement`` or ``admin``."""
    own = [opinion for opinion in opinions if opinion.person_id == actor.person_id]
    if case.review is Review.TIE and not own:
        return "third"
    others = {opinion.verdict for opinion in opinions if opinion.person_id != actor.person_id}
    if case.review is Review.TIE and judgement.verdict in others:
        return "agreement"
    if actor.role is Role.ADMIN:
        return "admin"
    message = "A third person must settle this, or you take the other's verdict."
    if case.review is Review.SECOND:
        message = "The second opinion must be another person's."
    raise UnmaskError("second_opinion_due", message, case=case.number)


async def _add(change: Change, case: Case, judgement: Judgement, role: OpinionRole) -> None:
    change.session.add(
        Opinion(
            team_id=change.team_id,
            case_id=case.id,
            person_id=change.person_id,
            round=case.round,
            role=role,
            verdict=judgement.verdict,
            confidence=judgement.confidence,
            reasoning=judgement.reasoning,
            evidence_links=list(judgement.evidence_links),
            score_was_shown=judgement.score_was_shown,
            submitted_at=change.now,
        )
    )
    await watch(change, case, change.person_id)
    # The verdict stands in the text, which is hidden while a second opinion is due.
    text = json.dumps(judgement.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
    await change.record(Action.OPINION_ADDED, case, {"role": role, "round": case.round}, text)


async def _ask_for_second(change: Change, case: Case) -> None:
    await move(change, case, CaseState.SECOND)
    case.review = Review.SECOND
    let_go(case)
    await change.record(Action.CASE_SECOND_NEEDED, case, {"round": case.round})
    await change.notify(await change.watchers(case), NoticeKind.SECOND_NEEDED, case)


async def _tie(change: Change, case: Case, first_person: int) -> None:
    case.review = Review.TIE
    case.updated = change.now
    let_go(case)
    await change.record(Action.CASE_TIED, case, {"round": case.round})
    people = await change.watchers(case) | {first_person}
    await change.notify(people, NoticeKind.TIED, case)


async def _conclude(
    change: Change,
    case: Case,
    judgement: Judgement,
    data: Mapping[str, object],
    text: str | None = None,
) -> None:
    await move(change, case, CaseState.DECIDED)
    case.verdict, case.decided_at = judgement.verdict, change.now
    case.review = Review.NONE
    let_go(case)
    told = {
        "verdict": str(judgement.verdict),
        "confidence": str(judgement.confidence),
        "round": case.round,
        **data,
    }
    await change.record(Action.CASE_DECIDED, case, told, text)
    await change.notify(await change.watchers(case), NoticeKind.DECIDED, case)
