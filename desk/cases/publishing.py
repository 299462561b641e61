"""Publishing a case: a report that anybody may read, every version of it kept.

A correction is visible: a changed report says when and why it changed, and a withdrawn one that it
was withdrawn.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from desk.actors import DeskActor
from desk.cases.records import CaseRecord
from desk.cases.work import load_case, move, opinions_in_round, record_of, require_state
from desk.changes import Change, Changes
from desk.models import Case, CaseText, Opinion, Picture, Publication, Report, Sighting, Team
from desk.text import checked, line
from desk.vocabulary import Action, CaseState, Confidence, HumanVerdict, Publishers, SecondOpinions
from unmask.errors import UnmaskError
from unmask.permissions import Permission, Role, require

_SLUG = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
#: Most addresses of sightings that a report names.
_MAX_APPEARANCES = 20


class Correction(BaseModel):
    """That a report was changed, or taken back, and why."""

    model_config = ConfigDict(frozen=True)

    version: int
    at: datetime
    note: str


class PublicReport(BaseModel):
    """What anybody may read of a case. ``under_review`` says that people look at it again."""

    model_config = ConfigDict(frozen=True)

    slug: str
    version: int
    team: str
    locale: str
    title: str
    claim: str
    summary: str
    verdict: HumanVerdict
    confidence: Confidence
    reasoning: str
    evidence_links: tuple[str, ...]
    by_second: bool
    decided_at: datetime
    published_at: datetime
    first_published_at: datetime
    machine_verdict: str
    fake_probability: float | None
    model_version: str
    appearances: tuple[str, ...]
    picture: str | None
    corrections: tuple[Correction, ...] = ()
    withdrawn_at: datetime | None = None
    under_review: bool = False


class Publishing:
    """Publishes and withdraws reports, and reads them."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def publish(
        self,
        actor: DeskActor,
        number: int,
        *,
        reasoning: str | None = None,
        note: str = "",
        show_picture: bool = True,
        show_appearances: bool = True,
        version: int | None = None,
    ) -> tuple[CaseRecord, str]:
        """Publish a decided case, or a published one again; returns it and the report's slug.

        ``reasoning`` replaces the deciding opinion's, for the public; ``note`` says what changed,
        and is needed from the second version on. Title and summary are the case's. Raises
        ``not_allowed`` where only admins publish, ``second_opinion_due``, ``bad_request`` (no
        title, no note), ``conflict``, ``not_found``.
        """
        require(actor, Permission.PUBLISH)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number, version)
            await _require_publishable(change, case)
            text = await change.session.get_one(CaseText, case.id)
            line(text.title, "title", needed=True)
            last = await _last(change.session, case.id)
            note = checked(note, "note", needed=last is not None, most=1_000)
            content = await _content(
                change, case, reasoning, show_picture=show_picture, appearances=show_appearances
            )
            row = Publication(
                team_id=change.team_id,
                case_id=case.id,
                slug=last.slug if last is not None else secrets.token_urlsafe(16),
                version=last.version + 1 if last is not None else 1,
                content=content,
                note=note,
                published_by=change.person_id,
                published_at=change.now,
            )
            change.session.add(row)
            await move(change, case, CaseState.PUBLISHED)
            data = {"version": row.version, "verdict": str(case.verdict)}
            await change.record(Action.CASE_PUBLISHED, case, data, note or None)
            return await record_of(change, case), row.slug

    async def withdraw(
        self, actor: DeskActor, number: int, reason: str, version: int | None = None
    ) -> CaseRecord:
        """Take a published report back; its page says so, and why. The case is decided again."""
        require(actor, Permission.PUBLISH)
        reason = checked(reason, "reason", needed=True, most=1_000)
        async with self._changes.begin(actor) as change:
            _require_publisher(change)
            case = await load_case(change, number, version)
            last = await _last(change.session, case.id)
            if last is None or last.withdrawn_at is not None:
                await require_state(change, case, (CaseState.PUBLISHED,))
                raise UnmaskError("not_found", f"Case {number} has no published report.")
            last.withdrawn_at, last.note = change.now, reason
            if case.state is CaseState.PUBLISHED:
                await move(change, case, CaseState.DECIDED)
            case.updated = change.now
            await change.record(Action.CASE_WITHDRAWN, case, {"version": last.version}, reason)
            return await record_of(change, case)

    async def slug_of(self, actor: DeskActor, number: int) -> str | None:
        """The slug of a case's report; None if it was never published."""
        require(actor, Permission.READ_CASES)
        query = (
            sa.select(Publication.slug)
            .join(Case, Case.id == Publication.case_id)
            .where(Case.team_id == actor.team_id, Case.number == number)
            .limit(1)
        )
        async with self._changes.database.reading() as session:
            slug: str | None = await session.scalar(query)
            return slug

    async def read(self, slug: str) -> PublicReport:
        """The newest version of a report, for anybody who has its slug; raises ``not_found``.

        Of a withdrawn report verdict and texts stay readable only to the caller of this method:
        a page shows that it was withdrawn.
        """
        if not _SLUG.fullmatch(slug):
            raise UnmaskError("not_found", "There is no such report.")
        query = sa.select(Publication).where(Publication.slug == slug)
        async with self._changes.database.reading() as session:
            rows = list(await session.scalars(query.order_by(Publication.version)))
            if not rows:
                raise UnmaskError("not_found", "There is no such report.")
            newest = rows[-1]
            case = await session.get_one(Case, newest.case_id)
            team = await session.get_one(Team, newest.team_id)
        is_settled = case.state is CaseState.PUBLISHED
        corrections = tuple(
            Correction(version=row.version, at=row.withdrawn_at or row.published_at, note=row.note)
            for row in rows
            if row.note
        )
        return PublicReport(
            **newest.content,
            slug=slug,
            version=newest.version,
            team=team.name,
            locale=team.locale,
            published_at=newest.published_at,
            first_published_at=rows[0].published_at,
            corrections=corrections,
            withdrawn_at=newest.withdrawn_at,
            under_review=not is_settled and newest.withdrawn_at is None,
        )

    async def picture_of(self, slug: str) -> tuple[int, str] | None:
        """The team and the key in the store of the picture that a report shows; None if it shows
        none, or was withdrawn."""
        report = await self.read(slug)
        if report.picture is None or report.withdrawn_at is not None:
            return None
        query = sa.select(Publication.team_id).where(Publication.slug == slug).limit(1)
        async with self._changes.database.reading() as session:
            return await session.scalar(query) or 0, report.picture


