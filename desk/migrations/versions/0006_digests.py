"""The days of which a team's digest was handed out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "digest_days",
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_digest_days_team_id"),
        sa.PrimaryKeyConstraint("team_id", "day", name="pk_digest_days"),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("digest_days")
