"""One-time links: an invitation to a team, or a new password.

Opening a link shows what it is for, and only sending its form uses it: mail programs and chats open
links to preview them.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from desk.accounts.secrets import Passwords, new_token, token_hash
from desk.actors import DeskActor, machine_of
from desk.changes import Change, Changes
from desk.models import Link, Member, Person, Session, Team
from desk.text import line
from desk.vocabulary import Action, LinkPurpose
from unmask.errors import UnmaskError
from unmask.permissions import TEAM_ROLES, Permission, Role, require

LIFETIME = timedelta(hours=48)
_LOGIN = re.compile(r"[^\s@,;:/\\<>\"']+(@[^\s@,;:/\\<>\"']+)?")


class LinkRecord(BaseModel):
    """What a link is for: ``team`` and ``role`` of an invitation, ``person`` of a new password."""

    model_config = ConfigDict(frozen=True)

    purpose: LinkPurpose
    team: str | None
    team_name: str | None
    role: Role | None
    person: str | None
    expires: datetime


def checked_login(login: str) -> str:
    """A login as it is stored, case-folded: a name, or an address with one @; ``bad_request``."""
    login = line(login, "login", needed=True, most=120).casefold()
    if not _LOGIN.fullmatch(login):
        message = "A login is a name without spaces, or an e-mail address."
        raise UnmaskError("bad_request", message, field="login")
    return login


class Links:
    """Makes and uses one-time links."""

    def __init__(self, changes: Changes, passwords: Passwords) -> None:
        self._changes = changes
        self._passwords = passwords

    async def invite(self, actor: DeskActor, role: Role) -> str:
        """The token of a new invitation to the actor's team; shown once."""
        require(actor, Permission.MANAGE_TEAM)
        if role not in TEAM_ROLES:
            raise UnmaskError("bad_request", f"A role is one of {', '.join(TEAM_ROLES)}.")
        token = new_token()
        async with self._changes.begin(actor) as change:
            change.session.add(
                Link(
                    token_sha256=token_hash(token),
                    purpose=LinkPurpose.JOIN,
                    team_id=actor.team_id,
                    role=role,
                    made_by=actor.person_id,
                    created=change.now,
                    expires=change.now + LIFETIME,
                )
            )
            await change.record(Action.MEMBER_INVITED, data={"role": str(role)})
        return token

    async def reset(self, actor: DeskActor, person_id: int) -> str:
        """The token of a link with which a member sets a new password; raises ``not_found``, also
        for a member who is in another team too: an admin of one team must not get into another."""
        require(actor, Permission.MANAGE_TEAM)
        token = new_token()
        async with self._changes.begin(actor) as change:
            query = sa.select(Member.team_id).where(
                Member.person_id == person_id, Member.left_at.is_(None)
            )
            if list(await change.session.scalars(query)) != [actor.team_id]:
                raise UnmaskError("not_found", "There is no such member of this team alone.")
            change.session.add(
                Link(
                    token_sha256=token_hash(token),
                    purpose=LinkPurpose.RESET,
                    person_id=person_id,
                    made_by=actor.person_id,
                    created=change.now,
                    expires=change.now + LIFETIME,
                )
            )
            data = {"person": person_id, "reset": True}
            await change.record(Action.MEMBER_CHANGED, data=data)
        return token

    async def peek(self, token: str) -> LinkRecord:
        """What a link is for; it stays unused. Raises ``link_invalid``."""
        async with self._changes.database.reading() as session:
            link = await _valid(session, token, self._changes.clock())
            team = await session.get(Team, link.team_id) if link.team_id else None
            person = await session.get(Person, link.person_id) if link.person_id else None
            return LinkRecord(
                purpose=link.purpose,
                team=team.slug if team else None,
                team_name=team.name if team else None,
                role=link.role,
                person=person.login if person else None,
                expires=link.expires,
            )

    async def join(self, token: str, *, name: str, login: str, password: str | None) -> int:
        """Use an invitation to become a new person in the team; the person's id. Without a
        ``password`` the caller gives the person another way to sign in.

        Raises ``link_invalid``, ``already_exists`` (the login) and ``bad_request``. After an error
        the link can be used again.
        """
        login, name = checked_login(login), line(name, "name", needed=True, most=120)
        team = await self._team_of(token)  # before the password is hashed, which costs
        password_hash = None if password is None else await self._passwords.hash(password)
        async with self._changes.begin(team) as change:
            link = await self._use(change.session, token, LinkPurpose.JOIN)
            person = Person(name=name, login=login, password_hash=password_hash, created=change.now)
            change.session.add(person)
            try:
                await change.session.flush()
            except IntegrityError as error:
                message = "This login is taken. Choose another, or sign in and open the link again."
                raise UnmaskError("already_exists", message, field="login") from error
            await _become_member(change, link, person)
        return person.id

    async def join_as(self, token: str, person_id: int) -> None:
        """Use an invitation as a person who has signed in. Raises ``link_invalid`` and, for a
        member of the team, ``already_exists``."""
        async with self._changes.begin(await self._team_of(token)) as change:
            link = await self._use(change.session, token, LinkPurpose.JOIN)
            await _become_member(change, link, await change.session.get_one(Person, person_id))

    async def set_password(self, token: str, password: str) -> int:
        """Use a link for a new password; all sessions of the person end. The person's id."""
        await self.peek(token)
        password_hash = await self._passwords.hash(password)
        async with self._changes.database.writing() as session:
            link = await self._use(session, token, LinkPurpose.RESET)
            person = await session.get_one(Person, link.person_id)
            person.password_hash = password_hash
            await session.execute(sa.delete(Session).where(Session.person_id == person.id))
        return person.id

    async def _use(self, session: AsyncSession, token: str, purpose: LinkPurpose) -> Link:
        """The link, marked as used in this transaction: of two that come at once one wins."""
        now = self._changes.clock()
        done = await session.execute(
            sa.update(Link)
            .where(
                Link.token_sha256 == token_hash(token),
                Link.purpose == purpose,
                Link.used_at.is_(None),
                Link.expires > now,
            )
            .values(used_at=now)
            .returning(Link)
        )
        link = done.scalar_one_or_none()
        if link is None:
            raise _invalid()
        return link

    async def _team_of(self, token: str) -> DeskActor:
        """Unmask itself in the team that an invitation leads to; raises ``link_invalid``."""
        async with self._changes.database.reading() as session:
            link = await _valid(session, token, self._changes.clock())
            team = await session.get(Team, link.team_id) if link.team_id else None
        if team is None:
            raise _invalid()
        return machine_of(team.id, team.slug)


async def _become_member(change: Change, link: Link, person: Person) -> None:
    role, session = link.role or Role.VIEWER, change.session
    member = await session.get(Member, (change.team_id, person.id))
    if member is not None and member.left_at is None:
        raise UnmaskError("already_exists", "You are a member of this team already.")
    if member is None:
        member = Member(team_id=change.team_id, person_id=person.id, role=role, joined=change.now)
        session.add(member)
    member.role, member.joined = role, change.now
    member.left_at = member.former_number = None
    change.actor = DeskActor(change.team_id, change.team.slug, role, person.name, person.id)
    await change.record(Action.MEMBER_JOINED, data={"person": person.id, "role": str(role)})


async def _valid(session: AsyncSession, token: str, now: datetime) -> Link:
    hashed = token_hash(token)
    link = await session.get(Link, hashed) if hashed else None
    if link is None or link.used_at is not None or link.expires <= now:
        raise _invalid()
    return link


def _invalid() -> UnmaskError:
    message = "This link was used already or has expired. Ask an admin of the team for another."
    return UnmaskError("link_invalid", message)
