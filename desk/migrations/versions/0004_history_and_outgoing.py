"""The history and its triggers, the search, what comes in and goes out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from desk.migrations.by_hand import drop_search, drop_triggers, make_search, make_triggers

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_WORD = sa.String(length=24)
_TABLES = (
    "counters",
    "erasures",
    "history",
    "history_heads",
    "history_texts",
    "outbox",
    "submissions",
    "webhooks",
    "deliveries",
    "publications",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "counters",
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_counters_team_id"),
        sa.PrimaryKeyConstraint("team_id", "key", name="pk_counters"),
    )

    op.create_table(
        "erasures",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("case_number", sa.Integer(), nullable=False),
        sa.Column("picture_hash", sa.String(length=64), nullable=False),
        sa.Column("reason", _WORD, nullable=False),
        sa.Column("erased_by", sa.String(length=40), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_erasures_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
    )
    op.create_index("ix_erasures_picture", "erasures", ["team_id", "picture_hash"])

    op.create_table(
        "history",
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("case_number", sa.Integer(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=True),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_history_team_id"),
        sa.PrimaryKeyConstraint("team_id", "seq", name="pk_history"),
    )
    op.create_index("ix_history_case", "history", ["team_id", "case_number", "seq"])

    op.create_table(
        "history_heads",
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_history_heads_team_id"),
        sa.PrimaryKeyConstraint("team_id", name="pk_history_heads"),
    )

    op.create_table(
        "history_texts",
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_history_texts_team_id"),
        sa.PrimaryKeyConstraint("team_id", "seq", name="pk_history_texts"),
    )

    op.create_table(
        "outbox",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("case_number", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("done_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_outbox_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_waiting", "outbox", ["done_at", "id"])

    op.create_table(
        "submissions",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("check_id", sa.String(length=32), nullable=False),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.Column("sent_by", sa.String(length=40), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("done_at", _TIME, nullable=True),
        sa.Column("sighting_id", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_submissions_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_submissions"),
        sa.UniqueConstraint("team_id", "check_id", name="uq_submissions_check"),
    )
    op.create_index("ix_submissions_done_at", "submissions", ["done_at"])

    op.create_table(
        "webhooks",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("old_secret", sa.String(length=100), nullable=True),
        sa.Column("old_until", _TIME, nullable=True),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_webhooks_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_index("ix_webhooks_team", "webhooks", ["team_id"])

    op.create_table(
        "deliveries",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("webhook_id", _KEY, nullable=False),
        sa.Column("event_id", sa.String(length=60), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=True),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("next_at", _TIME, nullable=True),
        sa.Column("delivered_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_deliveries_team_id"),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], name="fk_deliveries_webhook_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("webhook_id", "event_id", name="uq_deliveries_event"),
    )
    op.create_index("ix_deliveries_next", "deliveries", ["next_at"])
    op.create_index("ix_deliveries_team", "deliveries", ["team_id", "id"])

    op.create_table(
        "publications",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("case_id", _KEY, nullable=False),
        sa.Column("slug", sa.String(length=22), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("published_by", _KEY, nullable=False),
        sa.Column("published_at", _TIME, nullable=False),
        sa.Column("withdrawn_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_publications_case_id"),
        sa.ForeignKeyConstraint(
            ["published_by"], ["people.id"], name="fk_publications_published_by"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_publications_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_publications"),
        sa.UniqueConstraint("slug", "version", name="uq_publications_version"),
    )
    op.create_index("ix_publications_case", "publications", ["case_id", "version"])
    make_triggers()
    make_search()


def downgrade() -> None:
    """Remove the tables."""
    drop_search()
    drop_triggers()
    for table in reversed(_TABLES):
        op.drop_table(table)