async def _require_publishable(change: Change, case: Case) -> None:
    _require_publisher(change)
    await require_state(change, case, (CaseState.DECIDED, CaseState.PUBLISHED))
    rule = change.settings.second_opinion
    if rule in (SecondOpinions.IF_PUBLISHED, SecondOpinions.ALWAYS) and not case.by_second:
        message = "The team publishes nothing without a second opinion: ask for one."
        raise UnmaskError("second_opinion_due", message, case=case.number)


def _require_publisher(change: Change) -> None:
    by_admins = change.settings.publishers is Publishers.ADMINS
    if by_admins and change.actor.role is not Role.ADMIN:
        raise UnmaskError("not_allowed", "In this team the admins publish.")


async def _last(session: AsyncSession, case_id: int) -> Publication | None:
    last: Publication | None = await session.scalar(
        sa.select(Publication)
        .where(Publication.case_id == case_id)
        .order_by(Publication.version.desc())
        .limit(1)
    )
    return last


async def _deciding(change: Change, case: Case) -> Opinion:
    """The last opinion of the round that has the case's verdict."""
    opinions = await opinions_in_round(change, case)
    fitting = [opinion for opinion in opinions if opinion.verdict is case.verdict]
    return (fitting or opinions)[-1]


async def _content(
    change: Change, case: Case, reasoning: str | None, *, show_picture: bool, appearances: bool
) -> dict[str, Any]:
    """The snapshot that is published: what changes in the case later does not change it."""
    session = change.session
    text = await session.get_one(CaseText, case.id)
    opinion = await _deciding(change, case)
    picture = await session.get(Picture, case.picture_id) if case.picture_id else None
    report = await session.scalar(
        sa.select(Report).where(Report.picture_id == case.picture_id).order_by(Report.id).limit(1)
    )
    pages = await session.scalars(
        sa.select(Sighting.page_url)
        .where(Sighting.case_id == case.id, Sighting.page_url.is_not(None))
        .group_by(Sighting.page_url)
        .order_by(sa.func.min(Sighting.id))
        .limit(_MAX_APPEARANCES)
    )
    public = opinion.reasoning if reasoning is None else reasoning
    return {
        "title": text.title,
        "claim": text.claim,
        "summary": text.summary,
        "verdict": str(case.verdict),
        "confidence": str(opinion.confidence),
        "reasoning": checked(public, "reasoning", needed=True),
        "evidence_links": list(opinion.evidence_links),
        "by_second": case.by_second,
        "decided_at": (case.decided_at or change.now).isoformat(),
        "machine_verdict": str(case.machine_verdict),
        "fake_probability": report.fake_probability if report is not None else None,
        "model_version": report.model_version if report is not None else "",
        "appearances": list(pages) if appearances else [],
        "picture": picture.store_key if picture is not None and show_picture else None,
    }
