"""Pages of the queue, and how many cases are in which state."""

from __future__ import annotations

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from desk.actors import DeskActor
from desk.cases.records import CaseRecord, records_of
from desk.changes import Changes
from desk.models import Case, Counter
from desk.queue.filters import NEEDED, ORDERS, CaseFilter, Condition, Sort, conditions, may_judge
from desk.queue.search import MAX_MATCHES, matching_cases
from desk.vocabulary import CaseState
from unmask.permissions import Permission, require

MAX_LISTED = 200
#: Cases of a filter are counted up to here.
MAX_COUNTED = 10_000


class CasePage(BaseModel):
    """Some cases, and the cursor of the next ones (None at the end). ``is_cut`` says that a search
    found more than the newest thousand, among which alone the rest of the filter was applied."""

    model_config = ConfigDict(frozen=True)

    cases: tuple[CaseRecord, ...]
    cursor: str | None
    is_cut: bool = False


class Counts(BaseModel):
    """How many cases are in each state, how many the actor holds, and how many wait for an opinion
    that the actor may give."""

    model_config = ConfigDict(frozen=True)

    states: dict[CaseState, int]
    mine: int
    second_for_me: int


class Queue:
    """Lists and counts a team's cases."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def page(
        self,
        actor: DeskActor,
        wanted: CaseFilter,
        sort: Sort = Sort.RANK,
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> CasePage:
        """A page of at most ``limit`` (200) cases; raises ``bad_request`` for an odd cursor."""
        require(actor, Permission.READ_CASES)
        order, most = ORDERS[sort], min(max(limit, 1), MAX_LISTED)
        now = self._changes.clock()
        async with self._changes.database.reading() as session:
            where = conditions(wanted, actor, now)
            ids = await searched(session, actor, wanted)
            if ids is not None:
                where.append(Case.id.in_(ids))
            if sort in NEEDED:
                where.append(NEEDED[sort].is_not(None))
            if cursor is not None:
                where.append(order.after(cursor))
            query = sa.select(Case).where(*where).order_by(*order.clauses()).limit(most + 1)
            cases = list(await session.scalars(query))
            shown = cases[:most]
            records = await records_of(session, actor.team_id, shown, now)
        more = len(cases) > most
        return CasePage(
            cases=tuple(records),
            cursor=order.cursor(shown[-1]) if more else None,
            is_cut=ids is not None and len(ids) >= MAX_MATCHES,
        )

    async def count(self, actor: DeskActor, wanted: CaseFilter) -> int:
        """How many cases a filter has, at most 10,000."""
        require(actor, Permission.READ_CASES)
        async with self._changes.database.reading() as session:
            where = await self._where(session, actor, wanted)
            inner = sa.select(Case.id).where(*where).limit(MAX_COUNTED).subquery()
            return await session.scalar(sa.select(sa.func.count()).select_from(inner)) or 0

    async def counts(self, actor: DeskActor) -> Counts:
        """The numbers beside the queue's tabs, from counters and small indexes."""
        require(actor, Permission.READ_CASES)
        now = self._changes.clock()
        async with self._changes.database.reading() as session:
            rows = await session.execute(
                sa.select(Counter.key, Counter.n).where(Counter.team_id == actor.team_id)
            )
            numbers = {row.key: row.n for row in rows}
            mine = sa.select(sa.func.count()).where(
                Case.team_id == actor.team_id,
                Case.claimed_by == actor.person_id,
                Case.claimed_until > now,
            )
            second = sa.select(sa.func.count()).where(
                *conditions(CaseFilter(state=(CaseState.SECOND,)), actor, now),
                may_judge(actor.person_id),
            )
            return Counts(
                states={state: numbers.get(f"state:{state}", 0) for state in CaseState},
                mine=await session.scalar(mine) or 0,
                second_for_me=await session.scalar(second) or 0,
            )

    async def numbers(self, actor: DeskActor, wanted: CaseFilter, most: int) -> list[int]:
        """The numbers of at most ``most`` cases of a filter, in the queue's order."""
        require(actor, Permission.READ_CASES)
        async with self._changes.database.reading() as session:
            where = await self._where(session, actor, wanted)
            query = sa.select(Case.number).where(*where).order_by(Case.rank.desc(), Case.id.desc())
            return list(await session.scalars(query.limit(most)))

    async def _where(
        self, session: AsyncSession, actor: DeskActor, wanted: CaseFilter
    ) -> list[Condition]:
        """The conditions of a filter at this moment, with its words."""
        where = conditions(wanted, actor, self._changes.clock())
        ids = await searched(session, actor, wanted)
        return where if ids is None else [*where, Case.id.in_(ids)]


async def searched(session: AsyncSession, actor: DeskActor, wanted: CaseFilter) -> list[int] | None:
    """The rows that a filter's words are found in; None if it has no words."""
    if not wanted.q.strip():
        return None
    return await matching_cases(session, actor.team_id, wanted.q)
