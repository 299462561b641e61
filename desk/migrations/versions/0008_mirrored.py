"""Whether two cases were suggested because one picture is the mirror image of the other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    mirrored: sa.Column[bool] = sa.Column(
        "mirrored", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    with op.batch_alter_table("suggestions") as table:
        table.add_column(mirrored)


def downgrade() -> None:
    """Remove the column."""
    with op.batch_alter_table("suggestions") as table:
        table.drop_column("mirrored")
