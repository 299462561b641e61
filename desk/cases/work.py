"""What every change of a case begins with: the case as it stands, and whether that is expected."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value

from desk.accounts.members import names_of
from desk.cases.records import CaseRecord, is_lapsed, records_of
from desk.changes import Change
from desk.database import insert_missing
from desk.models import Case, Opinion, Watch
from desk.vocabulary import Action, CaseState
from unmask.errors import UnmaskError

#: A rank: the priority first, then whether it has a due date, the suspicion, the sightings.
_PRIORITY, _DUE, _SUSPICION, _MAX_SIGHTINGS = 10_000_000, 1_000_000, 1_000, 999


def rank_of(case: Case, sightings: int | None = None) -> int:
    """The place of a case in the queue, the greatest first; ``sightings`` replaces the case's."""
    seen = case.sightings if sightings is None else sightings
    return (
        case.priority * _PRIORITY
        + (_DUE if case.due_at is not None else 0)
        + (case.suspicion + 1) * _SUSPICION
        + min(seen, _MAX_SIGHTINGS)
    )


async def load_case(change: Change, number: int, version: int | None = None) -> Case:
    """The case to change, a lapsed claim of it ended. Nobody else changes it until the commit.

    Raises ``not_found``, and ``conflict`` if it has another ``version``, or was joined to another.
    """
    case = await change.session.scalar(
        sa.select(Case).where(Case.team_id == change.team_id, Case.number == number)
    )
    if case is None:
        raise UnmaskError("not_found", f"There is no case {number}.")
    return await prepare_case(change, case, version)


async def prepare_case(change: Change, case: Case, version: int | None = None) -> Case:
    """A case that was read in this change, ready to be changed as by :func:`load_case`."""
    number = case.number
    if case.joined_into is not None:
        other = await change.session.get_one(Case, case.joined_into)
        message = f"Case {number} was joined to case {other.number}."
        raise UnmaskError("conflict", message, case=number, joined_into=other.number)
    if version is not None and case.version != version:
        raise await conflict(change, case, f"Case {number} was changed meanwhile.")
    if is_lapsed(case, change.now):
        await end_lapsed_claim(change, case)
    return case


async def end_lapsed_claim(change: Change, case: Case) -> None:
    """Take a claim whose time is over off a case, and say so in the history.

    The version stays: who held the case may still send what was written, if nobody else came.
    """
    holder = case.claimed_by
    state = CaseState.NEW if case.state is CaseState.CLAIMED else case.state
    if state is not case.state:
        await change.count({f"state:{case.state}": -1, f"state:{state}": 1})
    await set_quietly(
        change, case, state=state, claimed_by=None, claimed_at=None, claimed_until=None
    )
    await change.record(Action.CASE_LAPSED, case, {"person": holder})


async def set_quietly(change: Change, case: Case, **values: Any) -> None:
    """Set columns of a case without a new version: no decision is made on what changes here."""
    await change.session.flush()
    table = Case.__table__
    await change.session.execute(
        sa.update(table).where(table.c.id == case.id).values(**values, updated=change.now)  # type: ignore[arg-type]
    )
    for name, value in (*values.items(), ("updated", change.now)):
        set_committed_value(case, name, value)


async def move(change: Change, case: Case, state: CaseState) -> None:
    """Put a case into a state, and count it there."""
    if state is not case.state:
        await change.count({f"state:{case.state}": -1, f"state:{state}": 1})
        case.state = state
    case.updated = change.now


def hold(change: Change, case: Case, person_id: int) -> None:
    """Give a case to a person for the team's time of a claim."""
    if case.claimed_by != person_id:
        case.claimed_at = change.now
    case.claimed_by = person_id
    case.claimed_until = change.now + timedelta(minutes=change.settings.claim_minutes)


def let_go(case: Case) -> None:
    """Take a case from the member who holds it."""
    case.claimed_by = case.claimed_at = case.claimed_until = None


async def require_state(change: Change, case: Case, states: Collection[CaseState]) -> None:
    """Raise ``conflict`` unless the case is in one of the states."""
    if case.state not in states:
        message = f"Case {case.number} is {case.state} now, so this cannot be done."
        raise await conflict(change, case, message)


async def require_not_held_by_another(change: Change, case: Case) -> None:
    """Raise ``conflict`` if another person holds the case."""
    if case.claimed_by not in (None, change.actor.person_id):
        names = await names_of(change.session, change.team_id)
        name, until = names.get(case.claimed_by or 0, ""), case.claimed_until
        message = f"Case {case.number} is claimed by {name} until {until:%H:%M} UTC."
        raise await conflict(change, case, message)


async def conflict(change: Change, case: Case, message: str) -> UnmaskError:
    """A ``conflict`` that tells how the case stands, who holds it, and since when."""
    names = await names_of(change.session, change.team_id)
    until = case.claimed_until
    return UnmaskError(
        "conflict",
        message,
        case=case.number,
        state=str(case.state),
        version=case.version,
        claimed_by=case.claimed_by,
        claimed_by_name=names.get(case.claimed_by) if case.claimed_by is not None else None,
        claimed_until=until.isoformat() if until is not None else None,
        updated=case.updated.isoformat(),
    )


async def opinions_in_round(change: Change, case: Case) -> list[Opinion]:
    """The opinions of the case's present round, oldest first."""
    query = (
        sa.select(Opinion)
        .where(Opinion.case_id == case.id, Opinion.round == case.round)
        .order_by(Opinion.id)
    )
    return list(await change.session.scalars(query))


async def watch(change: Change, case: Case, person_id: int) -> None:
    """Let a person know of what happens to a case."""
    with change.session.no_autoflush:  # the case is a row already: nothing to write before
        await insert_missing(change.session, Watch, case_id=case.id, person_id=person_id)


async def record_of(change: Change, case: Case) -> CaseRecord:
    """The case as it stands at the end of a change."""
    await change.session.flush()
    actor = change.actor
    known = {actor.person_id: actor.name} if actor.person_id is not None else {}
    return (await records_of(change.session, change.team_id, [case], change.now, known))[0]
