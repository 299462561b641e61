"""What a team did in a time: throughput, time to verdict, agreement, people against the machine."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from desk.actors import DeskActor
from desk.changes import Changes
from desk.models import Case, HistoryHead, Opinion, Sighting
from desk.models.cases import OPEN
from desk.vocabulary import DECIDED_STATES, CaseState, HumanVerdict, OpinionRole
from unmask.permissions import Permission, require
from unmask.report import Verdict

MAX_DAYS = 366
#: Pairs of opinions from which agreement is told: below, an interval says nothing.
MIN_PAIRS = 30
#: Decided cases whose times are looked at.
_MAX_CASES = 20_000
_Z = 1.96
#: Cases that a digest names, and sightings in a day from which one is named as trending.
_MAX_TOLD, _TRENDING = 5, 10


class Day(BaseModel):
    """One day, in UTC: cases opened and decided, sightings."""

    model_config = ConfigDict(frozen=True)

    day: date
    opened: int
    decided: int
    sightings: int


class Agreement(BaseModel):
    """How often the second opinion was the first one's verdict: the share and Cohen's kappa, each
    with the bounds of its 95 % interval (Wilson 1927; Fleiss, Cohen and Everitt 1969)."""

    model_config = ConfigDict(frozen=True)

    pairs: int
    share: float | None = None
    share_low: float | None = None
    share_high: float | None = None
    kappa: float | None = None
    kappa_low: float | None = None
    kappa_high: float | None = None


class Statistics(BaseModel):
    """A team's figures. ``hours_to_verdict`` are the quartiles from the opening of a case to its
    verdict; ``against_machine`` counts verdicts by the machine's."""

    model_config = ConfigDict(frozen=True)

    days: tuple[Day, ...]
    hours_to_verdict: tuple[float, float, float] | None
    agreement: Agreement
    against_machine: dict[Verdict, dict[HumanVerdict, int]]


class Digest(BaseModel):
    """What a team is told once a day: of the last 24 hours, and of what waits now. Cases are told
    by number: those that wait longest, those overdue, and those that were seen often since."""

    model_config = ConfigDict(frozen=True)

    opened: int
    decided: int
    sightings: int
    waiting: int
    second_opinions: int
    waiting_longest: tuple[int, ...]
    overdue: tuple[int, ...]
    trending: tuple[int, ...]
    head: str


