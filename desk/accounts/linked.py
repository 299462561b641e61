"""Chat accounts that people link to the team's bot, which then acts for them at the desk.

The person makes a one-time code on the account page and sends it to the bot. The bot hands it in
with the team's key, and gets a token. From then on it names the person by that token: neither the
key alone nor the token alone acts for anybody. The desk keeps the token's hash, and nothing of the
chat account. A link is of one team and ends with the membership.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from desk.accounts.identities import IdentityKind, bot_of, team_of_bot
from desk.accounts.lockout import Lockout
from desk.accounts.members import Members
from desk.accounts.secrets import keyed_hash, new_token, token_hash
from desk.actors import DeskActor
from desk.changes import Changes
from desk.models import Challenge, Identity, Team
from desk.text import line
from desk.vocabulary import Action
from unmask.errors import UnmaskError
from unmask.permissions import Permission, Role, require

#: 60 random bits, without the letters that are mistaken for digits: a guess at one of a thousand
#: codes succeeds once in 10^15 tries, and a chat account has five before it must wait.
_LETTERS, _LENGTH, _GROUP = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ", 12, 4
LIFETIME = timedelta(minutes=10)
_PURPOSE = "link"
#: Links of one person in one team: a telephone more than most people have.
MAX_LINKS = 5


class LinkedPerson(BaseModel):
    """The person whom a bot may now act for, by its ``token``."""

    model_config = ConfigDict(frozen=True)

    token: str
    name: str
    role: Role


class LinkedRecord(BaseModel):
    """A link as its person sees it: to the bot of which name, in which team, since when."""

    model_config = ConfigDict(frozen=True)

    id: int
    bot: str
    team: str
    created: datetime


class Linked:
    """Makes links, and recognises people by them."""

    def __init__(self, changes: Changes, members: Members, lockout: Lockout, secret: bytes) -> None:
        self._changes = changes
        self._members = members
        self._lockout = lockout
        self._secret = secret

    async def make_code(self, person_id: int) -> str:
        """A new code of a person, shown once: ``ABCD-EFGH-JKLM``, valid for ten minutes. A code
        that the person made before is void."""
        letters = [secrets.choice(_LETTERS) for _ in range(_LENGTH)]
        now = self._changes.clock()
        async with self._changes.database.writing() as session:
            is_own = sa.and_(Challenge.purpose == _PURPOSE, Challenge.person_id == person_id)
            await session.execute(
                sa.delete(Challenge).where(sa.or_(is_own, Challenge.expires <= now))
            )
            session.add(
                Challenge(
                    token_sha256=self._hash("".join(letters)),
                    purpose=_PURPOSE,
                    person_id=person_id,
                    data={},
                    expires=now + LIFETIME,
                )
            )
        groups = range(0, _LENGTH, _GROUP)
        return "-".join("".join(letters[at : at + _GROUP]) for at in groups)

    async def link(
        self, actor: DeskActor, code: str, account: str, bot: str = "", token: str | None = None
    ) -> LinkedPerson:
        """Link a chat account to the person who made a code, which is then used up.

        ``account`` is any name of the chat account, by which tries are counted and which is not
        kept; ``bot`` is the bot's name, which the person sees; ``token`` is the link's, as
        :func:`desk.accounts.secrets.new_token` makes them. The person of a token that is a link's
        already is answered as before. Raises ``link_invalid`` for a code that is none, or of a
        person of another team, and ``rate_limited`` (``retry_after``).
        """
        require(actor, Permission.LINK_ACCOUNT)
        if token is not None:
            with suppress(UnmaskError):  # it is no link's yet
                person = await self.actor_of(actor, token)
                return LinkedPerson(token=token, name=person.name, role=person.role)
        attempt = await self._lockout.begin(f"link {account}", f"link {account}")
        hashed = self._hash("".join(code.upper().replace("-", "").split()))
        person = await self._person_of(actor, hashed)
        token = token or new_token()
        async with self._changes.begin(person) as change:
            done = await change.session.execute(
                sa.delete(Challenge)
                .where(Challenge.token_sha256 == hashed)
                .returning(Challenge.token_sha256)
            )
            if done.first() is None:  # of two that come at once one wins
                raise _invalid()
            await _forget_oldest(change.session, person, MAX_LINKS - 1)
            change.session.add(
                Identity(
                    person_id=person.person_id,
                    kind=IdentityKind.TELEGRAM.value,
                    issuer=bot_of(actor.team_id),
                    subject=token_hash(token),
                    name=line(bot[:120], "bot"),
                    created=change.now,
                )
            )
            await change.record(Action.MEMBER_LINKED, data={"person": person.person_id})
        await self._lockout.succeeded(attempt)
        return LinkedPerson(token=token, name=person.name, role=person.role)

    async def void(self, actor: DeskActor, code: str) -> None:
        """Make a code useless, as one that others have read; nothing if it is none."""
        require(actor, Permission.LINK_ACCOUNT)
        hashed = self._hash("".join(code.upper().replace("-", "").split()))
        async with self._changes.database.writing() as session:
            await session.execute(
                sa.delete(Challenge).where(
                    Challenge.token_sha256 == hashed, Challenge.purpose == _PURPOSE
                )
            )

    async def actor_of(self, actor: DeskActor, token: str) -> DeskActor:
        """The person for whom a key of the team acts, in the person's present role.

        Raises ``sign_in_needed`` if the token is of no member of the key's team, or no longer.
        """
        issuer, subject = bot_of(actor.team_id), token_hash(token) or ""
        query = sa.select(Identity.person_id).where(
            Identity.kind == IdentityKind.TELEGRAM.value,
            Identity.issuer == issuer,
            Identity.subject == subject,
        )
        async with self._changes.database.reading() as session:
            person_id = await session.scalar(query)
        if person_id is None:
            raise _unlinked()
        try:
            person = await self._members.actor_of(person_id, actor.team)
        except UnmaskError as error:
            raise _unlinked() from error
        return replace(person, scopes=actor.scopes, via=actor.prefix)

    async def end(self, actor: DeskActor, token: str) -> None:
        """End the link of a token, as the bot's user wants; nothing if there is none."""
        require(actor, Permission.LINK_ACCOUNT)
        try:
            person = await self.actor_of(actor, token)
        except UnmaskError:
            return
        is_this = sa.and_(
            Identity.issuer == bot_of(actor.team_id), Identity.subject == token_hash(token)
        )
        await self._delete(person, is_this)

    async def end_own(self, person_id: int, link_id: int) -> None:
        """End one of a person's own links; raises ``not_found``."""
        query = (
            sa.select(Team.slug)
            .join(Identity, Identity.issuer == team_of_bot(Team.id))
            .where(Identity.id == link_id, Identity.person_id == person_id)
            .where(Identity.kind == IdentityKind.TELEGRAM.value)
        )
        async with self._changes.database.reading() as session:
            slug = await session.scalar(query)
        if slug is None:
            raise UnmaskError("not_found", "There is no such link.")
        await self._delete(await self._members.actor_of(person_id, slug), Identity.id == link_id)

    async def of_person(self, person_id: int) -> list[LinkedRecord]:
        """A person's links, the oldest first."""
        query = (
            sa.select(Identity, Team.name)
            .join(Team, Identity.issuer == team_of_bot(Team.id))
            .where(Identity.person_id == person_id)
            .where(Identity.kind == IdentityKind.TELEGRAM.value)
            .order_by(Identity.id)
        )
        async with self._changes.database.reading() as session:
            return [
                LinkedRecord(id=row.id, bot=row.name, team=team, created=row.created)
                for row, team in await session.execute(query)
            ]

    async def _person_of(self, actor: DeskActor, hashed: str) -> DeskActor:
        """The member of the key's team who made a code; it stays unused."""
        query = sa.select(Challenge.person_id).where(
            Challenge.token_sha256 == hashed,
            Challenge.purpose == _PURPOSE,
            Challenge.expires > self._changes.clock(),
        )
        async with self._changes.database.reading() as session:
            person_id = await session.scalar(query)
        if person_id is None:
            raise _invalid()
        try:
            person = await self._members.actor_of(person_id, actor.team)
        except UnmaskError as error:  # of a person of another team: as one that is not there
            raise _invalid() from error
        return replace(person, scopes=actor.scopes, via=actor.prefix)

    async def _delete(self, person: DeskActor, which: sa.ColumnElement[bool]) -> None:
        async with self._changes.begin(person) as change:
            done = await change.session.execute(
                sa.delete(Identity)
                .where(which, Identity.kind == IdentityKind.TELEGRAM.value)
                .returning(Identity.id)
            )
            if done.first() is not None:
                await change.record(Action.MEMBER_UNLINKED, data={"person": person.person_id})

    def _hash(self, code: str) -> str:
        return keyed_hash(self._secret, _PURPOSE, code)


async def _forget_oldest(session: AsyncSession, person: DeskActor, most: int) -> None:
    """End a person's oldest links of a team, so that ``most`` are left."""
    query = (
        sa.select(Identity.id)
        .where(
            Identity.kind == IdentityKind.TELEGRAM.value,
            Identity.issuer == bot_of(person.team_id),
            Identity.person_id == person.person_id,
        )
        .order_by(Identity.id.desc())
        .offset(most)
    )
    ids = list(await session.scalars(query))
    if ids:
        await session.execute(sa.delete(Identity).where(Identity.id.in_(ids)))


def _invalid() -> UnmaskError:
    message = "This code was used already, has expired, or never was. Make another one."
    return UnmaskError("link_invalid", message)


def _unlinked() -> UnmaskError:
    message = "This link is of no member of the team, or no longer. Link the account again."
    return UnmaskError("sign_in_needed", message)
