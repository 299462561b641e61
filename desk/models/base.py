"""What all tables share: names of constraints, and the types of columns."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Utc(types.TypeDecorator[datetime]):
    """A moment, aware and in UTC on both sides; SQLite keeps no zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment in UTC."""
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment with its zone."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


#: A number of 64 bits; SQLite counts up by itself only in a column of this very type.
BigKey = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WORD = sa.Enum(
    enum.Enum,
    native_enum=False,
    create_constraint=False,
    length=24,
    values_callable=lambda words: [word.value for word in words],
)


class Base(DeclarativeBase):
    """The base of all tables."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: Utc(),
        enum.Enum: _WORD,
        dict[str, Any]: sa.JSON(),
        list[Any]: sa.JSON(),
        bytes: sa.LargeBinary(),
    }


def key() -> Mapped[int]:
    """The column of a row's own number."""
    return mapped_column(BigKey, primary_key=True, autoincrement=True)


def refers_to(column: str, **options: Any) -> Mapped[Any]:
    """A column that refers to another table's row; it is indexed only where the caller says so."""
    return mapped_column(BigKey, sa.ForeignKey(column), **options)
