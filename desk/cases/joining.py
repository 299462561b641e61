"""Two cases about one picture become one, and come apart again if that was wrong."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from desk.actors import DeskActor
from desk.cases.opening import open_case
from desk.cases.records import CaseRecord
from desk.cases.work import (
    conflict,
    let_go,
    load_case,
    rank_of,
    record_of,
    require_not_held_by_another,
    set_quietly,
    watch,
)
from desk.changes import Change, Changes
from desk.models import Case, Picture, Report, Sighting, Suggestion
from desk.vocabulary import DECIDED_STATES, Action, SuggestionState
from unmask.errors import UnmaskError
from unmask.permissions import Permission, require


class Joining:
    """Joins and splits cases, and answers suggestions that two show one picture."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def join(
        self, actor: DeskActor, number: int, into: int, version: int | None = None
    ) -> CaseRecord:
        """Join case ``number`` into case ``into``, which gets its pictures and sightings.

        Opinions and comments stay with the joined case, which points to the other. Raises
        ``conflict`` if another person holds it, or if it is decided and the other is not, or is
        decided otherwise; ``not_found``, ``bad_request``.
        """
        require(actor, Permission.WORK_ON_CASE)
        if number == into:
            raise UnmaskError("bad_request", "A case cannot be joined to itself.")
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number, version)
            target = await load_case(change, into)
            await _require_joinable(change, case, target)
            await join(change, case, target)
            return await record_of(change, target)

    async def split(self, actor: DeskActor, number: int, pictures: Collection[int]) -> CaseRecord:
        """Take pictures out of a case, with their sightings; returns the case that has them now.

        That is the joined case which they came from, or a new one. The pair is never suggested
        again. Raises ``bad_request`` for pictures of another case, or for all of them.
        """
        require(actor, Permission.WORK_ON_CASE)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number)
            await require_not_held_by_another(change, case)
            of_case = await _pictures(change, case)
            wanted = [picture for picture in of_case if picture.id in set(pictures)]
            if not wanted or len(wanted) != len(set(pictures)) or len(wanted) == len(of_case):
                message = "Name some of the case's pictures, but not all."
                raise UnmaskError("bad_request", message, pictures=[p.id for p in of_case])
            other = await _revived(change, case, wanted) or await _opened(change, case, wanted)
            await _hand_over(change, wanted, other)
            if case.picture_id in {picture.id for picture in wanted}:
                left = next(picture for picture in of_case if picture not in wanted)
                case.picture_id = left.id
            await _recount(change, case)
            await _recount(change, other)
            await _resolve(change, case, other, SuggestionState.REFUSED)
            data = {"into": other.number, "pictures": [picture.id for picture in wanted]}
            case.updated = other.updated = change.now
            await change.record(Action.CASE_SPLIT, case, data)
            await change.record(Action.CASE_SPLIT, other, {"from": case.number})
            return await record_of(change, other)

    async def refuse(self, actor: DeskActor, number: int, other: int) -> None:
        """Say that two cases do not show one picture: they are never suggested again."""
        require(actor, Permission.WORK_ON_CASE)
        async with self._changes.begin(actor) as change:
            case, against = await load_case(change, number), await load_case(change, other)
            await _resolve(change, case, against, SuggestionState.REFUSED)
            await change.record(Action.SUGGESTION_REFUSED, case, {"other": other})


async def join(change: Change, case: Case, target: Case) -> None:
    """Join a case into another in a change that is under way."""
    pictures = await _pictures(change, case)
    await _hand_over(change, pictures, target)
    await change.count({f"state:{case.state}": -1})
    let_go(case)
    case.joined_into = target.id
    case.updated = target.updated = change.now
    # those that were joined to it before point on, so that a pointer is always one step
    await change.session.execute(
        sa.update(Case)
        .where(Case.team_id == change.team_id, Case.joined_into == case.id)
        .values(joined_into=target.id)
    )
    for person_id in await change.watchers(case):
        await watch(change, target, person_id)
    await _recount(change, target)
    await _resolve(change, case, target, SuggestionState.ACCEPTED)
    data = {"into": target.number, "pictures": [picture.id for picture in pictures]}
    await change.record(Action.CASE_JOINED, case, data)
    await change.record(Action.CASE_JOINED, target, {"from": case.number})


async def _require_joinable(change: Change, case: Case, target: Case) -> None:
    await require_not_held_by_another(change, case)
    if case.state not in DECIDED_STATES:
        return
    if target.state not in DECIDED_STATES:
        message = f"Case {case.number} is decided: join case {target.number} into it instead."
        raise await conflict(change, case, message)
    if case.verdict is not target.verdict:
        message = "The two cases have different verdicts: reopen one of them first."
        raise await conflict(change, case, message)


async def _pictures(change: Change, case: Case) -> list[Picture]:
    query = sa.select(Picture).where(Picture.case_id == case.id).order_by(Picture.id)
    return list(await change.session.scalars(query))


async def _hand_over(change: Change, pictures: Sequence[Picture], to: Case) -> None:
    """Give pictures, and where they were seen, to a case."""
    await change.session.flush()
    for picture in pictures:
        picture.case_id = to.id
    ids = [picture.id for picture in pictures]
    await change.session.execute(
        sa.update(Sighting).where(Sighting.picture_id.in_(ids)).values(case_id=to.id)
    )
    await change.session.flush()


async def _revived(change: Change, case: Case, pictures: Sequence[Picture]) -> Case | None:
    """The case that was joined to ``case`` and is about one of the pictures, as it was then."""
    ids = [picture.id for picture in pictures]
    other = await change.session.scalar(
        sa.select(Case)
        .where(Case.joined_into == case.id, Case.picture_id.in_(ids))
        .order_by(Case.id)
        .limit(1)
    )
    if other is not None:
        other.joined_into = None
        await change.count({f"state:{other.state}": 1})
    return other


async def _opened(change: Change, case: Case, pictures: Sequence[Picture]) -> Case:
    report = await change.session.scalar(
        sa.select(Report).where(Report.picture_id == pictures[0].id).order_by(Report.id).limit(1)
    )
    verdict = report.verdict if report is not None else case.machine_verdict
    probability = report.fake_probability if report is not None else None
    other = await open_case(change, verdict, probability, {"split_from": case.number})
    other.picture_id = pictures[0].id
    return other


async def _recount(change: Change, case: Case) -> None:
    """Count a case's sightings again, after pictures came or went."""
    query = sa.select(sa.func.count(), sa.func.max(Sighting.seen_at))
    row = (await change.session.execute(query.where(Sighting.case_id == case.id))).one()
    rank = rank_of(case, row[0])
    await set_quietly(change, case, sightings=row[0], last_sighting_at=row[1], rank=rank)


async def _resolve(change: Change, one: Case, other: Case, state: SuggestionState) -> None:
    """Write down what became of a suggestion, also where none was made."""
    low, high = sorted((one.id, other.id))
    row = await change.session.scalar(
        sa.select(Suggestion).where(
            Suggestion.team_id == change.team_id,
            Suggestion.case_a == low,
            Suggestion.case_b == high,
        )
    )
    if row is None:
        row = Suggestion(
            team_id=change.team_id, case_a=low, case_b=high, distance=0, created=change.now
        )
        change.session.add(row)
    row.state, row.resolved_by = state, change.actor.reference
    row.resolved_at = change.now
    await change.session.flush()
