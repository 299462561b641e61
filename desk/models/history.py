"""The history of a team, chained by hash; triggers refuse to change or remove an entry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from desk.models.base import Base, refers_to


class HistoryEntry(Base):
    """One change. ``data`` holds no free text and no name; ``case_number`` is no reference, since
    the entry outlives the case."""

    __tablename__ = "history"
    __table_args__ = (sa.Index("ix_history_case", "team_id", "case_number", "seq"),)

    team_id: Mapped[int] = refers_to("teams.id", primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(sa.String(40))
    action: Mapped[str] = mapped_column(sa.String(40))
    case_number: Mapped[int | None]
    data: Mapped[dict[str, Any]]
    text_sha256: Mapped[str | None] = mapped_column(sa.String(64))
    prev_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64))


class HistoryText(Base):
    """The free text of an entry, which can be erased: the entry keeps its salted hash alone."""

    __tablename__ = "history_texts"

    team_id: Mapped[int] = refers_to("teams.id", primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    salt: Mapped[str] = mapped_column(sa.String(32))
    text: Mapped[str] = mapped_column(sa.Text)


class HistoryHead(Base):
    """The last entry of a team. Every change locks this row first, so changes of one team come one
    after another."""

    __tablename__ = "history_heads"

    team_id: Mapped[int] = refers_to("teams.id", primary_key=True)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(sa.String(64))


class DoneRequest(Base):
    """A request that was carried out, by the hash of who sent it and of its idempotency key;
    ``case_number`` is the case that it changed."""

    __tablename__ = "done_requests"
    __table_args__ = (sa.Index("ix_done_requests_at", "at"),)

    team_id: Mapped[int] = refers_to("teams.id", primary_key=True)
    key_sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    case_number: Mapped[int]
    at: Mapped[datetime]


class Counter(Base):
    """How many cases of a team are in a state: counting a million of them takes 0.3 s."""

    __tablename__ = "counters"

    team_id: Mapped[int] = refers_to("teams.id", primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    n: Mapped[int] = mapped_column(sa.BigInteger)
