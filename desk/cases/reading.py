"""A case with all that belongs to it, as its page shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from desk.actors import DeskActor
from desk.cases.opinions import OpinionRecord, is_hidden, visible_opinions
from desk.cases.records import CaseRecord, records_of
from desk.changes import Changes, History, HistoryRecord
from desk.models import (
    Case,
    CaseText,
    HistoryEntry,
    Picture,
    Publication,
    Report,
    Sighting,
    Suggestion,
    Watch,
)
from desk.vocabulary import Action, Match, SuggestionState
from unmask.errors import UnmaskError
from unmask.permissions import Permission, require
from unmask.report import Door

MAX_SIGHTINGS = 200


class PictureRecord(BaseModel):
    """One file of a case. ``key`` names it in the store; ``report`` is the machine's, as JSON."""

    model_config = ConfigDict(frozen=True)

    id: int
    key: str
    sha256: str
    width: int
    height: int
    format: str
    size: int
    created: datetime
    report: dict[str, Any] | None


class SightingRecord(BaseModel):
    """One time that a picture of the case was sent, and from where."""

    model_config = ConfigDict(frozen=True)

    id: int
    picture: int
    door: Door
    match: Match
    distance: int | None
    page_url: str | None
    picture_url: str | None
    channel: str | None
    note: str | None
    sent_by: str
    seen_at: datetime


class SuggestionRecord(BaseModel):
    """Another case that may show the same picture, with its own ``picture``; ``distance`` is of the
    hashes, in bits, and where the picture is ``mirrored``, to the mirror image of the other."""

    model_config = ConfigDict(frozen=True)

    case: int
    title: str
    picture: int | None
    distance: int
    mirrored: bool = False


class CaseDetail(BaseModel):
    """A case as its page shows it. ``joined`` are cases that were joined to it; ``watching`` is
    whether the reader watches it; ``slug`` names its public report."""

    model_config = ConfigDict(frozen=True)

    case: CaseRecord
    claim: str
    summary: str
    pictures: tuple[PictureRecord, ...]
    sightings: tuple[SightingRecord, ...]
    opinions: tuple[OpinionRecord, ...]
    suggestions: tuple[SuggestionRecord, ...]
    joined: tuple[int, ...]
    watching: bool
    slug: str | None


class Reading:
    """Reads cases. Another team's case is as one that is not there: ``not_found``."""

    def __init__(self, changes: Changes, history: History) -> None:
        self._changes = changes
        self._history = history

    async def get(self, actor: DeskActor, number: int) -> CaseRecord:
        """A case as the queue shows it."""
        require(actor, Permission.READ_CASES)
        async with self._changes.database.reading() as session:
            case = await _case(session, actor, number)
            now = self._changes.clock()
            return (await records_of(session, actor.team_id, [case], now))[0]

    async def detail(self, actor: DeskActor, number: int) -> CaseDetail:
        """A case with its texts, pictures, sightings, opinions and suggestions."""
        require(actor, Permission.READ_CASES)
        async with self._changes.database.reading() as session:
            case = await _case(session, actor, number)
            text = await session.get_one(CaseText, case.id)
            record = (await records_of(session, actor.team_id, [case], self._changes.clock()))[0]
            joined = await session.scalars(
                sa.select(Case.number).where(Case.joined_into == case.id).order_by(Case.number)
            )
            watching = actor.person_id is not None and (
                await session.get(Watch, (case.id, actor.person_id)) is not None
            )
            slug = await session.scalar(
                sa.select(Publication.slug).where(Publication.case_id == case.id).limit(1)
            )
            return CaseDetail(
                case=record,
                claim=text.claim,
                summary=text.summary,
                pictures=await _pictures(session, case),
                sightings=await _sightings(session, case, None),
                opinions=tuple(await visible_opinions(session, case, actor.person_id)),
                suggestions=await _suggestions(session, case),
                joined=tuple(joined),
                watching=watching,
                slug=slug,
            )

    async def sightings(
        self, actor: DeskActor, number: int, before: int | None = None
    ) -> tuple[SightingRecord, ...]:
        """Older sightings than ``before`` (an id), newest first."""
        require(actor, Permission.READ_CASES)
        async with self._changes.database.reading() as session:
            return await _sightings(session, await _case(session, actor, number), before)

    async def history(
        self, actor: DeskActor, number: int, before: int | None = None
    ) -> list[HistoryRecord]:
        """The history of a case, newest first; texts of opinions that must stay hidden are left
        out."""
        require(actor, Permission.READ_CASES)
        async with self._changes.database.reading() as session:
            case = await _case(session, actor, number)
            query = sa.select(HistoryEntry).where(
                HistoryEntry.team_id == actor.team_id,
                HistoryEntry.case_number == number,
                HistoryEntry.action == Action.OPINION_ADDED,
            )
            hidden = [
                entry.seq
                for entry in await session.scalars(query)
                if is_hidden(case, entry.data["round"], _author(entry), actor.person_id)
            ]
        return await self._history.of_case(actor, number, hidden=hidden, before=before)


