"""Filters under a name: a person's own, and those of the whole team."""

from __future__ import annotations

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, ValidationError

from desk.actors import DeskActor
from desk.changes import Changes
from desk.models import SavedFilter
from desk.queue.filters import CaseFilter, Sort
from desk.text import line
from desk.vocabulary import Action
from unmask.errors import UnmaskError
from unmask.permissions import Permission, require

#: Most filters of a person, and of a team.
MAX_FILTERS = 50


class FilterRecord(BaseModel):
    """A saved filter; ``is_teams`` says that all members see it."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str
    filter: CaseFilter
    sort: Sort
    is_teams: bool


class SavedFilters:
    """Saves, lists and removes filters."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def save(
        self,
        actor: DeskActor,
        name: str,
        wanted: CaseFilter,
        sort: Sort = Sort.RANK,
        *,
        for_team: bool = False,
    ) -> FilterRecord:
        """Save a filter under a name, in place of one of that name; ``for_team`` is for admins."""
        require(actor, Permission.MANAGE_TEAM if for_team else Permission.SAVE_FILTER)
        name = line(name, "name", needed=True, most=60)
        query = {"filter": wanted.model_dump(mode="json", exclude_defaults=True), "sort": sort}
        async with self._changes.begin(actor) as change:
            owner = None if for_team else change.person_id
            rows = list(await change.session.scalars(_of(actor.team_id, owner)))
            row = next((row for row in rows if row.name == name), None)
            if row is None:
                if len(rows) >= MAX_FILTERS:
                    message = f"There are {MAX_FILTERS} saved filters; remove one first."
                    raise UnmaskError("bad_request", message, limit=MAX_FILTERS)
                row = SavedFilter(
                    team_id=actor.team_id, person_id=owner, name=name, created=change.now
                )
                change.session.add(row)
            row.query = query
            await change.session.flush()
            if for_team:
                await change.record(Action.TEAM_EDITED, data={"filter": row.id})
            return FilterRecord(id=row.id, name=name, filter=wanted, sort=sort, is_teams=for_team)

    async def list(self, actor: DeskActor) -> list[FilterRecord]:
        """The team's filters and the actor's own, by name. One that today's version cannot read is
        left out."""
        require(actor, Permission.READ_CASES)
        query = (
            sa.select(SavedFilter)
            .where(SavedFilter.team_id == actor.team_id)
            .where(
                sa.or_(SavedFilter.person_id.is_(None), SavedFilter.person_id == actor.person_id)
            )
            .order_by(SavedFilter.person_id.is_not(None), SavedFilter.name)
        )
        async with self._changes.database.reading() as session:
            records = [_record(row) for row in await session.scalars(query)]
        return [record for record in records if record is not None]

    async def delete(self, actor: DeskActor, filter_id: int) -> None:
        """Remove a filter of one's own, or as an admin one of the team's; raises ``not_found``."""
        require(actor, Permission.SAVE_FILTER)
        async with self._changes.begin(actor) as change:
            row = await change.session.get(SavedFilter, filter_id)
            is_own = row is not None and row.person_id in (None, change.person_id)
            if row is None or row.team_id != actor.team_id or not is_own:
                raise UnmaskError("not_found", "There is no such filter.")
            if row.person_id is None:
                require(actor, Permission.MANAGE_TEAM)
                await change.record(Action.TEAM_EDITED, data={"removed_filter": row.id})
            await change.session.delete(row)


def _of(team_id: int, person_id: int | None) -> sa.Select[SavedFilter]:
    owner = SavedFilter.person_id
    is_owner = owner.is_(None) if person_id is None else owner == person_id
    return sa.select(SavedFilter).where(SavedFilter.team_id == team_id, is_owner)


def _record(row: SavedFilter) -> FilterRecord | None:
    try:
        return FilterRecord(
            id=row.id,
            name=row.name,
            filter=CaseFilter.model_validate(row.query["filter"]),
            sort=Sort(row.query["sort"]),
            is_teams=row.person_id is None,
        )
    except (ValidationError, ValueError, KeyError):
        return None
