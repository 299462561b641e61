"""The daily digest of a team: what waits, and what was decided yesterday.

The team's bot asks for it and brings it to the team's chat. The row of the day in ``digest_days``
is what makes it one digest: the first bot that asks holds the day, and another one gets it only if
that one has been silent for an hour.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from desk.accounts.teams import TeamRecord, Teams
from desk.actors import DeskActor, machine_of
from desk.cases.records import CaseRecord
from desk.changes import Changes
from desk.database import insert_missing
from desk.models import DigestDay, HistoryHead
from desk.queue import CaseFilter, Queue, Sort
from desk.text import zone_named
from desk.vocabulary import (
    DECIDED_STATES,
    CaseState,
    DigestFailure,
    HumanVerdict,
)
from unmask.errors import UnmaskError
from unmask.permissions import Permission, require

#: A bot that has a digest and was silent for so long is taken for dead.
PATIENCE = timedelta(hours=1)
#: The rows of days that are over are kept so long.
_KEPT = timedelta(days=30)
#: Cases that a digest names of each kind.
NAMED = 5


class DigestCase(BaseModel):
    """A case that the digest names; ``since`` is when it came."""

    model_config = ConfigDict(frozen=True)

    number: int
    title: str
    since: datetime


class Digest(BaseModel):
    """What the team is told on ``day``, in the language ``locale``, in the Telegram chat ``chat``.

    ``new``, ``claimed`` and ``second`` are the open cases by their state, ``overdue`` those of them
    whose date is over. ``opened`` and ``decided`` are of yesterday, by the team's clock.
    ``head`` is the end of the history, so that somebody outside the database holds it.
    """

    model_config = ConfigDict(frozen=True)

    day: date
    chat: int
    team: str
    locale: str
    new: int
    claimed: int
    second: int
    overdue: int
    opened: int
    decided: dict[HumanVerdict, int]
    second_cases: tuple[DigestCase, ...]
    overdue_cases: tuple[DigestCase, ...]
    oldest: DigestCase | None
    entries: int
    head: str

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say: nothing is open, and yesterday nothing happened."""
        return not (self.new or self.claimed or self.second or self.opened or self.decided)


class DigestDayRecord(BaseModel):
    """How the digest of a day went: not ``done`` while a bot has it."""

    model_config = ConfigDict(frozen=True)

    day: date
    done: bool
    failure: DigestFailure | None


