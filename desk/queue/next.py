"""Claims the best open case for a person, or says why there is none."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from desk.actors import DeskActor
from desk.cases.claims import take
from desk.cases.records import CaseRecord
from desk.cases.work import prepare_case, record_of
from desk.changes import Change, Changes
from desk.models import Case
from desk.queue.filters import CaseFilter, Condition, conditions, has_no_opinion, is_free
from desk.queue.pages import searched
from desk.vocabulary import CaseState
from unmask.errors import UnmaskError
from unmask.permissions import Permission, require


class WhyNone(StrEnum):
    """Why there is no next case."""

    NONE_OPEN = "none_open"  # nothing fits the filter
    ALL_CLAIMED = "all_claimed"  # others hold what fits
    OPINION_OF_ANOTHER = "opinion_of_another"  # what is left needs a second opinion, not yours
    CLAIM_LIMIT = "claim_limit"


class NextCase(BaseModel):
    """The case that the person holds now; or None, with the reason, and how many cases fit but are
    ``claimed`` by others or wait for an opinion of ``another`` person."""

    model_config = ConfigDict(frozen=True)

    case: CaseRecord | None = None
    why: WhyNone | None = None
    claimed: int = 0
    another: int = 0


class Next:
    """Hands out cases."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def claim(self, actor: DeskActor, wanted: CaseFilter | None = None) -> NextCase:
        """Claim the first case of the queue that fits a filter and that the actor may work on."""
        require(actor, Permission.WORK_ON_CASE)
        wanted = wanted or CaseFilter()
        async with self._changes.begin(actor) as change:
            where = conditions(wanted, actor, change.now)
            ids = await searched(change.session, actor, wanted)
            if ids is not None:
                where.append(Case.id.in_(ids))
            case = await change.session.scalar(
                sa.select(Case)
                .where(*where, is_free(change.now), _may_take(actor.person_id))
                .order_by(Case.rank.desc(), Case.id.desc())
                .limit(1)
            )
            if case is None:
                return await _why(change, where)
            try:
                await take(change, await prepare_case(change, case))
            except UnmaskError as error:
                if error.code != "claim_limit":
                    raise
                return NextCase(why=WhyNone.CLAIM_LIMIT)
            return NextCase(case=await record_of(change, case))


def _may_take(person_id: int | None) -> Condition:
    """Whether a person may work on an open case: not for a second opinion on the own one. A tie is
    for a third person, so it is not handed to one of the two."""
    return sa.or_(Case.state != CaseState.SECOND, has_no_opinion(person_id))


async def _why(change: Change, where: list[Condition]) -> NextCase:
    """Why nothing was found: counted over what fits the filter."""
    claimed = await _count(change, [*where, sa.not_(is_free(change.now))])
    another = await _count(
        change,
        [*where, is_free(change.now), sa.not_(_may_take(change.actor.person_id))],
    )
    why = WhyNone.NONE_OPEN
    if another:
        why = WhyNone.OPINION_OF_ANOTHER
    elif claimed:
        why = WhyNone.ALL_CLAIMED
    return NextCase(why=why, claimed=claimed, another=another)


async def _count(change: Change, where: list[Condition]) -> int:
    inner = sa.select(Case.id).where(*where).limit(1_000).subquery()
    return await change.session.scalar(sa.select(sa.func.count()).select_from(inner)) or 0
