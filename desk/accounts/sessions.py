"""Signing in, and the sessions of people who did.

The browser has 256 random bits; the database their SHA-256 alone. A session ends by itself, when
the person signs out here or everywhere, with a new password, and when the person leaves.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from desk.accounts.links import checked_login
from desk.accounts.lockout import Lockout
from desk.accounts.secrets import Passwords, new_token, token_hash
from desk.changes import Changes
from desk.models import Member, Person, Session, Team
from desk.text import line
from unmask.errors import AGAIN, PASSWORD, UnmaskError
from unmask.permissions import Role

LIFETIME = timedelta(days=30)
#: For so long a person without a password has just signed in.
FRESH = timedelta(minutes=10)
#: A session without a request for so long ends.
IDLE = timedelta(days=7)
#: ``last_seen`` is written at most once in this time.
_SEEN_INTERVAL = timedelta(minutes=5)


class Membership(BaseModel):
    """A team of a person who is signed in."""

    model_config = ConfigDict(frozen=True)

    team: str
    name: str
    role: Role


class SignedIn(BaseModel):
    """Who is signed in, and where that person is a member."""

    model_config = ConfigDict(frozen=True)

    person_id: int
    name: str
    login: str
    locale: str
    teams: tuple[Membership, ...]


class SessionRecord(BaseModel):
    """A session as its person sees it; ``id`` is the beginning of its hash, enough to end it."""

    model_config = ConfigDict(frozen=True)

    id: str
    created: datetime
    last_seen: datetime
    user_agent: str
    is_this: bool


class Sessions:
    """Signs people in and out."""

    def __init__(self, changes: Changes, passwords: Passwords, lockout: Lockout) -> None:
        self._changes = changes
        self._passwords = passwords
        self._lockout = lockout

    async def sign_in(
        self, login: str, password: str, *, address: str, user_agent: str = ""
    ) -> str:
        """The token of a new session; ``address`` is the caller's, as limits count it.

        Raises ``sign_in_failed``, which tells nothing of what was wrong, and ``rate_limited``.
        """
        login = _folded(login)
        attempt = await self._lockout.begin(login, address)
        async with self._changes.database.reading() as session:
            person = await session.scalar(sa.select(Person).where(Person.login == login))
        stored = person.password_hash if person and person.disabled_at is None else None
        if not await self._passwords.verify(stored, password) or person is None:
            raise UnmaskError("sign_in_failed", "The login or the password is not right.")
        await self._lockout.succeeded(attempt)
        if stored is not None and self._passwords.is_outdated(stored):
            await self._rehash(person.id, password)
        return await self.begin(person.id, user_agent)

    async def begin(self, person_id: int, user_agent: str = "") -> str:
        """The token of a new session of a person who was recognised some other way."""
        token, now = new_token(), self._changes.clock()
        async with self._changes.database.writing() as session:
            session.add(
                Session(
                    token_sha256=token_hash(token),
                    person_id=person_id,
                    created=now,
                    last_seen=now,
                    expires=now + LIFETIME,
                    user_agent=line(user_agent[:120], "user agent"),
                )
            )
        return token

    async def identify(self, token: str) -> SignedIn | None:
        """Who has the session of this token; None if there is none, or no longer."""
        hashed, now = token_hash(token), self._changes.clock()
        if hashed is None:
            return None
        query = (
            sa.select(Session, Person)
            .join(Person, Person.id == Session.person_id)
            .where(Session.token_sha256 == hashed, Session.expires > now)
            .where(Session.last_seen > now - IDLE, Person.disabled_at.is_(None))
        )
        async with self._changes.database.reading() as session:
            row = (await session.execute(query)).first()
            if row is None:
                return None
            record, person = row
            teams = await session.execute(
                sa.select(Team.slug, Team.name, Member.role)
                .join(Member, Member.team_id == Team.id)
                .where(Member.person_id == person.id, Member.left_at.is_(None))
                .order_by(Member.joined, Team.id)
            )
            memberships = tuple(
                Membership(team=slug, name=name, role=role) for slug, name, role in teams
            )
        if now - record.last_seen >= _SEEN_INTERVAL:
            await self._touch(hashed, now)
        return SignedIn(
            person_id=person.id,
            name=person.name,
            login=person.login,
            locale=person.locale,
            teams=memberships,
        )

    async def end(self, token: str) -> None:
        """End the session of a token, if there is one."""
        async with self._changes.database.writing() as session:
            is_this = Session.token_sha256 == token_hash(token)
            await session.execute(sa.delete(Session).where(is_this))

    async def list(self, person_id: int, token: str = "") -> list[SessionRecord]:
        """The sessions of a person, the one last used first."""
        query = (
            sa.select(Session)
            .where(Session.person_id == person_id, Session.expires > self._changes.clock())
            .order_by(Session.last_seen.desc())
        )
        own = token_hash(token)
        async with self._changes.database.reading() as session:
            return [
                SessionRecord(
                    id=row.token_sha256[:16],
                    created=row.created,
                    last_seen=row.last_seen,
                    user_agent=row.user_agent,
                    is_this=row.token_sha256 == own,
                )
                for row in await session.scalars(query)
            ]

    async def end_one(self, person_id: int, session_id: str) -> bool:
        """End one of a person's sessions by its ``id``; whether there was one."""
        if len(session_id) != 16 or not session_id.isalnum():
            return False
        async with self._changes.database.writing() as session:
            done = await session.execute(
                sa.delete(Session)
                .where(Session.person_id == person_id)
                .where(Session.token_sha256.startswith(session_id))
                .returning(Session.token_sha256)
            )
            return done.first() is not None

    async def end_all(self, person_id: int, *, but: str = "") -> None:
        """End all sessions of a person, except that of the token ``but``."""
        async with self._changes.database.writing() as session:
            await session.execute(
                sa.delete(Session).where(
                    Session.person_id == person_id, Session.token_sha256 != (token_hash(but) or "")
                )
            )

    async def has_password(self, person_id: int) -> bool:
        """Whether a person can sign in with a password."""
        query = sa.select(Person.password_hash).where(Person.id == person_id)
        async with self._changes.database.reading() as session:
            return await session.scalar(query) is not None

    async def is_fresh(self, token: str) -> bool:
        """Whether the session of a token was begun by signing in a short while ago."""
        query = sa.select(Session.created).where(Session.token_sha256 == (token_hash(token) or ""))
        async with self._changes.database.reading() as session:
            created = await session.scalar(query)
        return created is not None and self._changes.clock() - created < FRESH

    async def confirm(self, person_id: int, password: str, *, token: str, address: str) -> None:
        """Make sure that it is the person who acts, and not somebody with an open session: by the
        password, or of a person without one by a session that was begun a short while ago.

        To be asked before every change of how a person is recognised. Raises ``sign_in_failed``
        for a wrong password, ``sign_in_needed`` for an old session, ``rate_limited``.
        """
        async with self._changes.database.reading() as session:
            person = await session.get_one(Person, person_id)
        if person.password_hash is None:
            if not await self.is_fresh(token):
                raise UnmaskError("sign_in_needed", "Sign in again for this.", reason=AGAIN)
            return
        wrong = UnmaskError("sign_in_failed", "The password is not right.", reason=PASSWORD)
        if not password:  # no guess, so it is not counted as one
            raise wrong
        attempt = await self._lockout.begin(person.login, address)
        if not await self._passwords.verify(person.password_hash, password):
            raise wrong
        await self._lockout.succeeded(attempt)

    async def change_password(
        self, person_id: int, old: str, new: str, *, token: str, address: str
    ) -> None:
        """Change the own password; all other sessions end. Raises ``sign_in_failed`` for a wrong
        old one, ``rate_limited`` and ``bad_request``."""
        if not await self.has_password(person_id):
            message = "You have no password. An admin of your team can give you a link to set one."
            raise UnmaskError("not_allowed", message)
        await self.confirm(person_id, old, token=token, address=address)
        await self._rehash(person_id, new)
        await self.end_all(person_id, but=token)

    async def forget_old(self) -> None:
        """Remove sessions that ended; for the nightly sweep."""
        now = self._changes.clock()
        async with self._changes.database.writing() as session:
            over = sa.or_(Session.expires <= now, Session.last_seen <= now - IDLE)
            await session.execute(sa.delete(Session).where(over))

    async def _rehash(self, person_id: int, password: str) -> None:
        password_hash = await self._passwords.hash(password)
        async with self._changes.database.writing() as session:
            await session.execute(
                sa.update(Person).where(Person.id == person_id).values(password_hash=password_hash)
            )

    async def _touch(self, hashed: str, now: datetime) -> None:
        async with self._changes.database.writing() as session:
            await session.execute(
                sa.update(Session).where(Session.token_sha256 == hashed).values(last_seen=now)
            )


def _folded(login: str) -> str:
    """A login as it is stored; one that nobody can have is tried, and counted, all the same."""
    try:
        return checked_login(login)
    except UnmaskError:
        return login[:120].casefold()
