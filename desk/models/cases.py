"""Cases, the pictures that they are about, and where those were seen.

``cases`` is narrow: a page of the queue reads no text. Each order of the open queue has a partial
index of its own, for most cases are decided and of no interest to it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from desk.models.base import Base, key, refers_to
from desk.vocabulary import CaseState, DismissReason, HumanVerdict, Match, Review, SuggestionState
from unmask.report import Door, Verdict

#: Conditions of partial indexes: the open queue, and cases that were not joined to another. A query
#: must have them in these words, or the indexes are not used.
OPEN = sa.text("state IN ('new', 'claimed', 'second') AND joined_into IS NULL")
ALIVE = sa.text("joined_into IS NULL")


def _index(name: str, *columns: str, where: sa.TextClause) -> sa.Index:
    """A partial index; it is read backwards for the greatest first."""
    return sa.Index(name, *columns, sqlite_where=where, postgresql_where=where)


class Case(Base):
    """One case. ``number`` names it within its team; ``suspicion`` is the machine's per cent, -1
    without a face; ``rank`` orders the queue (:func:`desk.queue.ranking.rank_of`). ``version``
    counts what people decide on: state, claim, verdict, texts."""

    __tablename__ = "cases"
    __table_args__ = (
        sa.UniqueConstraint("team_id", "number", name="uq_cases_number"),
        _index("ix_cases_state", "team_id", "state", "id", where=ALIVE),
        _index("ix_cases_suspicion", "team_id", "suspicion", "id", where=ALIVE),
        _index("ix_cases_rank", "team_id", "rank", "id", where=ALIVE),
        _index("ix_cases_sightings", "team_id", "sightings", "id", where=ALIVE),
        _index("ix_cases_decided", "team_id", "decided_at", "id", where=ALIVE),
        sa.Index("ix_cases_claimed_by", "team_id", "claimed_by", "claimed_until"),
        sa.Index("ix_cases_joined_into", "joined_into"),
        sa.Index("ix_cases_updated", "team_id", "updated"),
        # last: of two indexes that would do, SQLite takes the one that was made later
        _index("ix_cases_open_rank", "team_id", "rank", "id", where=OPEN),
        _index("ix_cases_open_suspicion", "team_id", "suspicion", "id", where=OPEN),
        _index("ix_cases_open_sightings", "team_id", "sightings", "id", where=OPEN),
        _index("ix_cases_open_due", "team_id", "due_at", "id", where=OPEN),
        _index("ix_cases_open_id", "team_id", "id", where=OPEN),
    )

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    number: Mapped[int]
    picture_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    state: Mapped[CaseState] = mapped_column(default=CaseState.NEW)
    review: Mapped[Review] = mapped_column(default=Review.NONE)
    round: Mapped[int] = mapped_column(default=1)
    priority: Mapped[int] = mapped_column(sa.SmallInteger, default=1)
    suspicion: Mapped[int] = mapped_column(sa.SmallInteger, default=-1)
    rank: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    machine_verdict: Mapped[Verdict]
    claimed_by: Mapped[int | None] = refers_to("people.id")
    claimed_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    sensitive: Mapped[bool] = mapped_column(default=False)
    legal_hold: Mapped[bool] = mapped_column(default=False)
    sightings: Mapped[int] = mapped_column(default=0)
    last_sighting_at: Mapped[datetime | None]
    verdict: Mapped[HumanVerdict | None]
    by_second: Mapped[bool] = mapped_column(default=False)
    decided_at: Mapped[datetime | None]
    dismissed_for: Mapped[DismissReason | None]
    joined_into: Mapped[int | None] = refers_to("cases.id")
    version: Mapped[int] = mapped_column(default=1)
    created: Mapped[datetime]
    updated: Mapped[datetime]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it


class CaseText(Base):
    """What people wrote about a case; ``folded`` is what the search reads (:mod:`desk.text`)."""

    __tablename__ = "case_text"

    case_id: Mapped[int] = refers_to("cases.id", primary_key=True)
    team_id: Mapped[int] = refers_to("teams.id")
    title: Mapped[str] = mapped_column(sa.Text, default="")
    claim: Mapped[str] = mapped_column(sa.Text, default="")
    summary: Mapped[str] = mapped_column(sa.Text, default="")
    folded: Mapped[str] = mapped_column(sa.Text, default="")


class Picture(Base):
    """One file that the team has. ``phash`` are the 64 bits of the perceptual hash as a signed
    number, ``b0`` to ``b3`` its four bands of 16 bits: two hashes that differ in at most seven bits
    have a band in which they differ in at most one. ``is_plain`` marks pictures too flat for the
    hash to say anything."""

    __tablename__ = "pictures"
    __table_args__ = (
        sa.UniqueConstraint("team_id", "sha256", name="uq_pictures_sha256"),
        # Covering: the look-up reads the index alone, 0.3 ms instead of 47 at a million pictures.
        *(sa.Index(f"ix_pictures_b{n}", "team_id", f"b{n}", "phash", "id") for n in range(4)),
        sa.Index("ix_pictures_case", "case_id"),
    )

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    case_id: Mapped[int] = refers_to("cases.id")
    sha256: Mapped[str] = mapped_column(sa.String(64))
    width: Mapped[int]
    height: Mapped[int]
    format: Mapped[str] = mapped_column(sa.String(8))
    size: Mapped[int] = mapped_column(sa.BigInteger)
    phash: Mapped[int] = mapped_column(sa.BigInteger)
    b0: Mapped[int]
    b1: Mapped[int]
    b2: Mapped[int]
    b3: Mapped[int]
    is_plain: Mapped[bool] = mapped_column(default=False)
    store_key: Mapped[str] = mapped_column(sa.String(32))
    created: Mapped[datetime]


class Report(Base):
    """The machine's report on a picture, as it was when the picture came."""

    __tablename__ = "reports"
    __table_args__ = (sa.UniqueConstraint("picture_id", "model_sha256", name="uq_reports_model"),)

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    picture_id: Mapped[int] = refers_to("pictures.id")
    model_version: Mapped[str] = mapped_column(sa.String(40))
    model_sha256: Mapped[str] = mapped_column(sa.String(64))
    verdict: Mapped[Verdict]
    fake_probability: Mapped[float | None]
    report: Mapped[dict[str, Any]]
    created: Mapped[datetime]


