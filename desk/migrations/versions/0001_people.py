"""Teams, people, and what lets them in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_WORD = sa.String(length=24)
_TABLES = (
    "installation",
    "login_failures",
    "people",
    "teams",
    "api_keys",
    "identities",
    "links",
    "members",
    "sessions",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
    )

    op.create_table(
        "login_failures",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last", _TIME, nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_login_failures"),
    )
    op.create_index("ix_login_failures_last", "login_failures", ["last"])

    op.create_table(
        "people",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("login", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("locale", sa.String(length=12), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("disabled_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("login", name="uq_people_login"),
    )

    op.create_table(
        "teams",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("locale", sa.String(length=12), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("next_number", sa.Integer(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_teams"),
        sa.UniqueConstraint("slug", name="uq_teams_slug"),
    )

    op.create_table(
        "api_keys",
        sa.Column("prefix", sa.String(length=12), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_by", _KEY, nullable=True),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("expires", _TIME, nullable=True),
        sa.Column("last_used", _TIME, nullable=True),
        sa.Column("revoked_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name="fk_api_keys_created_by"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_api_keys_team_id"),
        sa.PrimaryKeyConstraint("prefix", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_team", "api_keys", ["team_id", "prefix"])

    op.create_table(
        "identities",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("person_id", _KEY, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=True),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_identities_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_identities"),
        sa.UniqueConstraint("kind", "issuer", "subject", name="uq_identities_kind_issuer_subject"),
    )
    op.create_index("ix_identities_person_id", "identities", ["person_id"])

    op.create_table(
        "links",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("purpose", _WORD, nullable=False),
        sa.Column("team_id", _KEY, nullable=True),
        sa.Column("role", _WORD, nullable=True),
        sa.Column("person_id", _KEY, nullable=True),
        sa.Column("made_by", _KEY, nullable=True),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("expires", _TIME, nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["people.id"], name="fk_links_made_by"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_links_person_id"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_links_team_id"),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_links"),
    )
    op.create_index("ix_links_expires", "links", ["expires"])
    op.create_index("ix_links_person_id", "links", ["person_id"])
    op.create_index("ix_links_team_id", "links", ["team_id"])

    op.create_table(
        "members",
        sa.Column("team_id", _KEY, nullable=False),
        sa.Column("person_id", _KEY, nullable=False),
        sa.Column("role", _WORD, nullable=False),
        sa.Column("joined", _TIME, nullable=False),
        sa.Column("left_at", _TIME, nullable=True),
        sa.Column("former_number", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_members_person_id"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_members_team_id"),
        sa.PrimaryKeyConstraint("team_id", "person_id", name="pk_members"),
    )
    op.create_index("ix_members_person", "members", ["person_id"])

    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("person_id", _KEY, nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("last_seen", _TIME, nullable=False),
        sa.Column("expires", _TIME, nullable=False),
        sa.Column("user_agent", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_sessions_person_id"),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_sessions"),
    )
    op.create_index("ix_sessions_expires", "sessions", ["expires"])
    op.create_index("ix_sessions_person_id", "sessions", ["person_id"])


def downgrade() -> None:
    """Remove the tables."""
    for table in reversed(_TABLES):
        op.drop_table(table)
