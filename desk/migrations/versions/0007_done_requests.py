"""The requests that were carried out, so that one that is sent again is not carried out twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "done_requests",
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("key_sha256", sa.String(length=64), nullable=False),
        sa.Column("case_number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_done_requests_team_id"),
        sa.PrimaryKeyConstraint("team_id", "key_sha256", name="pk_done_requests"),
    )
    op.create_index("ix_done_requests_at", "done_requests", ["at"])


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("done_requests")