class Sighting(Base):
    """One time that a picture was sent to the team, and from where."""

    __tablename__ = "sightings"
    __table_args__ = (
        sa.Index("ix_sightings_case", "case_id", "id"),
        sa.Index("ix_sightings_seen", "team_id", "seen_at"),
        sa.Index("ix_sightings_host", "team_id", "page_host", "case_id"),
    )

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    case_id: Mapped[int] = refers_to("cases.id")
    picture_id: Mapped[int] = refers_to("pictures.id", index=True)
    door: Mapped[Door]
    match: Mapped[Match]
    distance: Mapped[int | None] = mapped_column(sa.SmallInteger)
    page_url: Mapped[str | None] = mapped_column(sa.Text)
    page_host: Mapped[str | None] = mapped_column(sa.String(255))
    picture_url: Mapped[str | None] = mapped_column(sa.Text)
    channel: Mapped[str | None] = mapped_column(sa.String(200))
    note: Mapped[str | None] = mapped_column(sa.Text)
    sent_by: Mapped[str] = mapped_column(sa.String(40))
    seen_at: Mapped[datetime]


class Suggestion(Base):
    """Two cases that may show one picture, until a person says so; ``case_a`` < ``case_b``.
    ``mirrored``: one picture is near to the mirror image of the other."""

    __tablename__ = "suggestions"
    __table_args__ = (
        sa.UniqueConstraint("team_id", "case_a", "case_b", name="uq_suggestions_pair"),
        sa.Index("ix_suggestions_b", "team_id", "case_b"),
    )

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    case_a: Mapped[int] = refers_to("cases.id")
    case_b: Mapped[int] = refers_to("cases.id")
    distance: Mapped[int] = mapped_column(sa.SmallInteger)
    mirrored: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    state: Mapped[SuggestionState] = mapped_column(default=SuggestionState.OPEN)
    resolved_by: Mapped[str | None] = mapped_column(sa.String(40))
    created: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
