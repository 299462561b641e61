"""Cases, pictures, sightings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_WORD = sa.String(length=24)
_OPEN = sa.text("state IN ('new', 'claimed', 'second') AND joined_into IS NULL")
_ALIVE = sa.text("joined_into IS NULL")
_TABLES = (
    "cases",
    "case_text",
    "pictures",
    "suggestions",
    "reports",
    "sightings",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "cases",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("picture_id", sa.BigInteger(), nullable=True),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("review", _WORD, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("suspicion", sa.SmallInteger(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("machine_verdict", _WORD, nullable=False),
        sa.Column("claimed_by", _KEY, nullable=True),
        sa.Column("claimed_at", _TIME, nullable=True),
        sa.Column("claimed_until", _TIME, nullable=True),
        sa.Column("due_at", _TIME, nullable=True),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("legal_hold", sa.Boolean(), nullable=False),
        sa.Column("sightings", sa.Integer(), nullable=False),
        sa.Column("last_sighting_at", _TIME, nullable=True),
        sa.Column("verdict", _WORD, nullable=True),
        sa.Column("by_second", sa.Boolean(), nullable=False),
        sa.Column("decided_at", _TIME, nullable=True),
        sa.Column("dismissed_for", _WORD, nullable=True),
        sa.Column("joined_into", _KEY, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("updated", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["claimed_by"], ["people.id"], name="fk_cases_claimed_by"),
        sa.ForeignKeyConstraint(["joined_into"], ["cases.id"], name="fk_cases_joined_into"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_cases_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.UniqueConstraint("team_id", "number", name="uq_cases_number"),
    )
    op.create_index("ix_cases_claimed_by", "cases", ["team_id", "claimed_by", "claimed_until"])
    _create_partial("ix_cases_decided", "cases", ["team_id", "decided_at", "id"], _ALIVE)
    op.create_index("ix_cases_joined_into", "cases", ["joined_into"])
    _create_partial("ix_cases_rank", "cases", ["team_id", "rank", "id"], _ALIVE)
    _create_partial("ix_cases_sightings", "cases", ["team_id", "sightings", "id"], _ALIVE)
    _create_partial("ix_cases_state", "cases", ["team_id", "state", "id"], _ALIVE)
    _create_partial("ix_cases_suspicion", "cases", ["team_id", "suspicion", "id"], _ALIVE)
    op.create_index("ix_cases_updated", "cases", ["team_id", "updated"])
    # last: of two indexes that would do, SQLite takes the one that was made later
    _create_partial("ix_cases_open_due", "cases", ["team_id", "due_at", "id"], _OPEN)
    _create_partial("ix_cases_open_id", "cases", ["team_id", "id"], _OPEN)
    _create_partial("ix_cases_open_rank", "cases", ["team_id", "rank", "id"], _OPEN)
    _create_partial("ix_cases_open_sightings", "cases", ["team_id", "sightings", "id"], _OPEN)
    _create_partial("ix_cases_open_suspicion", "cases", ["team_id", "suspicion", "id"], _OPEN)

    op.create_table(
        "case_text",
        sa.Column("case_id", _KEY, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_text_case_id"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_case_text_team_id"),
        sa.PrimaryKeyConstraint("case_id", name="pk_case_text"),
    )

    op.create_table(
        "pictures",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("case_id", _KEY, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("phash", sa.BigInteger(), nullable=False),
        sa.Column("b0", sa.Integer(), nullable=False),
        sa.Column("b1", sa.Integer(), nullable=False),
        sa.Column("b2", sa.Integer(), nullable=False),
        sa.Column("b3", sa.Integer(), nullable=False),
        sa.Column("is_plain", sa.Boolean(), nullable=False),
        sa.Column("store_key", sa.String(length=32), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_pictures_case_id"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_pictures_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_pictures"),
        sa.UniqueConstraint("team_id", "sha256", name="uq_pictures_sha256"),
    )
    op.create_index("ix_pictures_b0", "pictures", ["team_id", "b0", "phash", "id"])
    op.create_index("ix_pictures_b1", "pictures", ["team_id", "b1", "phash", "id"])
    op.create_index("ix_pictures_b2", "pictures", ["team_id", "b2", "phash", "id"])
    op.create_index("ix_pictures_b3", "pictures", ["team_id", "b3", "phash", "id"])
    op.create_index("ix_pictures_case", "pictures", ["case_id"])

    op.create_table(
        "suggestions",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("case_a", _KEY, nullable=False),
        sa.Column("case_b", _KEY, nullable=False),
        sa.Column("distance", sa.SmallInteger(), nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("resolved_by", sa.String(length=40), nullable=True),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("resolved_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["case_a"], ["cases.id"], name="fk_suggestions_case_a"),
        sa.ForeignKeyConstraint(["case_b"], ["cases.id"], name="fk_suggestions_case_b"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_suggestions_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_suggestions"),
        sa.UniqueConstraint("team_id", "case_a", "case_b", name="uq_suggestions_pair"),
    )
    op.create_index("ix_suggestions_b", "suggestions", ["team_id", "case_b"])

    op.create_table(
        "reports",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("picture_id", _KEY, nullable=False),
        sa.Column("model_version", sa.String(length=40), nullable=False),
        sa.Column("model_sha256", sa.String(length=64), nullable=False),
        sa.Column("verdict", _WORD, nullable=False),
        sa.Column("fake_probability", sa.Double(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["picture_id"], ["pictures.id"], name="fk_reports_picture_id"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_reports_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
        sa.UniqueConstraint("picture_id", "model_sha256", name="uq_reports_model"),
    )

    op.create_table(
        "sightings",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("case_id", _KEY, nullable=False),
        sa.Column("picture_id", _KEY, nullable=False),
        sa.Column("door", _WORD, nullable=False),
        sa.Column("match", _WORD, nullable=False),
        sa.Column("distance", sa.SmallInteger(), nullable=True),
        sa.Column("page_url", sa.Text(), nullable=True),
        sa.Column("page_host", sa.String(length=255), nullable=True),
        sa.Column("picture_url", sa.Text(), nullable=True),
        sa.Column("channel", sa.String(length=200), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("sent_by", sa.String(length=40), nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_sightings_case_id"),
        sa.ForeignKeyConstraint(["picture_id"], ["pictures.id"], name="fk_sightings_picture_id"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_sightings_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sightings"),
    )
    op.create_index("ix_sightings_case", "sightings", ["case_id", "id"])
    op.create_index("ix_sightings_host", "sightings", ["team_id", "page_host", "case_id"])
    op.create_index("ix_sightings_picture_id", "sightings", ["picture_id"])
    op.create_index("ix_sightings_seen", "sightings", ["team_id", "seen_at"])


def downgrade() -> None:
    """Remove the tables."""
    for table in reversed(_TABLES):
        op.drop_table(table)


def _create_partial(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
