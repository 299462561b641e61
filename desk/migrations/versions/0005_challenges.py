"""Challenges of passkeys and of an OIDC provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "challenges",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=24), nullable=False),
        sa.Column("person_id", _KEY, nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_challenges_person_id"),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_challenges"),
    )
    op.create_index("ix_challenges_expires", "challenges", ["expires"])
    op.create_index("ix_challenges_person_id", "challenges", ["person_id"])


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("challenges")
