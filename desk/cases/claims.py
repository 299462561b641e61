"""Claiming a case: one person works on it, for a time."""

from __future__ import annotations

import sqlalchemy as sa

from desk.actors import DeskActor
from desk.cases.records import CaseRecord
from desk.cases.work import (
    conflict,
    hold,
    let_go,
    load_case,
    move,
    opinions_in_round,
    record_of,
    require_not_held_by_another,
    require_state,
    watch,
)
from desk.changes import Change, Changes
from desk.models import Case
from desk.vocabulary import OPEN_STATES, Action, CaseState, NoticeKind, Review
from unmask.errors import UnmaskError
from unmask.permissions import Permission, Role, require


class Claims:
    """Who works on which case. A claim lapses by itself after the team's ``claim_minutes``."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def claim(self, actor: DeskActor, number: int, version: int | None = None) -> CaseRecord:
        """Claim a case, or hold one's own longer.

        A case that waits for a second opinion is claimed by a person who has given none. Raises
        ``conflict`` if another person holds it, ``claim_limit``, ``second_opinion_due`` (one's own
        opinion is in), ``not_found``.
        """
        require(actor, Permission.WORK_ON_CASE)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number, version)
            await take(change, case)
            return await record_of(change, case)

    async def extend(self, actor: DeskActor, number: int) -> CaseRecord:
        """Hold one's own claim longer: a sign that the person works on the case.

        Raises ``conflict`` if the claim has lapsed or another person holds the case.
        """
        require(actor, Permission.WORK_ON_CASE)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number)
            if case.claimed_by != change.person_id:
                raise await conflict(change, case, f"You do not hold case {number} any more.")
            hold(change, case, change.person_id)
            return await record_of(change, case)

    async def release(
        self, actor: DeskActor, number: int, version: int | None = None
    ) -> CaseRecord:
        """Give a case back: one's own, or as an admin anybody's."""
        require(actor, Permission.WORK_ON_CASE)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number, version)
            if case.claimed_by is None:
                raise await conflict(change, case, f"Nobody has claimed case {number}.")
            if actor.role is not Role.ADMIN:
                await require_not_held_by_another(change, case)
            holder = case.claimed_by
            let_go(case)
            await move(
                change, case, CaseState.NEW if case.state is CaseState.CLAIMED else case.state
            )
            await change.record(Action.CASE_RELEASED, case, {"person": holder})
            return await record_of(change, case)

    async def take_over(
        self, actor: DeskActor, number: int, *, holder_is_present: bool = False
    ) -> CaseRecord:
        """Claim a case that another person holds; that person is told.

        An admin always may; a checker, unless the holder is present, that is has the case open
        right now. Raises as :meth:`claim` does.
        """
        require(actor, Permission.WORK_ON_CASE)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number)
            holder = case.claimed_by
            if holder is not None and holder != actor.person_id:
                if holder_is_present and actor.role is not Role.ADMIN:
                    await require_not_held_by_another(change, case)
                await change.notify([holder], NoticeKind.TAKEN_OVER, case)
                let_go(case)
            await take(change, case, taken_from=holder)
            return await record_of(change, case)


async def take(change: Change, case: Case, taken_from: int | None = None) -> None:
    """Give a case to the person who makes the change; raises as :meth:`Claims.claim` does."""
    person_id = change.person_id
    await require_state(change, case, OPEN_STATES)
    await require_not_held_by_another(change, case)
    if case.claimed_by == person_id:
        hold(change, case, person_id)
        case.updated = change.now
        return
    if case.review is Review.SECOND:
        opinions = await opinions_in_round(change, case)
        if any(opinion.person_id == person_id for opinion in opinions):
            message = "Your own opinion is in: the second one must be another person's."
            raise UnmaskError("second_opinion_due", message, case=case.number)
    await _require_room(change, person_id)
    await watch(change, case, person_id)
    hold(change, case, person_id)
    if case.state is CaseState.NEW:
        await move(change, case, CaseState.CLAIMED)
    case.updated = change.now
    data = {"from": taken_from} if taken_from not in (None, person_id) else {}
    await change.record(Action.CASE_CLAIMED, case, data)


async def _require_room(change: Change, person_id: int) -> None:
    query = sa.select(sa.func.count()).where(
        Case.team_id == change.team_id,
        Case.claimed_by == person_id,
        Case.claimed_until > change.now,
    )
    held, most = await change.session.scalar(query) or 0, change.settings.max_claims
    if held >= most:
        message = f"You have claimed {held} cases; {most} are the most. Decide or release one."
        raise UnmaskError("claim_limit", message, limit=most)
