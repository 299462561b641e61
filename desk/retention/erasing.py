"""Erases a case: pictures, hashes, reports, sightings, texts, opinions, and what the history says
in words. Its number, what was done with it and when stay, and the chain still verifies."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from desk.accounts.secrets import keyed_hash
from desk.actors import DeskActor
from desk.cases.work import load_case
from desk.changes import Change, Changes
from desk.models import (
    Case,
    CaseTag,
    CaseText,
    Comment,
    Delivery,
    Erasure,
    HistoryEntry,
    HistoryText,
    Mention,
    Notice,
    Opinion,
    Outbox,
    Picture,
    Publication,
    Report,
    Sighting,
    Submission,
    Suggestion,
    Tag,
    Watch,
)
from desk.pictures import Keep
from desk.vocabulary import Action
from unmask.errors import UnmaskError
from unmask.permissions import Permission, require


class EraseReason(StrEnum):
    """Why a case was erased."""

    REQUEST = "request"  # of a person who is shown, or of who sent it
    MISTAKE = "mistake"
    LEGAL = "legal"
    RETENTION = "retention"  # its time was over


class Erasing:
    """Erases cases of a team."""

    def __init__(self, changes: Changes, keep: Keep, secret: bytes) -> None:
        self._changes = changes
        self._keep = keep
        self._secret = secret

    async def erase(self, actor: DeskActor, number: int, reason: EraseReason) -> None:
        """Erase a case, with those that were joined to it.

        Raises ``not_allowed``, ``not_found``, and ``conflict`` while it is under legal hold.
        """
        require(actor, Permission.DELETE_CASE)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number)
            keys = await self._erase(change, case, reason)
        for key in keys:  # a file that cannot be removed now is an orphan, which the sweep removes
            await self._keep.delete(actor.team_id, key)

    async def was_erased(self, actor: DeskActor, sha256: str) -> bool:
        """Whether a picture was on a case that people erased, and not merely its retention."""
        require(actor, Permission.SEND_CASE)
        query = sa.select(Erasure.id).where(
            Erasure.team_id == actor.team_id,
            Erasure.picture_hash == self._hash(actor.team_id, sha256),
            Erasure.reason != EraseReason.RETENTION,
        )
        async with self._changes.database.reading() as session:
            return await session.scalar(query.limit(1)) is not None

    async def _erase(self, change: Change, case: Case, reason: EraseReason) -> list[str]:
        """Erase a case in a change that is under way; returns the keys of its files."""
        joined = await change.session.scalars(
            sa.select(Case).where(Case.team_id == change.team_id, Case.joined_into == case.id)
        )
        cases = [*joined, case]
        if any(one.legal_hold for one in cases):
            message = f"Case {case.number} is under legal hold."
            raise UnmaskError("conflict", message, case=case.number, legal_hold=True)
        keys = await self._remember(change, cases, reason)
        await change.count({f"state:{case.state}": -1})
        await _forget_history(change, [one.number for one in cases])
        for one in cases:
            await change.record(
                Action.CASE_DELETED, data={"reason": str(reason)}, number=one.number
            )
        await _delete_rows(change, cases)
        return keys

    async def _remember(
        self, change: Change, cases: Sequence[Case], reason: EraseReason
    ) -> list[str]:
        """Write down that the cases were erased; returns the keys of their files."""
        numbers = {case.id: case.number for case in cases}
        pictures = list(
            await change.session.scalars(sa.select(Picture).where(Picture.case_id.in_(numbers)))
        )
        for picture in pictures:
            change.session.add(
                Erasure(
                    team_id=change.team_id,
                    case_number=numbers[picture.case_id],
                    picture_hash=self._hash(change.team_id, picture.sha256),
                    reason=str(reason),
                    erased_by=change.actor.reference,
                    at=change.now,
                )
            )
        return [picture.store_key for picture in pictures]

    def _hash(self, team_id: int, sha256: str) -> str:
        return keyed_hash(self._secret, f"picture of {team_id}", sha256)


async def _forget_history(change: Change, numbers: Sequence[int]) -> None:
    """Remove the texts of the cases' entries, and the bodies of messages about them."""
    await change.session.flush()
    entries = sa.select(HistoryEntry.seq).where(
        HistoryEntry.team_id == change.team_id, HistoryEntry.case_number.in_(numbers)
    )
    seqs = list(await change.session.scalars(entries))
    await change.session.execute(
        sa.delete(HistoryText).where(
            HistoryText.team_id == change.team_id, HistoryText.seq.in_(seqs)
        )
    )
    ids = [f"evt-{change.team_id}-{seq}" for seq in seqs]
    await change.session.execute(
        sa.delete(Delivery).where(Delivery.team_id == change.team_id, Delivery.event_id.in_(ids))
    )
    await change.session.execute(
        sa.delete(Outbox).where(
            Outbox.team_id == change.team_id,
            Outbox.case_number.in_(numbers),
            Outbox.done_at.is_not(None),
        )
    )


async def _delete_rows(change: Change, cases: Sequence[Case]) -> None:
    """Delete all rows of the cases, what refers to others first."""
    session, ids = change.session, [case.id for case in cases]
    pictures = sa.select(Picture.id).where(Picture.case_id.in_(ids))
    comments = sa.select(Comment.id).where(Comment.case_id.in_(ids))
    sightings = sa.select(Sighting.id).where(Sighting.case_id.in_(ids))
    of_team = Submission.team_id == change.team_id
    await session.execute(
        sa.delete(Submission).where(of_team, Submission.sighting_id.in_(sightings))
    )
    await session.execute(sa.delete(Mention).where(Mention.comment_id.in_(comments)))
    await session.execute(sa.delete(Report).where(Report.picture_id.in_(pictures)))
    both = sa.or_(Suggestion.case_a.in_(ids), Suggestion.case_b.in_(ids))
    await session.execute(sa.delete(Suggestion).where(both))
    tables: tuple[Any, ...] = (Comment, Watch, Notice, CaseTag, Opinion, Publication)
    for table in (*tables, Sighting, Picture, CaseText):
        await session.execute(sa.delete(table).where(table.case_id.in_(ids)))
    await session.execute(sa.delete(Case).where(Case.joined_into.in_(ids)))
    await session.execute(sa.delete(Case).where(Case.id.in_(ids)))
    # A tag is a word of people's, and may be a name: one that no case has goes too.
    used = sa.select(CaseTag.tag_id)
    await session.execute(sa.delete(Tag).where(Tag.team_id == change.team_id, Tag.id.not_in(used)))
    for case in cases:
        session.expunge(case)
