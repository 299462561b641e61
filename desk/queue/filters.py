"""What cases to show, and in which order."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy.orm import InstrumentedAttribute

from desk.actors import DeskActor
from desk.models import Case, CaseTag, Opinion, Sighting, Tag, Watch
from desk.models.cases import ALIVE, OPEN
from desk.vocabulary import OPEN_STATES, CaseState, HumanVerdict, Review
from unmask.errors import UnmaskError
from unmask.report import Verdict

Condition = sa.ColumnElement[bool]


class Sort(StrEnum):
    """The order of a page."""

    RANK = "rank"  # priority, due date, suspicion, sightings: what to take next
    SUSPICION = "suspicion"
    SIGHTINGS = "sightings"
    DUE = "due"  # only cases that have a date, the first to come first
    NEWEST = "newest"
    OLDEST = "oldest"
    DECIDED = "decided"  # the one decided last first


class CaseFilter(BaseModel):
    """Which cases; what is not set does not narrow. Without ``state`` it is the open queue.

    ``mine`` are cases that the actor holds, ``unclaimed`` those that nobody does, ``second_for_me``
    those whose second opinion or tie the actor may give; ``host`` is of pages where they were seen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: tuple[CaseState, ...] = OPEN_STATES
    verdict: tuple[HumanVerdict, ...] = ()
    machine: tuple[Verdict, ...] = ()
    tag: tuple[str, ...] = Field((), max_length=10)
    q: str = Field("", max_length=300)
    mine: bool = False
    unclaimed: bool = False
    claimed_by: int | None = None
    second_for_me: bool = False
    watched: bool = False
    overdue: bool = False
    sensitive: bool | None = None
    overruled: bool | None = None
    priority_from: int | None = Field(None, ge=0, le=3)
    suspicion_from: int | None = Field(None, ge=-1, le=100)
    suspicion_to: int | None = Field(None, ge=-1, le=100)
    created_from: datetime | None = None
    created_to: datetime | None = None
    decided_from: datetime | None = None
    decided_to: datetime | None = None
    host: str | None = Field(None, max_length=255)

    @field_validator("state", mode="before")
    @classmethod
    def _some(cls, value: Any) -> Any:
        return value or OPEN_STATES

    @field_validator("created_from", "created_to", "decided_from", "decided_to")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


#: Each field of a filter that is one condition by itself, as a function of its value.
_SIMPLE: dict[str, Callable[[Any], Condition]] = {
    "verdict": Case.verdict.in_,
    "machine": Case.machine_verdict.in_,
    "claimed_by": lambda value: Case.claimed_by == value,
    "sensitive": Case.sensitive.is_,
    "priority_from": lambda value: Case.priority >= value,
    "suspicion_from": lambda value: Case.suspicion >= value,
    "suspicion_to": lambda value: Case.suspicion <= value,
    "created_from": lambda value: Case.created >= value,
    "created_to": lambda value: Case.created < value,
    "decided_from": lambda value: Case.decided_at >= value,
    "decided_to": lambda value: Case.decided_at < value,
}


def conditions(
    wanted: CaseFilter, actor: DeskActor, now: datetime, *, joined: bool = False
) -> list[Condition]:
    """The conditions of a filter, but for the words of its search; with ``joined`` also for cases
    that were joined to another."""
    states = [_of_states(set(wanted.state), now)] if joined else _states(wanted, now)
    found = [Case.team_id == actor.team_id, *states]
    for name, condition in _SIMPLE.items():
        value = getattr(wanted, name)
        if value not in (None, ()):
            found.append(condition(value))
    if wanted.mine:
        found += [Case.claimed_by == actor.person_id, Case.claimed_until > now]
    if wanted.unclaimed:
        found.append(is_free(now))
    if wanted.second_for_me:
        found += [Case.state == CaseState.SECOND, may_judge(actor.person_id)]
    if wanted.overdue:
        found.append(Case.due_at < now)
    if wanted.overruled is not None:
        found.append(_overruled() if wanted.overruled else sa.not_(_overruled()))
    found += _elsewhere(wanted, actor)
    return found


def is_free(now: datetime) -> Condition:
    """Whether nobody holds the case now."""
    return sa.or_(Case.claimed_by.is_(None), Case.claimed_until <= now)


def has_no_opinion(person_id: int | None) -> Condition:
    """Whether a person has given no opinion in the case's present round."""
    own = sa.exists().where(
        Opinion.case_id == Case.id,
        Opinion.round == Case.round,
        Opinion.person_id == person_id,
    )
    return sa.not_(own)


def may_judge(person_id: int | None) -> Condition:
    """Whether a person may give the second opinion, or help to settle a tie."""
    return sa.or_(Case.review == Review.TIE, has_no_opinion(person_id))


