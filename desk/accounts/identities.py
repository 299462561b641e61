"""Other ways in than a password: the passkeys and provider accounts of a person."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from desk.changes import Changes
from desk.models import Identity, Person
from desk.text import line
from unmask.errors import IDENTITY, UnmaskError

MAX_IDENTITIES = 20
_TEAM = "team:"


class IdentityKind(StrEnum):
    """What a person is recognised by."""

    PASSKEY = "passkey"
    OIDC = "oidc"
    TELEGRAM = "telegram"


class IdentityRecord(BaseModel):
    """One way in, under the name that the person gave it."""

    model_config = ConfigDict(frozen=True)

    id: int
    kind: IdentityKind
    issuer: str
    name: str
    created: datetime


class Identities:
    """Adds, finds and removes identities."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def add(
        self,
        person_id: int,
        kind: IdentityKind,
        issuer: str,
        subject: str,
        *,
        name: str = "",
        public_key: bytes | None = None,
        sign_count: int = 0,
    ) -> IdentityRecord:
        """Give a person another way in.

        Raises ``already_exists`` if it is a person's already, ``bad_request`` for more than twenty.
        """
        async with self._changes.database.writing() as session:
            if await find(session, kind, issuer, subject) is not None:
                message = "This is somebody's way to sign in already."
                raise UnmaskError("already_exists", message, reason=IDENTITY)
            query = sa.select(sa.func.count()).where(Identity.person_id == person_id)
            if (await session.scalar(query) or 0) >= MAX_IDENTITIES:
                message = f"A person has at most {MAX_IDENTITIES} ways in; remove one first."
                raise UnmaskError("bad_request", message, limit=MAX_IDENTITIES)
            row = Identity(
                person_id=person_id,
                kind=kind.value,
                issuer=issuer,
                subject=subject,
                name=name[:120],
                public_key=public_key,
                sign_count=sign_count,
                created=self._changes.clock(),
            )
            session.add(row)
            await session.flush()
            return _record(row)

    async def person_of(self, kind: IdentityKind, issuer: str, subject: str) -> int | None:
        """The person who is recognised by an identity; None if nobody is."""
        async with self._changes.database.reading() as session:
            row = await find(session, kind, issuer, subject)
        return row.person_id if row is not None else None

    async def list(self, person_id: int) -> list[IdentityRecord]:
        """A person's ways in. A link to a team's bot is none: :class:`desk.accounts.Linked`."""
        is_one = sa.and_(Identity.person_id == person_id, Identity.kind != IdentityKind.TELEGRAM)
        query = sa.select(Identity).where(is_one).order_by(Identity.id)
        async with self._changes.database.reading() as session:
            return [_record(row) for row in await session.scalars(query)]

    async def rename(self, person_id: int, identity_id: int, name: str) -> None:
        """Give one another name; raises ``not_found`` and ``bad_request``."""
        name = line(name, "name", needed=True, most=120)
        async with self._changes.database.writing() as session:
            row = await session.get(Identity, identity_id)
            if row is None or row.person_id != person_id:
                raise UnmaskError("not_found", "There is no such way in.")
            row.name = name

    async def remove(self, person_id: int, identity_id: int) -> None:
        """Remove one; raises ``not_found``, and ``bad_request`` for the last way in of a person
        without a password."""
        async with self._changes.database.writing() as session:
            row = await session.get(Identity, identity_id)
            if row is None or row.person_id != person_id:
                raise UnmaskError("not_found", "There is no such way in.")
            person = await session.get_one(Person, person_id)
            query = sa.select(sa.func.count()).where(
                Identity.person_id == person_id, Identity.kind != IdentityKind.TELEGRAM
            )
            is_last = (await session.scalar(query) or 0) <= 1
            if person.password_hash is None and is_last:
                raise UnmaskError("bad_request", "This is your only way in. Add another first.")
            await session.delete(row)


def bot_of(team_id: int) -> str:
    """The issuer of links to the bot of a team: such an identity counts in that team alone."""
    return f"{_TEAM}{team_id}"


def team_of_bot(
    team_id: InstrumentedAttribute[int],
) -> sa.ColumnElement[str]:
    """:func:`bot_of` for a column."""
    return sa.literal(_TEAM) + sa.cast(team_id, sa.String)


async def forget_links(session: AsyncSession, team_id: int, person_id: int) -> None:
    """End a person's links to the bot of a team, as when the person leaves the team."""
    await session.execute(
        sa.delete(Identity).where(
            Identity.kind == IdentityKind.TELEGRAM.value,
            Identity.issuer == bot_of(team_id),
            Identity.person_id == person_id,
        )
    )


async def find(
    session: AsyncSession, kind: IdentityKind, issuer: str, subject: str
) -> Identity | None:
    """The row of an identity whose person is not disabled."""
    row: Identity | None = await session.scalar(
        sa.select(Identity)
        .join(Person, Person.id == Identity.person_id)
        .where(
            Identity.kind == kind.value,
            Identity.issuer == issuer,
            Identity.subject == subject,
            Person.disabled_at.is_(None),
        )
    )
    return row


def _record(row: Identity) -> IdentityRecord:
    return IdentityRecord(
        id=row.id,
        kind=IdentityKind(row.kind),
        issuer=row.issuer,
        name=row.name,
        created=row.created,
    )