class Digests:
    """Hands out the digest of each team, once a day."""

    def __init__(self, changes: Changes, teams: Teams, queue: Queue) -> None:
        self._changes = changes
        self._teams = teams
        self._queue = queue

    async def take(self, actor: DeskActor, holder: str) -> Digest | None:
        """The digest of today for the bot ``holder`` to send, until :meth:`done`; None if it is not
        wanted or not yet, was sent, is another bot's, or has nothing to say."""
        require(actor, Permission.DELIVER_DIGEST)
        team = await self._teams.get(actor)
        chat, now = team.settings.digest_chat, self._changes.clock()
        zone = zone_named(team.settings.zone) or ZoneInfo("UTC")
        local = now.astimezone(zone)
        if not team.settings.digest or chat is None or local.hour < team.settings.digest_hour:
            return None
        if not await self._hold(actor.team_id, local.date(), holder, now):
            return None
        digest = await self._digest(team, chat, local.date(), zone)
        if digest.is_empty:
            await self.done(actor, digest.day, holder)
            return None
        return digest

    async def done(
        self, actor: DeskActor, day: date, holder: str, failure: DigestFailure | None = None
    ) -> None:
        """Note that a digest was sent, or why it cannot be. Raises ``not_found`` for a day that the
        bot ``holder`` does not hold."""
        require(actor, Permission.DELIVER_DIGEST)
        async with self._changes.database.writing() as session:
            row = await session.get(DigestDay, (actor.team_id, day))
            if row is None or row.holder != holder[:40]:
                raise UnmaskError("not_found", "This bot has no digest of that day.")
            if row.done_at is None:
                row.done_at, row.failure = self._changes.clock(), failure

    async def last(self, actor: DeskActor) -> DigestDayRecord | None:
        """How the last digest went; None before the first."""
        require(actor, Permission.READ_CASES)
        query = (
            sa.select(DigestDay)
            .where(DigestDay.team_id == actor.team_id)
            .order_by(DigestDay.day.desc())
            .limit(1)
        )
        async with self._changes.database.reading() as session:
            row = await session.scalar(query)
        if row is None:
            return None
        return DigestDayRecord(day=row.day, done=row.done_at is not None, failure=row.failure)

    async def forget_old(self) -> None:
        """Remove the rows of days long over; for the nightly sweep."""
        async with self._changes.database.writing() as session:
            old = DigestDay.taken_at < self._changes.clock() - _KEPT
            await session.execute(sa.delete(DigestDay).where(old))

    async def _hold(self, team_id: int, day: date, holder: str, now: datetime) -> bool:
        """Whether the bot may send the digest of a day; then it holds the day."""
        holder = holder[:40]
        is_it = (DigestDay.team_id == team_id, DigestDay.day == day)
        async with self._changes.database.reading() as session:
            row = await session.scalar(sa.select(DigestDay).where(*is_it))
        if row is not None and row.done_at is not None:  # the answer of most minutes of a day
            return False
        async with self._changes.database.writing() as session:
            await insert_missing(
                session, DigestDay, team_id=team_id, day=day, holder=holder, taken_at=now
            )
            held = await session.execute(
                sa.update(DigestDay)
                .where(*is_it, DigestDay.done_at.is_(None))
                .where(sa.or_(DigestDay.holder == holder, DigestDay.taken_at <= now - PATIENCE))
                .values(holder=holder, taken_at=now)
                .returning(DigestDay.day)
            )
            return held.first() is not None

    async def _digest(self, team: TeamRecord, chat: int, day: date, zone: ZoneInfo) -> Digest:
        actor = machine_of(team.id, team.slug)
        midnight = datetime.combine(day, time(), zone)
        yesterday = datetime.combine(day - timedelta(days=1), time(), zone)
        queue = self._queue
        decided = {
            verdict: await queue.count(
                actor,
                CaseFilter(
                    state=DECIDED_STATES,
                    verdict=(verdict,),
                    decided_from=yesterday,
                    decided_to=midnight,
                ),
            )
            for verdict in HumanVerdict
        }
        opened = CaseFilter(state=tuple(CaseState), created_from=yesterday, created_to=midnight)
        second, overdue = CaseFilter(state=(CaseState.SECOND,)), CaseFilter(overdue=True)
        seq, head = await self._head(team.id)
        return Digest(
            day=day,
            chat=chat,
            team=team.name,
            locale=team.locale,
            new=await queue.count(actor, CaseFilter(state=(CaseState.NEW,))),
            claimed=await queue.count(actor, CaseFilter(state=(CaseState.CLAIMED,))),
            second=await queue.count(actor, second),
            overdue=await queue.count(actor, overdue),
            opened=await queue.count(actor, opened),
            decided={verdict: number for verdict, number in decided.items() if number},
            second_cases=await self._named(actor, second, Sort.OLDEST, NAMED),
            overdue_cases=await self._named(actor, overdue, Sort.DUE, NAMED),
            oldest=next(iter(await self._named(actor, CaseFilter(), Sort.OLDEST, 1)), None),
            entries=seq,
            head=head,
        )

    async def _named(
        self, actor: DeskActor, wanted: CaseFilter, sort: Sort, most: int
    ) -> tuple[DigestCase, ...]:
        page = await self._queue.page(actor, wanted, sort, limit=most)
        return tuple(_case(case) for case in page.cases)

    async def _head(self, team_id: int) -> tuple[int, str]:
        async with self._changes.database.reading() as session:
            head = await session.get_one(HistoryHead, team_id)
        return head.seq, head.hash


def _case(case: CaseRecord) -> DigestCase:
    return DigestCase(number=case.number, title=case.title, since=case.created)
