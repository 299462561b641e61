"""Teams, people, and what lets them in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from desk.models.base import Base, key, refers_to
from desk.vocabulary import LinkPurpose
from unmask.permissions import Role


class Installation(Base):
    """One row: the secret with which this installation keys its hashes."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    secret: Mapped[bytes]


class Team(Base):
    """A team; ``slug`` is its name in addresses, ``settings`` a ``TeamSettings`` as JSON."""

    __tablename__ = "teams"

    id: Mapped[int] = key()
    slug: Mapped[str] = mapped_column(sa.String(40), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    locale: Mapped[str] = mapped_column(sa.String(12), default="en")
    settings: Mapped[dict[str, Any]]
    next_number: Mapped[int] = mapped_column(default=1)
    created: Mapped[datetime]


class Person(Base):
    """Somebody who signs in; ``login`` is case-folded."""

    __tablename__ = "people"

    id: Mapped[int] = key()
    name: Mapped[str] = mapped_column(sa.String(120))
    login: Mapped[str] = mapped_column(sa.String(120), unique=True)
    password_hash: Mapped[str | None] = mapped_column(sa.String(200))
    locale: Mapped[str] = mapped_column(sa.String(12), default="en")
    created: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Identity(Base):
    """Another way in for a person: a passkey, or an account at an OIDC provider."""

    __tablename__ = "identities"
    __table_args__ = (sa.UniqueConstraint("kind", "issuer", "subject"),)

    id: Mapped[int] = key()
    person_id: Mapped[int] = refers_to("people.id", index=True)
    kind: Mapped[str] = mapped_column(sa.String(12))
    issuer: Mapped[str] = mapped_column(sa.String(300))
    subject: Mapped[str] = mapped_column(sa.String(300))
    public_key: Mapped[bytes | None]
    sign_count: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    name: Mapped[str] = mapped_column(sa.String(120), default="")
    created: Mapped[datetime]


class Member(Base):
    """A person in a team."""

    __tablename__ = "members"
    __table_args__ = (sa.Index("ix_members_person", "person_id"),)

    team_id: Mapped[int] = refers_to("teams.id", primary_key=True)
    person_id: Mapped[int] = refers_to("people.id", primary_key=True)
    role: Mapped[Role]
    joined: Mapped[datetime]
    left_at: Mapped[datetime | None]
    former_number: Mapped[int | None]


class Session(Base):
    """A person who is signed in on one browser; the browser alone has the token."""

    __tablename__ = "sessions"

    token_sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    person_id: Mapped[int] = refers_to("people.id", index=True)
    created: Mapped[datetime]
    last_seen: Mapped[datetime]
    expires: Mapped[datetime] = mapped_column(index=True)
    user_agent: Mapped[str] = mapped_column(sa.String(120), default="")


class Link(Base):
    """A one-time link that lets somebody join a team or set a new password."""

    __tablename__ = "links"

    token_sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    purpose: Mapped[LinkPurpose]
    team_id: Mapped[int | None] = refers_to("teams.id", index=True)
    role: Mapped[Role | None]
    person_id: Mapped[int | None] = refers_to("people.id", index=True)
    made_by: Mapped[int | None] = refers_to("people.id")
    created: Mapped[datetime]
    expires: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class Challenge(Base):
    """What was asked of a browser, until it answers: of a passkey, or of an OIDC provider. Each is
    used once."""

    __tablename__ = "challenges"

    token_sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(sa.String(24))
    person_id: Mapped[int | None] = refers_to("people.id", index=True)
    data: Mapped[dict[str, Any]]
    expires: Mapped[datetime] = mapped_column(index=True)


class LoginFailure(Base):
    """How often signing in failed of late, for a login or an address; ``key`` is a keyed hash."""

    __tablename__ = "login_failures"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    count: Mapped[int]
    last: Mapped[datetime] = mapped_column(index=True)
    until: Mapped[datetime]


class ApiKey(Base):
    """A key that belongs to a team; of the key itself only the SHA-256 is kept."""

    __tablename__ = "api_keys"
    __table_args__ = (sa.Index("ix_api_keys_team", "team_id", "prefix"),)

    prefix: Mapped[str] = mapped_column(sa.String(12), primary_key=True)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    team_id: Mapped[int] = refers_to("teams.id")
    name: Mapped[str] = mapped_column(sa.String(120))
    scopes: Mapped[list[Any]]
    created_by: Mapped[int | None] = refers_to("people.id")
    created: Mapped[datetime]
    expires: Mapped[datetime | None]
    last_used: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
