"""The people of a team, and what each may do there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from desk.accounts.identities import forget_links
from desk.actors import DeskActor
from desk.changes import Change, Changes
from desk.models import Case, Identity, Member, Notice, Person, Session, Team, Watch
from desk.vocabulary import Action, CaseState
from unmask.errors import UnmaskError
from unmask.permissions import TEAM_ROLES, Permission, Role, require


class MemberRecord(BaseModel):
    """A person in a team. Of a person who left only ``former_number`` is told: "former member 2";
    name and login are empty."""

    model_config = ConfigDict(frozen=True)

    person_id: int
    name: str
    login: str
    role: Role
    joined: datetime
    left_at: datetime | None = None
    former_number: int | None = None


class Members:
    """Members of teams."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def actor_of(self, person_id: int, team: str | None = None) -> DeskActor:
        """A person as an actor in a team, by its short name, or in the first of the person's teams.

        Raises ``not_found`` if the person is no member: a foreign team is as one that is not there.
        """
        query = (
            sa.select(Member.role, Team.id, Team.slug, Person.name)
            .join(Team, Team.id == Member.team_id)
            .join(Person, Person.id == Member.person_id)
            .where(Member.person_id == person_id, Member.left_at.is_(None))
            .where(Person.disabled_at.is_(None))
            .order_by(Member.joined, Team.id)
            .limit(1)
        )
        if team is not None:
            query = query.where(Team.slug == team)
        async with self._changes.database.reading() as session:
            row = (await session.execute(query)).first()
        if row is None:
            raise UnmaskError("not_found", "There is no such team.")
        role, team_id, slug, name = row
        return DeskActor(team_id, slug, Role(role), name, person_id=person_id)

    async def list(self, actor: DeskActor, *, former: bool = True) -> list[MemberRecord]:
        """The members of the actor's team, those who left last."""
        require(actor, Permission.READ_CASES)
        query = (
            sa.select(Member, Person)
            .join(Person, Person.id == Member.person_id)
            .where(Member.team_id == actor.team_id)
            .order_by(Member.left_at.is_not(None), Member.joined)
        )
        if not former:
            query = query.where(Member.left_at.is_(None))
        async with self._changes.database.reading() as session:
            return [_record(member, person) for member, person in await session.execute(query)]

    async def change_role(self, actor: DeskActor, person_id: int, role: Role) -> None:
        """Give a member another role; raises ``bad_request`` for the team's last admin."""
        require(actor, Permission.MANAGE_TEAM)
        if role not in TEAM_ROLES:
            raise UnmaskError("bad_request", f"A role is one of {', '.join(TEAM_ROLES)}.")
        async with self._changes.begin(actor) as change:
            member = await _member(change.session, actor.team_id, person_id)
            if member.role == role:
                return
            if member.role == Role.ADMIN:
                await _require_another_admin(change.session, actor.team_id, person_id)
            before, member.role = member.role, role
            if role == Role.VIEWER:
                await _release_claims(change, person_id)
            data = {"person": person_id, "from": str(before), "to": str(role)}
            await change.record(Action.MEMBER_CHANGED, data=data)

    async def remove(self, actor: DeskActor, person_id: int) -> None:
        """Let a member leave: by an admin, or by the person. Claims are released.

        Opinions stay, under "former member n". A person who is in no other team is forgotten: name,
        login, password, sessions. Raises ``bad_request`` for the team's last admin.
        """
        is_own = person_id == actor.person_id
        require(actor, Permission.LEAVE_TEAM if is_own else Permission.MANAGE_TEAM)
        async with self._changes.begin(actor) as change:
            member = await _member(change.session, actor.team_id, person_id)
            if member.role == Role.ADMIN:
                await _require_another_admin(change.session, actor.team_id, person_id)
            await _release_claims(change, person_id)
            query = sa.select(sa.func.max(Member.former_number))
            last = await change.session.scalar(query.where(Member.team_id == actor.team_id))
            member.left_at, member.former_number = change.now, (last or 0) + 1
            await forget_links(change.session, actor.team_id, person_id)
            await _forget_watches(change.session, actor.team_id, person_id)
            await change.session.flush()
            await _forget_person_without_team(change.session, person_id, change.now)
            await change.record(Action.MEMBER_LEFT, data={"person": person_id})


async def names_of(
    session: AsyncSession, team_id: int, people: Collection[int] | None = None
) -> dict[int, str]:
    """The name of each member of a team, or of those ``people`` alone; "former member n" for those
    who left, in English."""
    query = (
        sa.select(Person.id, Person.name, Member.former_number)
        .join(Member, Member.person_id == Person.id)
        .where(Member.team_id == team_id)
    )
    if people is not None:
        query = query.where(Member.person_id.in_(people))
    rows = await session.execute(query)
    return {
        person_id: name if number is None else f"former member {number}"
        for person_id, name, number in rows
    }


async def _member(session: AsyncSession, team_id: int, person_id: int) -> Member:
    member = await session.get(Member, (team_id, person_id))
    if member is None or member.left_at is not None:
        raise UnmaskError("not_found", "There is no such member.")
    return member


async def _require_another_admin(session: AsyncSession, team_id: int, person_id: int) -> None:
    query = sa.select(sa.func.count()).where(
        Member.team_id == team_id,
        Member.person_id != person_id,
        Member.role == Role.ADMIN,
        Member.left_at.is_(None),
    )
    if not await session.scalar(query):
        message = "A team needs an admin: make somebody else one first."
        raise UnmaskError("bad_request", message)


async def _release_claims(change: Change, person_id: int) -> None:
    """Give back what a person has claimed; a case that waits for a second opinion stays so."""
    query = sa.select(Case).where(Case.team_id == change.team_id, Case.claimed_by == person_id)
    for case in (await change.session.scalars(query)).all():
        case.claimed_by = case.claimed_at = case.claimed_until = None
        if case.state is CaseState.CLAIMED:
            case.state = CaseState.NEW
            await change.count({f"state:{CaseState.CLAIMED}": -1, f"state:{CaseState.NEW}": 1})
        case.updated = change.now
        await change.record(Action.CASE_RELEASED, case)


async def _forget_watches(session: AsyncSession, team_id: int, person_id: int) -> None:
    cases = sa.select(Case.id).where(Case.team_id == team_id)
    mine = (Watch.person_id == person_id, Watch.case_id.in_(cases))
    await session.execute(sa.delete(Watch).where(*mine))
    notices = (Notice.person_id == person_id, Notice.team_id == team_id)
    await session.execute(sa.delete(Notice).where(*notices))


async def _forget_person_without_team(session: AsyncSession, person_id: int, now: datetime) -> None:
    others = sa.select(Member.team_id).where(
        Member.person_id == person_id, Member.left_at.is_(None)
    )
    if (await session.scalars(others)).first() is not None:
        return
    for table in (Session, Identity):
        await session.execute(sa.delete(table).where(table.person_id == person_id))
    person = await session.get(Person, person_id)
    if person is not None:
        person.name, person.login, person.password_hash = "", f"-{person_id}", None
        person.disabled_at = now


def _record(member: Member, person: Person) -> MemberRecord:
    left = member.left_at is not None
    return MemberRecord(
        person_id=person.id,
        name="" if left else person.name,
        login="" if left else person.login,
        role=member.role,
        joined=member.joined,
        left_at=member.left_at,
        former_number=member.former_number,
    )
