"""What people add to a case: opinions, comments, tags; and what tells them of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from desk.models.base import Base, key, refers_to
from desk.vocabulary import Confidence, HumanVerdict, NoticeKind, OpinionRole


class Opinion(Base):
    """What one person says of a case in one round; a case that is reopened begins another."""

    __tablename__ = "opinions"
    __table_args__ = (
        sa.UniqueConstraint("case_id", "round", "person_id", name="uq_opinions_person"),
        sa.Index("ix_opinions_person", "team_id", "person_id"),
    )

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    case_id: Mapped[int] = refers_to("cases.id")
    person_id: Mapped[int] = refers_to("people.id")
    round: Mapped[int]
    role: Mapped[OpinionRole]
    verdict: Mapped[HumanVerdict]
    confidence: Mapped[Confidence]
    reasoning: Mapped[str] = mapped_column(sa.Text)
    evidence_links: Mapped[list[Any]]
    score_was_shown: Mapped[bool] = mapped_column(default=True)
    submitted_at: Mapped[datetime]


class Comment(Base):
    """A remark on a case."""

    __tablename__ = "comments"
    __table_args__ = (sa.Index("ix_comments_case", "case_id", "id"),)

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    case_id: Mapped[int] = refers_to("cases.id")
    author: Mapped[str] = mapped_column(sa.String(40))
    person_id: Mapped[int | None] = refers_to("people.id")
    body: Mapped[str] = mapped_column(sa.Text)
    created: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class Mention(Base):
    """A person whom a comment names with @login."""

    __tablename__ = "mentions"

    comment_id: Mapped[int] = refers_to("comments.id", primary_key=True)
    person_id: Mapped[int] = refers_to("people.id", primary_key=True)


class Watch(Base):
    """A person who wants to know what happens to a case."""

    __tablename__ = "watches"
    __table_args__ = (sa.Index("ix_watches_person", "person_id"),)

    case_id: Mapped[int] = refers_to("cases.id", primary_key=True)
    person_id: Mapped[int] = refers_to("people.id", primary_key=True)


class Notice(Base):
    """What a person is told of a case, until it is read."""

    __tablename__ = "notices"
    __table_args__ = (sa.Index("ix_notices_person", "team_id", "person_id", "read_at", "id"),)

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    person_id: Mapped[int] = refers_to("people.id")
    kind: Mapped[NoticeKind]
    case_id: Mapped[int | None] = refers_to("cases.id", index=True)
    by: Mapped[str] = mapped_column(sa.String(40))
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class Tag(Base):
    """A word that a team gives to cases; ``name`` is case-folded."""

    __tablename__ = "tags"
    __table_args__ = (sa.UniqueConstraint("team_id", "name", name="uq_tags_name"),)

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    name: Mapped[str] = mapped_column(sa.String(60))


class CaseTag(Base):
    """A tag on a case."""

    __tablename__ = "case_tags"
    __table_args__ = (sa.Index("ix_case_tags_tag", "tag_id", "case_id"),)

    case_id: Mapped[int] = refers_to("cases.id", primary_key=True)
    tag_id: Mapped[int] = refers_to("tags.id", primary_key=True)


class SavedFilter(Base):
    """A filter of the queue under a name: a person's own, or the team's."""

    __tablename__ = "saved_filters"
    __table_args__ = (
        sa.UniqueConstraint("team_id", "person_id", "name", name="uq_saved_filters_name"),
    )

    id: Mapped[int] = key()
    team_id: Mapped[int] = refers_to("teams.id")
    person_id: Mapped[int | None] = refers_to("people.id")
    name: Mapped[str] = mapped_column(sa.String(60))
    query: Mapped[dict[str, Any]]
    created: Mapped[datetime]
