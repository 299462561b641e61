"""Putting a case aside without a verdict, and taking it up again."""

from __future__ import annotations

from desk.actors import DeskActor
from desk.cases.records import CaseRecord
from desk.cases.work import (
    let_go,
    load_case,
    move,
    record_of,
    require_not_held_by_another,
    require_state,
)
from desk.changes import Change, Changes
from desk.models import Case
from desk.text import checked
from desk.vocabulary import OPEN_STATES, Action, CaseState, DismissReason, Review
from unmask.permissions import Permission, Role, require


class Closing:
    """Dismisses and restores cases."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def dismiss(
        self,
        actor: DeskActor,
        number: int,
        reason: DismissReason,
        note: str = "",
        version: int | None = None,
    ) -> CaseRecord:
        """Put an open case aside; raises ``conflict`` if another person holds it."""
        require(actor, Permission.WORK_ON_CASE)
        note = checked(note, "note", most=1_000)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number, version)
            await dismiss(change, case, reason, note)
            return await record_of(change, case)

    async def restore(
        self, actor: DeskActor, number: int, version: int | None = None
    ) -> CaseRecord:
        """Make a dismissed case new again."""
        require(actor, Permission.WORK_ON_CASE)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number, version)
            await require_state(change, case, (CaseState.DISMISSED,))
            await move(change, case, CaseState.NEW)
            case.dismissed_for = None
            case.round += 1  # opinions of before stay with their round
            await change.record(Action.CASE_RESTORED, case)
            return await record_of(change, case)


async def dismiss(change: Change, case: Case, reason: DismissReason, note: str = "") -> None:
    """Put a case aside in a change that is under way."""
    await require_state(change, case, OPEN_STATES)
    if change.actor.role is not Role.ADMIN:
        await require_not_held_by_another(change, case)
    await move(change, case, CaseState.DISMISSED)
    case.dismissed_for, case.review = reason, Review.NONE
    let_go(case)
    await change.record(Action.CASE_DISMISSED, case, {"reason": str(reason)}, note or None)