async def _case(session: AsyncSession, actor: DeskActor, number: int) -> Case:
    case: Case | None = await session.scalar(
        sa.select(Case).where(Case.team_id == actor.team_id, Case.number == number)
    )
    if case is None:
        raise UnmaskError("not_found", f"There is no case {number}.")
    return case


def _author(entry: HistoryEntry) -> int | None:
    kind, _, number = entry.actor.partition(":")
    return int(number) if kind == "person" else None


async def _pictures(session: AsyncSession, case: Case) -> tuple[PictureRecord, ...]:
    rows = await session.execute(
        sa.select(Picture, Report.report)
        .outerjoin(Report, Report.picture_id == Picture.id)
        .where(Picture.case_id == case.id)
        .order_by(Picture.id != case.picture_id, Picture.id, Report.id.desc())
    )
    newest: dict[int, PictureRecord] = {}
    for picture, report in rows:
        if picture.id not in newest:
            newest[picture.id] = PictureRecord(
                id=picture.id,
                key=picture.store_key,
                sha256=picture.sha256,
                width=picture.width,
                height=picture.height,
                format=picture.format,
                size=picture.size,
                created=picture.created,
                report=report,
            )
    return tuple(newest.values())


async def _sightings(
    session: AsyncSession, case: Case, before: int | None
) -> tuple[SightingRecord, ...]:
    query = (
        sa.select(Sighting)
        .where(Sighting.case_id == case.id)
        .order_by(Sighting.id.desc())
        .limit(MAX_SIGHTINGS)
    )
    if before is not None:
        query = query.where(Sighting.id < before)
    return tuple(
        SightingRecord(
            id=row.id,
            picture=row.picture_id,
            door=row.door,
            match=row.match,
            distance=row.distance,
            page_url=row.page_url,
            picture_url=row.picture_url,
            channel=row.channel,
            note=row.note,
            sent_by=row.sent_by,
            seen_at=row.seen_at,
        )
        for row in await session.scalars(query)
    )


async def _suggestions(session: AsyncSession, case: Case) -> tuple[SuggestionRecord, ...]:
    other = sa.case((Suggestion.case_a == case.id, Suggestion.case_b), else_=Suggestion.case_a)
    rows = await session.execute(
        sa.select(
            Case.number,
            CaseText.title,
            Case.picture_id.label("picture"),
            Suggestion.distance,
            Suggestion.mirrored,
        )
        .select_from(Suggestion)
        .join(Case, Case.id == other)
        .join(CaseText, CaseText.case_id == Case.id)
        .where(Suggestion.team_id == case.team_id, Suggestion.state == SuggestionState.OPEN)
        .where(sa.or_(Suggestion.case_a == case.id, Suggestion.case_b == case.id))
        .where(Case.joined_into.is_(None))
        .order_by(Suggestion.distance, Case.number)
        .limit(20)
    )
    return tuple(
        SuggestionRecord(
            case=row.number,
            title=row.title,
            picture=row.picture,
            distance=row.distance,
            mirrored=row.mirrored,
        )
        for row in rows
    )
