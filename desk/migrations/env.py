"""How Alembic reaches the database: over the connection that the caller hands in."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from desk.models import Base
from desk.models.base import Utc

#: What the migrations make by hand, since no model describes it: the search and its shadow tables.
BY_HAND = "case_search"


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Types of our own as the plain types that a revision can name for ever."""
    if kind != "type":
        return False
    if isinstance(item, Utc):
        return "sa.DateTime(timezone=True)"
    return f"sa.String(length={item.length})" if isinstance(item, sa.Enum) else False


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    return kind not in ("table", "index") or BY_HAND not in (name or "")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=_render,
    include_name=_is_ours,
)
with context.begin_transaction():
    context.run_migrations()
