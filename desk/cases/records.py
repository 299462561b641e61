"""A case as the queue shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from desk.accounts.members import names_of
from desk.models import Case, CaseTag, CaseText, Tag
from desk.vocabulary import CaseState, DismissReason, HumanVerdict, Review
from unmask.report import Verdict


class PersonName(BaseModel):
    """A person of the team."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str


class CaseRecord(BaseModel):
    """One case. ``state`` is the one that counts now: a claim that lapsed is none. ``suspicion`` is
    the machine's per cent, -1 without a face; ``version`` is what a change sends as If-Match."""

    model_config = ConfigDict(frozen=True)

    number: int
    version: int
    state: CaseState
    review: Review
    round: int
    title: str
    priority: int
    suspicion: int
    machine_verdict: Verdict
    claimed_by: PersonName | None
    claimed_until: datetime | None
    due_at: datetime | None
    sensitive: bool
    legal_hold: bool
    sightings: int
    last_sighting_at: datetime | None
    verdict: HumanVerdict | None
    by_second: bool
    decided_at: datetime | None
    dismissed_for: DismissReason | None
    joined_into: int | None
    tags: tuple[str, ...]
    picture: int | None
    created: datetime
    updated: datetime


def is_lapsed(case: Case, now: datetime) -> bool:
    """Whether the case was claimed for a time that is over."""
    return case.claimed_until is not None and case.claimed_until <= now


def current_state(case: Case, now: datetime) -> CaseState:
    """The state that counts now: a lapsed claim counts as new."""
    lapsed = case.state is CaseState.CLAIMED and is_lapsed(case, now)
    return CaseState.NEW if lapsed else case.state


async def records_of(
    session: AsyncSession,
    team_id: int,
    cases: Sequence[Case],
    now: datetime,
    known: Mapping[int, str] = MappingProxyType({}),
) -> list[CaseRecord]:
    """The records of cases of one team, in their order: three queries at most, however many they
    are. ``known`` are names of people that the caller has already, by their numbers."""
    if not cases:
        return []
    titles, tags = await _titles_and_tags(session, [case.id for case in cases])
    joined = [case.joined_into for case in cases if case.joined_into is not None]
    numbers: dict[int, int] = {}
    if joined:
        rows = await session.execute(sa.select(Case.id, Case.number).where(Case.id.in_(joined)))
        numbers = {row.id: row.number for row in rows}
    names, holders = dict(known), {case.claimed_by for case in cases if case.claimed_by is not None}
    if missing := holders - names.keys():
        names |= await names_of(session, team_id, missing)
    return [
        _record(case, titles.get(case.id, ""), tags.get(case.id, ()), names, numbers, now)
        for case in cases
    ]


async def _titles_and_tags(
    session: AsyncSession, case_ids: Sequence[int]
) -> tuple[dict[int, str], dict[int, tuple[str, ...]]]:
    """The title of each case, and the tags of those that have any, sorted."""
    rows = await session.execute(
        sa.select(CaseText.case_id, CaseText.title, Tag.name)
        .outerjoin(CaseTag, CaseTag.case_id == CaseText.case_id)
        .outerjoin(Tag, Tag.id == CaseTag.tag_id)
        .where(CaseText.case_id.in_(case_ids))
        .order_by(Tag.name)
    )
    titles: dict[int, str] = {}
    tags: dict[int, tuple[str, ...]] = {}
    for case_id, title, tag in rows:
        titles[case_id] = title
        if tag is not None:
            tags[case_id] = (*tags.get(case_id, ()), tag)
    return titles, tags


def _record(
    case: Case,
    title: str,
    tags: tuple[str, ...],
    names: Mapping[int, str],
    numbers: Mapping[int, int],
    now: datetime,
) -> CaseRecord:
    holder = None
    if case.claimed_by is not None and not is_lapsed(case, now):
        holder = PersonName(id=case.claimed_by, name=names.get(case.claimed_by, ""))
    return CaseRecord(
        number=case.number,
        version=case.version,
        state=current_state(case, now),
        review=case.review,
        round=case.round,
        title=title,
        priority=case.priority,
        suspicion=case.suspicion,
        machine_verdict=case.machine_verdict,
        claimed_by=holder,
        claimed_until=case.claimed_until if holder is not None else None,
        due_at=case.due_at,
        sensitive=case.sensitive,
        legal_hold=case.legal_hold,
        sightings=case.sightings,
        last_sighting_at=case.last_sighting_at,
        verdict=case.verdict,
        by_second=case.by_second,
        decided_at=case.decided_at,
        dismissed_for=case.dismissed_for,
        joined_into=numbers.get(case.joined_into) if case.joined_into is not None else None,
        tags=tags,
        picture=case.picture_id,
        created=case.created,
        updated=case.updated,
    )
