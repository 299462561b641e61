"""What comes in from checks and goes out to others, each until it is done."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from desk.models.base import Base, key, refers_to
from desk.vocabulary import DigestFailure


class Submission(Base):
    """A check that was sent to the team and has not become a sighting yet."""

    __tablename__ = "submissions"
    __table_args__ = (sa.UniqueConstraint("team_id", "check_id", name="uq_submissions_check"),)

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    check_id: Mapped[str] = mapped_column(sa.String(32))
    source: Mapped[dict[str, Any]]
    sent_by: Mapped[str] = mapped_column(sa.String(40))
    created: Mapped[datetime]
    done_at: Mapped[datetime | None] = mapped_column(index=True)
    sighting_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    error: Mapped[str | None] = mapped_column(sa.String(40))


class Outbox(Base):
    """An event that must leave after the transaction that made it was committed."""

    __tablename__ = "outbox"
    __table_args__ = (sa.Index("ix_outbox_waiting", "done_at", "id"),)

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    seq: Mapped[int]
    kind: Mapped[str] = mapped_column(sa.String(40))
    case_number: Mapped[int | None]
    version: Mapped[int | None]
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class Webhook(Base):
    """Where a team wants its events. ``old_secret`` signs along until ``old_until``."""

    __tablename__ = "webhooks"
    __table_args__ = (sa.Index("ix_webhooks_team", "team_id"),)

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    url: Mapped[str] = mapped_column(sa.Text)
    secret: Mapped[str] = mapped_column(sa.String(100))
    old_secret: Mapped[str | None] = mapped_column(sa.String(100))
    old_until: Mapped[datetime | None]
    events: Mapped[list[Any]]
    active: Mapped[bool] = mapped_column(default=True)
    failures: Mapped[int] = mapped_column(default=0)
    created: Mapped[datetime]


class Delivery(Base):
    """One event on its way to one webhook; ``(webhook_id, event_id)`` is unique, so a crash doubles
    nothing."""

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.UniqueConstraint("webhook_id", "event_id", name="uq_deliveries_event"),
        sa.Index("ix_deliveries_next", "next_at"),
        sa.Index("ix_deliveries_team", "team_id", "id"),
    )

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    webhook_id: Mapped[int] = refers_to("webhooks.id")
    event_id: Mapped[str] = mapped_column(sa.String(60))
    body: Mapped[str] = mapped_column(sa.Text)
    attempts: Mapped[int] = mapped_column(default=0)
    status: Mapped[int | None]
    answer: Mapped[str] = mapped_column(sa.Text, default="")
    milliseconds: Mapped[int | None]
    created: Mapped[datetime]
    next_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]


class DigestDay(Base):
    """That the digest of a day, by the team's own calendar, was handed to a bot: ``holder`` is the
    bot, ``done_at`` when it had sent it, ``failure`` why it could not. Without ``holder`` there was
    nothing to say."""

    __tablename__ = "digest_days"

    team_id: Mapped[int] = refers_to("teams.id", primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    holder: Mapped[str] = mapped_column(sa.String(40))
    taken_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    failure: Mapped[DigestFailure | None]


class Publication(Base):
    """One version of a case's public report; the newest of a slug is shown, older ones are kept."""

    __tablename__ = "publications"
    __table_args__ = (
        sa.UniqueConstraint("slug", "version", name="uq_publications_version"),
        sa.Index("ix_publications_case", "case_id", "version"),
    )

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    case_id: Mapped[int] = refers_to("cases.id")
    slug: Mapped[str] = mapped_column(sa.String(22))
    version: Mapped[int]
    content: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(sa.Text, default="")
    published_by: Mapped[int] = refers_to("people.id")
    published_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Erasure(Base):
    """That a case was erased; of its pictures only keyed hashes stay, to know them again."""

    __tablename__ = "erasures"
    __table_args__ = (sa.Index("ix_erasures_picture", "team_id", "picture_hash"),)

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    case_number: Mapped[int]
    picture_hash: Mapped[str] = mapped_column(sa.String(64))
    reason: Mapped[str] = mapped_column(sa.String(24))
    erased_by: Mapped[str] = mapped_column(sa.String(40))
    at: Mapped[datetime]
