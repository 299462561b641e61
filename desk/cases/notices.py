"""What a person is told of cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from desk.actors import DeskActor
from desk.changes import Changes
from desk.models import Case, CaseText, Notice
from desk.vocabulary import NoticeKind
from unmask.permissions import Permission, require

MAX_LISTED = 100


class NoticeRecord(BaseModel):
    """One notice; ``by`` is who caused it, as the history names actors."""

    model_config = ConfigDict(frozen=True)

    id: int
    kind: NoticeKind
    case: int | None
    title: str
    by: str
    at: datetime
    read_at: datetime | None


class Notices:
    """The notices of the person who asks."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def list(
        self, actor: DeskActor, *, unread: bool = True, before: int | None = None
    ) -> list[NoticeRecord]:
        """The newest notices; ``before`` is the id that the last page ended with."""
        require(actor, Permission.WATCH)
        query = (
            sa.select(Notice, Case.number, CaseText.title)
            .outerjoin(Case, Case.id == Notice.case_id)
            .outerjoin(CaseText, CaseText.case_id == Case.id)
            .where(Notice.team_id == actor.team_id, Notice.person_id == actor.person_id)
            .order_by(Notice.id.desc())
            .limit(MAX_LISTED)
        )
        if unread:
            query = query.where(Notice.read_at.is_(None))
        if before is not None:
            query = query.where(Notice.id < before)
        async with self._changes.database.reading() as session:
            return [
                NoticeRecord(
                    id=notice.id,
                    kind=notice.kind,
                    case=number,
                    title=title or "",
                    by=notice.by,
                    at=notice.at,
                    read_at=notice.read_at,
                )
                for notice, number, title in await session.execute(query)
            ]

    async def count_unread(self, actor: DeskActor) -> int:
        """How many notices wait, at most 1,000."""
        require(actor, Permission.WATCH)
        inner = (
            sa.select(Notice.id)
            .where(Notice.team_id == actor.team_id, Notice.person_id == actor.person_id)
            .where(Notice.read_at.is_(None))
            .limit(1_000)
        )
        async with self._changes.database.reading() as session:
            query = sa.select(sa.func.count()).select_from(inner.subquery())
            return await session.scalar(query) or 0

    async def mark_read(
        self, actor: DeskActor, *, ids: Sequence[int] | None = None, case: int | None = None
    ) -> None:
        """Mark notices as read: some, those of a case, or without either all."""
        require(actor, Permission.WATCH)
        query = (
            sa.update(Notice)
            .where(Notice.team_id == actor.team_id, Notice.person_id == actor.person_id)
            .where(Notice.read_at.is_(None))
            .values(read_at=self._changes.clock())
        )
        if ids is not None:
            query = query.where(Notice.id.in_(ids[:MAX_LISTED]))
        if case is not None:
            of_case = sa.select(Case.id).where(Case.team_id == actor.team_id, Case.number == case)
            query = query.where(Notice.case_id.in_(of_case))
        async with self._changes.database.writing() as session:
            await session.execute(query)
