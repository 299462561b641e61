"""A check that was sent to the team becomes a sighting of a case.

First a row says that it was sent, so that a crash loses nothing; once the check has ended, its
picture and report are copied, and one transaction makes the sighting and finds or opens its case.
The same file joins its case; so does a copy, if the pictures are the same place by place; what is
merely near by hash is suggested to people.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from desk.actors import DeskActor
from desk.changes import Changes
from desk.models import Case, Picture, Sighting, Submission, Team
from desk.pictures.keep import ORIGINAL, RESULTS, Keep
from desk.pictures.looks import Appearance, Looker, is_near_enough, near_pictures
from desk.pictures.lookup import Lookup, TeamAnswer
from desk.pictures.sighting import Arrival, UncomparedError, add_sighting
from desk.text import MAX_TEXT, checked, line, web_address
from desk.vocabulary import Match
from unmask.errors import UnmaskError
from unmask.permissions import Permission, Role, require
from unmask.report import Check, Door, Report, State

_log = logging.getLogger(__name__)
#: How often new candidates may turn up while the ones before are compared.
_MAX_ROUNDS = 5
#: A check that has not ended after so long never will: its picture has expired.
_GIVEN_UP = timedelta(days=2)
#: Submissions that are looked at together when they are reconciled.
_BATCH = 100


class CheckSource(Protocol):
    """Where checks are read; :class:`unmask.queue.check_queue.CheckQueue` is one."""

    async def get(self, check_id: str) -> Check | None:
        """The check as it stands, with its report once it is done; None if it is gone."""

    async def picture(self, check_id: str) -> bytes | None:
        """The bytes that were submitted."""

    async def results(self, check_id: str, names: Sequence[str]) -> list[bytes | None]:
        """Files of a done check."""


class NoChecks:
    """The source of checks of a command, which takes none in."""

    async def get(self, check_id: str) -> Check | None:
        """None: there is none."""
        return None

    async def picture(self, check_id: str) -> bytes | None:
        """None: there is none."""
        return None

    async def results(self, check_id: str, names: Sequence[str]) -> list[bytes | None]:
        """None for each name."""
        return [None for _ in names]


class Source(BaseModel):
    """Where a picture was seen; ``channel`` is the name of a chat, ``note`` the sender's words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    door: Door = Door.API
    page_url: str | None = None
    picture_url: str | None = None
    channel: str | None = None
    note: str | None = None


class SentState(StrEnum):
    """What became of a check that was sent."""

    PENDING = "pending"  # the check has not ended yet
    DONE = "done"
    FAILED = "failed"  # the check failed, so there is nothing to decide on


class Sent(BaseModel):
    """What became of a check that was sent: its case, and what the team says of the picture."""

    model_config = ConfigDict(frozen=True)

    state: SentState
    case: int | None = None
    match: Match | None = None
    answer: TeamAnswer | None = None
    error: str | None = None


@dataclass
class _Copied:
    """What was copied from a check: its picture, report and files, and what was compared."""

    data: bytes
    report: Report
    files: dict[str, bytes]
    appearance: Appearance
    copies: dict[int, bool] = field(default_factory=dict)
    key: str | None = None


