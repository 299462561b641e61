"""What is done each night: cases whose time is over are erased, lapsed claims are ended, counters
are counted again, and what is only kept for a while is removed."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

import sqlalchemy as sa

from desk.accounts import Sessions
from desk.accounts.lockout import Lockout
from desk.accounts.teams import TeamRecord, Teams
from desk.actors import DeskActor, machine_of
from desk.cases.records import is_lapsed
from desk.cases.work import end_lapsed_claim
from desk.changes import Changes, Repeated
from desk.models import Case, Counter, DoneRequest, Link, Notice, Submission
from desk.outgoing import Digests, Dispatcher, Webhooks
from desk.pictures import Intake, Keep
from desk.retention.erasing import EraseReason, Erasing
from desk.vocabulary import OPEN_STATES, CaseState
from unmask.errors import UnmaskError

_log = logging.getLogger(__name__)
#: Cases that are erased, and claims that are ended, in one round of a team.
_BATCH = 200
#: Read notices, used links and finished submissions are kept so long.
KEPT = timedelta(days=30)
#: Seconds between two looks at checks that were sent, and between two sweeps.
INTAKE_INTERVAL, SWEEP_INTERVAL = 15.0, 86_400.0


class Sweeper:
    """Keeps house; one task of each server. Two that sweep at once do no harm."""

    def __init__(
        self,
        changes: Changes,
        teams: Teams,
        erasing: Erasing,
        keep: Keep,
        intake: Intake,
        sessions: Sessions,
        lockout: Lockout,
        webhooks: Webhooks,
        dispatcher: Dispatcher,
        digests: Digests,
    ) -> None:
        self._changes = changes
        self._teams = teams
        self._erasing = erasing
        self._keep = keep
        self._forgetting = (
            sessions.forget_old,
            lockout.forget_old,
            webhooks.forget_old,
            digests.forget_old,
        )
        self._dispatcher = dispatcher
        self._tasks = (
            Repeated("intake", intake.finish_pending, INTAKE_INTERVAL, once=True),
            Repeated("sweep", self.sweep, SWEEP_INTERVAL),
        )

    def start(self) -> None:
        """Begin: what was sent before the start is looked at first."""
        for task in self._tasks:
            task.start()

    async def close(self) -> None:
        """Stop after what is under way."""
        for task in self._tasks:
            await task.close()

    async def sweep(self) -> int:
        """Do a night's work; returns how many cases were erased."""
        erased = 0
        for team in await self._teams.list():
            actor = machine_of(team.id, team.slug)
            erased += await self._erase_old(team, actor)
            await self._end_lapsed(actor)
            await self._recount(actor)
            await self._keep.delete_orphans(team.id, time.time())
        await self._forget_old()
        for forget in (*self._forgetting, self._dispatcher.forget_old):
            await forget()
        await self._optimize()
        return erased

    async def _erase_old(self, team: TeamRecord, actor: DeskActor) -> int:
        """Erase the cases whose time is over. A published one stays until it is withdrawn."""
        now, erased = self._changes.clock(), 0
        undecided = now - timedelta(days=team.settings.retention_days)
        decided = now - timedelta(days=team.settings.decided_retention_days)
        over = sa.or_(
            sa.and_(Case.state.in_((*OPEN_STATES, CaseState.DISMISSED)), Case.updated < undecided),
            sa.and_(Case.state == CaseState.DECIDED, Case.updated < decided),
        )
        query = (
            sa.select(Case.number)
            .where(Case.team_id == team.id, over, Case.joined_into.is_(None))
            .where(Case.legal_hold.is_(False))
            .order_by(Case.id)
            .limit(_BATCH)
        )
        async with self._changes.database.reading() as session:
            numbers = list(await session.scalars(query))
        for number in numbers:
            try:
                await self._erasing.erase(actor, number, EraseReason.RETENTION)
                erased += 1
            except UnmaskError as error:  # a joined case is under legal hold, or it is gone
                _log.info("desk: case %d of team %d stays (%s)", number, team.id, error.code)
        return erased

    async def _end_lapsed(self, actor: DeskActor) -> None:
        async with self._changes.begin(actor) as change:
            cases = await change.session.scalars(
                sa.select(Case)
                .where(Case.team_id == actor.team_id, Case.claimed_until <= change.now)
                .limit(_BATCH)
            )
            for case in cases.all():
                if is_lapsed(case, change.now):
                    await end_lapsed_claim(change, case)

    async def _recount(self, actor: DeskActor) -> None:
        """Count the cases again, in case a counter went wrong."""
        async with self._changes.begin(actor) as change:
            rows = await change.session.execute(
                sa.select(Case.state, sa.func.count())
                .where(Case.team_id == actor.team_id, Case.joined_into.is_(None))
                .group_by(Case.state)
            )
            right = {f"state:{state}": count for state, count in rows}
            counters = await change.session.scalars(
                sa.select(Counter).where(Counter.team_id == actor.team_id)
            )
            for counter in counters.all():
                number = right.pop(counter.key, 0)
                if counter.n != number:
                    _log.warning("desk: the counter %s was wrong", counter.key)
                    counter.n = number
            for key, count in right.items():
                change.session.add(Counter(team_id=actor.team_id, key=key, n=count))

    async def _forget_old(self) -> None:
        limit: datetime = self._changes.clock() - KEPT
        async with self._changes.database.writing() as session:
            await session.execute(sa.delete(Link).where(Link.expires < limit))
            await session.execute(sa.delete(Notice).where(Notice.read_at < limit))
            await session.execute(sa.delete(DoneRequest).where(DoneRequest.at < limit))
            failed = sa.and_(Submission.error.is_not(None), Submission.done_at < limit)
            await session.execute(sa.delete(Submission).where(failed))

    async def _optimize(self) -> None:
        """Let SQLite rewrite its search, where deleted words would otherwise stay for a while."""
        if self._changes.database.is_sqlite:
            async with self._changes.database.writing() as session:
                await session.execute(
                    sa.text("INSERT INTO case_search(case_search) VALUES ('optimize')")
                )