def _states(wanted: CaseFilter, now: datetime) -> list[Condition]:
    """The conditions of the states. A partial index is used only for its own condition, written as
    it was made, so that stands beside a narrower one."""
    states = set(wanted.state)
    found: list[Condition] = []
    if states <= set(OPEN_STATES):
        found.append(cast("Condition", OPEN))
        if states == set(OPEN_STATES):
            return found
    else:
        found.append(cast("Condition", ALIVE))
        if states == set(CaseState):
            return found
    return [*found, _of_states(states, now)]


def _of_states(states: set[CaseState], now: datetime) -> Condition:
    """Whether a case is in one of the states now: a claim that lapsed counts as new."""
    lapsed = sa.and_(Case.state == CaseState.CLAIMED, Case.claimed_until <= now)
    held = sa.and_(Case.state == CaseState.CLAIMED, Case.claimed_until > now)
    parts: list[Condition] = [Case.state.in_(sorted(states - {CaseState.CLAIMED}))]
    parts += [held] if CaseState.CLAIMED in states else []
    parts += [lapsed] if CaseState.NEW in states else []
    return sa.or_(*parts)


def _overruled() -> Condition:
    fakes = (HumanVerdict.MANIPULATED, HumanVerdict.GENERATED)
    return sa.or_(
        sa.and_(Case.machine_verdict == Verdict.FAKE, Case.verdict == HumanVerdict.AUTHENTIC),
        sa.and_(Case.machine_verdict == Verdict.REAL, Case.verdict.in_(fakes)),
    )


def _elsewhere(wanted: CaseFilter, actor: DeskActor) -> list[Condition]:
    """The conditions that look into other tables."""
    found: list[Condition] = []
    for name in wanted.tag:
        tagged = (
            sa.select(CaseTag.case_id)
            .join(Tag, Tag.id == CaseTag.tag_id)
            .where(Tag.team_id == actor.team_id, Tag.name == name.strip().casefold())
        )
        found.append(Case.id.in_(tagged))
    if wanted.watched:
        watched = sa.select(Watch.case_id).where(Watch.person_id == actor.person_id)
        found.append(Case.id.in_(watched))
    if wanted.host:
        host = wanted.host.strip().lower().removeprefix("www.")
        seen = sa.select(Sighting.case_id).where(
            Sighting.team_id == actor.team_id, Sighting.page_host == host
        )
        found.append(Case.id.in_(seen))
    return found


@dataclass(frozen=True)
class Order:
    """A sort as the database knows it: a column, then the case's number of row."""

    column: InstrumentedAttribute[Any]
    descending: bool = True

    def clauses(self) -> tuple[sa.ColumnElement[Any], ...]:
        """What to sort by."""
        columns = (Case.id,) if self.column is Case.id else (self.column, Case.id)
        return tuple(c.desc() if self.descending else c.asc() for c in columns)

    def after(self, cursor: str) -> Condition:
        """What comes after a cursor; raises ``bad_request`` for one that no page gave."""
        value, last = _read_cursor(cursor, is_time=isinstance(self.column.type, sa.TypeDecorator))
        if self.column is Case.id:
            return Case.id < last if self.descending else Case.id > last
        pair = sa.tuple_(self.column, Case.id)
        # a literal on its own would have no type: that of the column
        end = sa.tuple_(sa.literal(value, self.column.type), sa.literal(last, Case.id.type))
        return pair < end if self.descending else pair > end

    def cursor(self, case: Case) -> str:
        """Where a page that ends with this case ended."""
        value = getattr(case, self.column.key)
        value = value.isoformat() if isinstance(value, datetime) else value
        return base64.urlsafe_b64encode(json.dumps([value, case.id]).encode()).decode().rstrip("=")


ORDERS = {
    Sort.RANK: Order(Case.rank),
    Sort.SUSPICION: Order(Case.suspicion),
    Sort.SIGHTINGS: Order(Case.sightings),
    Sort.DUE: Order(Case.due_at, descending=False),
    Sort.NEWEST: Order(Case.id),
    Sort.OLDEST: Order(Case.id, descending=False),
    Sort.DECIDED: Order(Case.decided_at),
}
#: Sorts by a column that may be empty leave out the cases where it is.
NEEDED = {Sort.DUE: Case.due_at, Sort.DECIDED: Case.decided_at}


def _read_cursor(cursor: str, *, is_time: bool) -> tuple[Any, int]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        value, last = json.loads(base64.urlsafe_b64decode(padded))
        if not isinstance(last, int) or isinstance(last, bool):
            raise ValueError("not a number of a row")
        if is_time:
            return datetime.fromisoformat(value), last
        if not isinstance(value, int):
            raise ValueError("not a number")
    except (ValueError, TypeError) as error:
        message = "The cursor is not one that a page gave."
        raise UnmaskError("bad_request", message, field="cursor") from error
    return value, last
