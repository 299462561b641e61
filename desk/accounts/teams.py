"""Teams: the operator makes one on the command line, its admins set its rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, ValidationError

from desk.actors import DeskActor, machine_of
from desk.changes import Changes, chain
from desk.models import HistoryHead, Team
from desk.text import line, zone_named
from desk.vocabulary import Action, TeamSettings
from unmask.errors import UnmaskError
from unmask.permissions import Permission, require
from unmask.queue.keys import checked_name


class TeamRecord(BaseModel):
    """A team; ``slug`` is its name in addresses."""

    model_config = ConfigDict(frozen=True)

    id: int
    slug: str
    name: str
    locale: str
    settings: TeamSettings
    created: datetime


class Teams:
    """The teams of this installation."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def create(self, slug: str, name: str = "", locale: str = "en") -> TeamRecord:
        """A new team, for the operator; raises ``bad_request`` or ``already_exists``."""
        slug, name = checked_name(slug), line(name, "name", most=120) or slug
        now = self._changes.clock()
        async with self._changes.database.writing() as session:
            if await session.scalar(sa.select(Team.id).where(Team.slug == slug)) is not None:
                message = f"There is a team {slug} already."
                raise UnmaskError("already_exists", message, team=slug)
            team = Team(
                slug=slug,
                name=name,
                locale=locale,
                settings=TeamSettings().model_dump(mode="json"),
                next_number=1,
                created=now,
            )
            session.add(team)
            await session.flush()
            session.add(HistoryHead(team_id=team.id, seq=0, hash=chain.ORIGIN))
        async with self._changes.begin(machine_of(team.id, slug)) as change:
            await change.record(Action.TEAM_CREATED)
        return _record(team)

    async def list(self) -> list[TeamRecord]:
        """All teams, for the operator."""
        async with self._changes.database.reading() as session:
            return [
                _record(team) for team in await session.scalars(sa.select(Team).order_by(Team.id))
            ]

    async def find(self, slug: str) -> TeamRecord:
        """The team of a short name, for the operator; raises ``not_found``."""
        async with self._changes.database.reading() as session:
            team = await session.scalar(sa.select(Team).where(Team.slug == slug))
        if team is None:
            raise UnmaskError("not_found", f"There is no team {slug[:40]}.")
        return _record(team)

    async def get(self, actor: DeskActor) -> TeamRecord:
        """The actor's own team."""
        return await self.find(actor.team)

    async def edit(
        self,
        actor: DeskActor,
        *,
        name: str | None = None,
        locale: str | None = None,
        settings: dict[str, Any] | None = None,
    ) -> TeamRecord:
        """Change the team's name, language or some of its settings.

        Raises ``not_allowed`` and, for a setting that is not valid, ``bad_request``.
        """
        require(actor, Permission.MANAGE_TEAM)
        async with self._changes.begin(actor) as change:
            team = change.team
            if name is not None:
                team.name = line(name, "name", needed=True, most=120)
            if locale is not None:
                team.locale = line(locale, "locale", needed=True, most=12)
            changed: dict[str, Any] = {}
            if settings is not None:
                after = _merged(change.settings, settings)
                before = change.settings.model_dump(mode="json")
                changed = {key: value for key, value in after.items() if before[key] != value}
                team.settings = after
            await change.record(Action.TEAM_EDITED, data={"settings": changed})
            return _record(team)


def _merged(settings: TeamSettings, new: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(new) - set(TeamSettings.model_fields))
    if unknown:
        message = f"There is no setting {unknown[0][:40]}."
        raise UnmaskError("bad_request", message, field=unknown[0][:40])
    if "zone" in new and zone_named(str(new["zone"])) is None:
        message = "The setting zone must be the name of a time zone, such as Europe/Berlin."
        raise UnmaskError("bad_request", message, field="zone")
    try:
        merged = TeamSettings.model_validate(settings.model_dump() | new)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0])
        message = f"The setting {field} is not valid: {first['msg']}."
        raise UnmaskError("bad_request", message, field=field) from error
    return merged.model_dump(mode="json")


def _record(team: Team) -> TeamRecord:
    return TeamRecord(
        id=team.id,
        slug=team.slug,
        name=team.name,
        locale=team.locale,
        settings=TeamSettings.model_validate(team.settings),
        created=team.created,
    )
