"""Reads and verifies the history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from desk.actors import DeskActor
from desk.changes import chain
from desk.changes.change import hash_of
from desk.database import Database
from desk.models import HistoryEntry, HistoryHead, HistoryText
from unmask.permissions import Permission, require

#: Entries that are read at one time.
_BATCH = 1_000


class HistoryRecord(BaseModel):
    """One entry as people see it. ``text`` is None where there is none, it was erased, or the
    reader may not see it yet."""

    model_config = ConfigDict(frozen=True)

    seq: int
    at: datetime
    actor: str
    action: str
    case: int | None
    data: dict[str, Any]
    text: str | None
    hash: str


class Verification(BaseModel):
    """Whether a team's chain holds; ``broken`` is the first entry that does not, and ``why`` a word
    for it: ``missing``, ``hash``, ``link``, ``text`` or ``head``."""

    model_config = ConfigDict(frozen=True)

    team: str
    entries: int
    head: str
    broken: int | None = None
    why: str | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing was changed, removed or put in between."""
        return self.broken is None


class History:
    """The histories of all teams; each method is about the actor's own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_case(
        self,
        actor: DeskActor,
        number: int,
        *,
        hidden: Sequence[int] = (),
        before: int | None = None,
        limit: int = 200,
    ) -> list[HistoryRecord]:
        """The entries of a case, newest first; of those in ``hidden`` the text is left out."""
        require(actor, Permission.READ_CASES)
        query = (
            sa.select(HistoryEntry, HistoryText.text)
            .outerjoin(
                HistoryText,
                sa.and_(
                    HistoryText.team_id == HistoryEntry.team_id,
                    HistoryText.seq == HistoryEntry.seq,
                ),
            )
            .where(HistoryEntry.team_id == actor.team_id, HistoryEntry.case_number == number)
            .order_by(HistoryEntry.seq.desc())
            .limit(min(limit, _BATCH))
        )
        if before is not None:
            query = query.where(HistoryEntry.seq < before)
        async with self._database.reading() as session:
            rows = (await session.execute(query)).all()
        return [_record(entry, None if entry.seq in hidden else text) for entry, text in rows]

    async def verify(self, actor: DeskActor) -> Verification:
        """Whether the team's chain holds from its first entry to its head."""
        require(actor, Permission.VERIFY_HISTORY)
        return await self.verify_team(actor.team_id, actor.team)

    async def verify_team(self, team_id: int, team: str) -> Verification:
        """The same for the operator of the installation."""
        link, seq = chain.ORIGIN, 0
        async with self._database.reading() as session:
            head = await session.get(HistoryHead, team_id)
            while rows := await self._batch(session, team_id, seq):
                for entry, salt, text in rows:
                    why = _fault(entry, seq, link, salt, text)
                    if why is not None:
                        return Verification(
                            team=team, entries=seq, head=link, broken=seq + 1, why=why
                        )
                    link, seq = entry.hash, entry.seq
                session.expunge_all()
        if head is None or (head.seq, head.hash) != (seq, link):
            return Verification(team=team, entries=seq, head=link, broken=seq + 1, why="head")
        return Verification(team=team, entries=seq, head=link)

    @staticmethod
    async def _batch(session: Any, team_id: int, seq: int) -> Sequence[Any]:
        query = (
            sa.select(HistoryEntry, HistoryText.salt, HistoryText.text)
            .outerjoin(
                HistoryText,
                sa.and_(
                    HistoryText.team_id == HistoryEntry.team_id,
                    HistoryText.seq == HistoryEntry.seq,
                ),
            )
            .where(HistoryEntry.team_id == team_id, HistoryEntry.seq > seq)
            .order_by(HistoryEntry.seq)
            .limit(_BATCH)
        )
        rows: Sequence[Any] = (await session.execute(query)).all()
        return rows


def _fault(
    entry: HistoryEntry, before: int, link: str, salt: str | None, text: str | None
) -> str | None:
    """What is wrong with an entry that should follow entry ``before``; None if nothing is."""
    if entry.seq != before + 1:
        return "missing"
    if entry.prev_hash != link:
        return "link"
    if hash_of(entry) != entry.hash:
        return "hash"
    # A text that was erased is gone with its salt; one that is there must be the one of then.
    if salt is not None and chain.text_hash(salt, text or "") != entry.text_sha256:
        return "text"
    return None


def _record(entry: HistoryEntry, text: str | None) -> HistoryRecord:
    return HistoryRecord(
        seq=entry.seq,
        at=entry.at,
        actor=entry.actor,
        action=entry.action,
        case=entry.case_number,
        data=entry.data,
        text=text,
        hash=entry.hash,
    )