class Intake:
    """Takes checks into the desk."""

    def __init__(
        self, changes: Changes, checks: CheckSource, keep: Keep, looker: Looker, lookup: Lookup
    ) -> None:
        self._changes = changes
        self._checks = checks
        self._keep = keep
        self._looker = looker
        self._lookup = lookup

    async def send(self, actor: DeskActor, check_id: str, source: Source) -> Sent:
        """Send a check to the actor's team. The same check gives the same case again.

        If the check has not ended, the answer is ``pending``: call :meth:`finish` once it has.
        Raises ``not_found`` for a check that is gone, ``bad_request``, ``storage_full``.
        """
        require(actor, Permission.SEND_CASE)
        source = _checked(source)
        if await self._checks.get(check_id) is None:
            raise UnmaskError("not_found", "There is no such check, or it has expired.")
        async with self._changes.begin(actor) as change:
            row = await change.session.scalar(_by_check(actor.team_id, check_id))
            if row is None:
                row = Submission(
                    team_id=actor.team_id,
                    check_id=check_id,
                    source=source.model_dump(mode="json"),
                    sent_by=actor.reference,
                    created=change.now,
                )
                change.session.add(row)
        return await self.finish(actor, check_id)

    async def finish(self, actor: DeskActor, check_id: str) -> Sent:
        """Make the sighting of a check that was sent, if it has ended; raises ``not_found``."""
        async with self._changes.database.reading() as session:
            row = await session.scalar(_by_check(actor.team_id, check_id))
        if row is None:
            raise UnmaskError("not_found", "This check was not sent to the team.")
        if row.done_at is not None:
            return await self._sent(actor, row)
        check = await self._checks.get(check_id)
        if check is not None and not check.ended:
            return Sent(state=SentState.PENDING)
        sender = _sender(actor.team_id, actor.team, row.sent_by)
        if check is None or check.state is State.FAILED or check.report is None:
            code = (check.error or {}).get("code", "internal") if check else "not_found"
            return await self._sent(actor, await self._end(sender, check_id, error=str(code)))
        copied = await self._copy(check_id, check.report)
        if copied is None:
            row = await self._end(sender, check_id, error="picture_missing")
            return await self._sent(actor, row)
        return await self._sent(actor, await self._take_in(sender, row, copied))

    async def finish_pending(self) -> int:
        """Finish what was sent and has ended meanwhile; call it at start and now and then.

        Returns how many submissions were finished. One that cannot be is left to the next call.
        """
        query = (
            sa.select(Submission, Team.slug)
            .join(Team, Team.id == Submission.team_id)
            .where(Submission.done_at.is_(None))
            .order_by(Submission.id)
            .limit(_BATCH)
        )
        async with self._changes.database.reading() as session:
            rows = (await session.execute(query)).all()
        finished = 0
        for row, slug in rows:
            actor = _sender(row.team_id, slug, row.sent_by)
            try:
                sent = await self.finish(actor, row.check_id)
                if sent.state is SentState.PENDING and _is_given_up(row, self._changes):
                    await self._end(actor, row.check_id, error="not_served")
                finished += sent.state is not SentState.PENDING
            except UnmaskError as error:
                _log.warning("desk: a check could not be taken in (%s)", error.code)
        return finished

    async def _copy(self, check_id: str, report: Report) -> _Copied | None:
        data = await self._checks.picture(check_id)
        if data is None:
            return None
        names = [*RESULTS, *(f"face-{number}.jpg" for number in range(len(report.faces)))]
        found = zip(names, await self._checks.results(check_id, names), strict=True)
        files = {name: content for name, content in found if content is not None}
        boxes = [face.box for face in report.faces]
        appearance = await self._looker.look(data, boxes)
        return _Copied(data, report, {ORIGINAL: data, **files}, appearance)

    async def _take_in(self, actor: DeskActor, row: Submission, copied: _Copied) -> Submission:
        """Make the sighting. Pictures are compared without holding the team's lock; if another one
        came meanwhile that was not compared, it is, and the transaction begins again."""
        for _ in range(_MAX_ROUNDS):
            await self._compare(actor.team_id, copied)
            if copied.key is None and not await self._has(actor.team_id, copied.report.sha256):
                copied.key = await self._keep.put(actor.team_id, copied.files)
            arrival = Arrival(
                report=copied.report,
                size=len(copied.data),
                appearance=copied.appearance,
                store_key=copied.key,
                copies=copied.copies,
                source=row.source,
            )
            try:
                return await self._commit(actor, row.check_id, arrival, copied)
            except UncomparedError:
                continue
        if copied.key is not None:
            await self._keep.delete(actor.team_id, copied.key)
        raise UnmaskError("busy", "Too many copies of this picture come at once.", retry_after=1)

    async def _commit(
        self, actor: DeskActor, check_id: str, arrival: Arrival, copied: _Copied
    ) -> Submission:
        unused = copied.key
        async with self._changes.begin(actor) as change:
            row = (await change.session.scalars(_by_check(actor.team_id, check_id))).one()
            if row.done_at is None:
                sighting, is_kept = await add_sighting(change, arrival)
                row.done_at, row.sighting_id = change.now, sighting.id
                unused = None if is_kept else unused
        if unused is not None:  # somebody else brought the same file meanwhile
            await self._keep.delete(actor.team_id, unused)
        return row

    async def _compare(self, team_id: int, copied: _Copied) -> None:
        """Compare the picture with the near ones that it was not compared with yet."""
        if copied.appearance.is_plain:
            return
        async with self._changes.database.reading() as session:
            bits = copied.appearance.look.bits
            candidates = await near_pictures(session, team_id, bits)
        for near in candidates:
            if near.picture_id not in copied.copies and is_near_enough(near):
                is_copy = await self._lookup.is_copy(team_id, copied.appearance, near)
                copied.copies[near.picture_id] = is_copy

    async def _has(self, team_id: int, sha256: str) -> bool:
        query = sa.select(Picture.id).where(Picture.team_id == team_id, Picture.sha256 == sha256)
        async with self._changes.database.reading() as session:
            return await session.scalar(query) is not None

    async def _end(self, actor: DeskActor, check_id: str, *, error: str) -> Submission:
        async with self._changes.begin(actor) as change:
            row = (await change.session.scalars(_by_check(actor.team_id, check_id))).one()
            if row.done_at is None:
                row.done_at, row.error = change.now, error[:40]
        return row

    async def _sent(self, actor: DeskActor, row: Submission) -> Sent:
        if row.error is not None:
            return Sent(state=SentState.FAILED, error=row.error)
        async with self._changes.database.reading() as session:
            sighting = await session.get(Sighting, row.sighting_id)
            case = await session.get(Case, sighting.case_id) if sighting is not None else None
        if sighting is None or case is None:  # it was erased since
            return Sent(state=SentState.FAILED, error="not_found")
        answer = await self._lookup.answer_to(actor, sighting)
        return Sent(state=SentState.DONE, case=case.number, match=sighting.match, answer=answer)


def _by_check(team_id: int, check_id: str) -> sa.Select[Submission]:
    return sa.select(Submission).where(
        Submission.team_id == team_id, Submission.check_id == check_id
    )


def _is_given_up(row: Submission, changes: Changes) -> bool:
    return changes.clock() - row.created > _GIVEN_UP


def _sender(team_id: int, team: str, reference: str) -> DeskActor:
    """Who sent a check, from what the row says: the history names the sender, also after a
    restart."""
    kind, _, name = reference.partition(":")
    return DeskActor(
        team_id,
        team,
        Role.CHECKER,
        reference,
        person_id=int(name) if kind == "person" else None,
        prefix=name if kind == "key" else None,
    )


def _checked(source: Source) -> Source:
    values: Mapping[str, Any] = {
        "page_url": web_address(source.page_url, "page") if source.page_url else None,
        "picture_url": _picture_url(source.picture_url),
        "channel": line(source.channel, "channel", most=200) if source.channel else None,
        "note": checked(source.note, "note", most=MAX_TEXT) if source.note else None,
    }
    return source.model_copy(update=values)


def _picture_url(url: str | None) -> str | None:
    """The address of a picture; one that holds the picture itself says nothing more."""
    return web_address(url, "picture's address") if url and not url.startswith("data:") else None
