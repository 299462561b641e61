"""Opinions, comments, tags, notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_WORD = sa.String(length=24)
_TABLES = (
    "saved_filters",
    "tags",
    "case_tags",
    "comments",
    "notices",
    "opinions",
    "watches",
    "mentions",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "saved_filters",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("person_id", _KEY, nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_saved_filters_person_id"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_saved_filters_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_filters"),
        sa.UniqueConstraint("team_id", "person_id", "name", name="uq_saved_filters_name"),
    )

    op.create_table(
        "tags",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_tags_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tags"),
        sa.UniqueConstraint("team_id", "name", name="uq_tags_name"),
    )

    op.create_table(
        "case_tags",
        sa.Column("case_id", _KEY, nullable=False),
        sa.Column("tag_id", _KEY, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_tags_case_id"),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name="fk_case_tags_tag_id"),
        sa.PrimaryKeyConstraint("case_id", "tag_id", name="pk_case_tags"),
    )
    op.create_index("ix_case_tags_tag", "case_tags", ["tag_id", "case_id"])

    op.create_table(
        "comments",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("case_id", _KEY, nullable=False),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("person_id", _KEY, nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("edited_at", _TIME, nullable=True),
        sa.Column("removed_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_comments_case_id"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_comments_person_id"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_comments_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_comments"),
    )
    op.create_index("ix_comments_case", "comments", ["case_id", "id"])

    op.create_table(
        "notices",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("person_id", _KEY, nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("case_id", _KEY, nullable=True),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("read_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_notices_case_id"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_notices_person_id"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_notices_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    op.create_index("ix_notices_case_id", "notices", ["case_id"])
    op.create_index("ix_notices_person", "notices", ["team_id", "person_id", "read_at", "id"])

    op.create_table(
        "opinions",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("case_id", _KEY, nullable=False),
        sa.Column("person_id", _KEY, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("role", _WORD, nullable=False),
        sa.Column("verdict", _WORD, nullable=False),
        sa.Column("confidence", _WORD, nullable=False),
        sa.Column("reasoning", sa.Text(), nullable=False),
        sa.Column("evidence_links", sa.JSON(), nullable=False),
        sa.Column("score_was_shown", sa.Boolean(), nullable=False),
        sa.Column("submitted_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_opinions_case_id"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_opinions_person_id"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_opinions_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_opinions"),
        sa.UniqueConstraint("case_id", "round", "person_id", name="uq_opinions_person"),
    )
    op.create_index("ix_opinions_person", "opinions", ["team_id", "person_id"])

    op.create_table(
        "watches",
        sa.Column("case_id", _KEY, nullable=False),
        sa.Column("person_id", _KEY, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_watches_case_id"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_watches_person_id"),
        sa.PrimaryKeyConstraint("case_id", "person_id", name="pk_watches"),
    )
    op.create_index("ix_watches_person", "watches", ["person_id"])

    op.create_table(
        "mentions",
        sa.Column("comment_id", _KEY, nullable=False),
        sa.Column("person_id", _KEY, nullable=False),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name="fk_mentions_comment_id"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_mentions_person_id"),
        sa.PrimaryKeyConstraint("comment_id", "person_id", name="pk_mentions"),
    )


def downgrade() -> None:
    """Remove the tables."""
    for table in reversed(_TABLES):
        op.drop_table(table)