class Figures:
    """Counts for a team."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def of_team(self, actor: DeskActor, days: int = 30) -> Statistics:
        """The figures of the last ``days`` (1 to 366), today among them."""
        require(actor, Permission.READ_CASES)
        days = min(max(days, 1), MAX_DAYS)
        today = self._changes.clock().replace(hour=0, minute=0, second=0, microsecond=0)
        since = today - timedelta(days=days - 1)
        async with self._changes.database.reading() as session:
            opened = await _by_day(session, actor, Case.created, since)
            decided = await _by_day(session, actor, Case.decided_at, since)
            seen = await _by_day(session, actor, Sighting.seen_at, since)
            hours = await _hours(session, actor, since)
            pairs = await _pairs(session, actor, since)
            against = await _against(session, actor, since)
        dates = [(since + timedelta(days=n)).date() for n in range(days)]
        return Statistics(
            days=tuple(
                Day(day=day, opened=opened[day], decided=decided[day], sightings=seen[day])
                for day in dates
            ),
            hours_to_verdict=_quartiles(hours),
            agreement=agreement_of(pairs),
            against_machine=against,
        )

    async def digest(self, actor: DeskActor) -> Digest:
        """The daily digest, with the head of the history, which proves a change to its keeper."""
        require(actor, Permission.READ_CASES)
        now = self._changes.clock()
        since = now - timedelta(days=1)
        mine, is_open = Case.team_id == actor.team_id, sa.and_(OPEN)
        async with self._changes.database.reading() as session:
            head = await session.get(HistoryHead, actor.team_id)
            oldest = sa.select(Case.number).where(mine, is_open).order_by(Case.id)
            overdue = oldest.where(Case.due_at < now).order_by(None).order_by(Case.due_at)
            return Digest(
                opened=await _count(session, mine, Case.created >= since),
                decided=await _count(session, mine, Case.decided_at >= since),
                sightings=await _count(
                    session, Sighting.team_id == actor.team_id, Sighting.seen_at >= since
                ),
                waiting=await _count(session, mine, is_open),
                second_opinions=await _count(
                    session, mine, is_open, Case.state == CaseState.SECOND
                ),
                waiting_longest=tuple(await session.scalars(oldest.limit(_MAX_TOLD))),
                overdue=tuple(await session.scalars(overdue.limit(_MAX_TOLD))),
                trending=tuple(await session.scalars(_trending(actor, since))),
                head=head.hash if head is not None else "",
            )


async def _count(session: AsyncSession, *where: sa.ColumnElement[bool]) -> int:
    return await session.scalar(sa.select(sa.func.count()).where(*where)) or 0


def _trending(actor: DeskActor, since: datetime) -> sa.Select[Any]:
    often = (
        sa.select(Sighting.case_id, sa.func.count().label("times"))
        .where(Sighting.team_id == actor.team_id, Sighting.seen_at >= since)
        .group_by(Sighting.case_id)
        .having(sa.func.count() >= _TRENDING)
        .subquery()
    )
    return (
        sa.select(Case.number)
        .join(often, often.c.case_id == Case.id)
        .order_by(often.c.times.desc(), Case.id)
        .limit(_MAX_TOLD)
    )


def agreement_of(pairs: Sequence[tuple[HumanVerdict, HumanVerdict]]) -> Agreement:
    """The agreement of pairs of first and second opinions."""
    n = len(pairs)
    if n < MIN_PAIRS:
        return Agreement(pairs=n)
    share = sum(one is other for one, other in pairs) / n
    low, high = _wilson(share, n)
    first = Counter(one for one, _ in pairs)
    second = Counter(other for _, other in pairs)
    chance = sum(first[verdict] * second[verdict] for verdict in HumanVerdict) / n**2
    kappa, error = None, 0.0
    if chance < 1:
        kappa = (share - chance) / (1 - chance)
        error = _Z * math.sqrt(share * (1 - share) / n) / (1 - chance)
    return Agreement(
        pairs=n,
        share=share,
        share_low=low,
        share_high=high,
        kappa=kappa,
        kappa_low=max(kappa - error, -1.0) if kappa is not None else None,
        kappa_high=min(kappa + error, 1.0) if kappa is not None else None,
    )


def _wilson(share: float, n: int) -> tuple[float, float]:
    middle = share + _Z**2 / (2 * n)
    spread = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    return max((middle - spread) / scale, 0.0), min((middle + spread) / scale, 1.0)


async def _by_day(
    session: AsyncSession, actor: DeskActor, column: InstrumentedAttribute[Any], since: datetime
) -> Counter[date]:
    """How many rows there are of each day. Counted here: each database cuts days its own way."""
    table = column.class_
    query = sa.select(column).where(table.team_id == actor.team_id, column >= since)
    return Counter(at.date() for at in await session.scalars(query))


async def _hours(session: AsyncSession, actor: DeskActor, since: datetime) -> list[float]:
    query = (
        sa.select(Case.created, Case.decided_at)
        .where(Case.team_id == actor.team_id, Case.decided_at >= since)
        .order_by(Case.decided_at.desc())
        .limit(_MAX_CASES)
    )
    rows = await session.execute(query)
    times = [decided - created for created, decided in rows if decided is not None]
    return [time.total_seconds() / 3_600 for time in times]


async def _pairs(
    session: AsyncSession, actor: DeskActor, since: datetime
) -> list[tuple[HumanVerdict, HumanVerdict]]:
    first, second = aliased(Opinion), aliased(Opinion)
    rows = await session.execute(
        sa.select(first.verdict, second.verdict)
        .join(
            second,
            sa.and_(second.case_id == first.case_id, second.round == first.round),
        )
        .where(first.team_id == actor.team_id, first.role == OpinionRole.FIRST)
        .where(second.role == OpinionRole.SECOND, second.submitted_at >= since)
    )
    return [(one, other) for one, other in rows]


async def _against(
    session: AsyncSession, actor: DeskActor, since: datetime
) -> dict[Verdict, dict[HumanVerdict, int]]:
    rows = await session.execute(
        sa.select(Case.machine_verdict, Case.verdict, sa.func.count())
        .where(Case.team_id == actor.team_id, Case.decided_at >= since)
        .where(Case.state.in_(DECIDED_STATES))
        .group_by(Case.machine_verdict, Case.verdict)
    )
    found: dict[Verdict, dict[HumanVerdict, int]] = {}
    for machine, human, count in rows:
        if human is not None:
            found.setdefault(machine, {})[human] = count
    return found


def _quartiles(values: list[float]) -> tuple[float, float, float] | None:
    if not values:
        return None
    values = sorted(values)
    at = [values[round(share * (len(values) - 1))] for share in (0.25, 0.5, 0.75)]
    return at[0], at[1], at[2]
