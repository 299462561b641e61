"""The database, and the one place that knows SQLite from PostgreSQL.

SQLite has one writer: all writing transactions of this process wait in line for one connection and
begin with ``BEGIN IMMEDIATE``, so that none fails half-way for a lock. Readers have connections of
their own, which cannot write. PostgreSQL has one pool.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm.exc import StaleDataError

from unmask.errors import SettingsError, UnmaskError
from unmask.settings import Settings

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_DRIVERS = {SQLITE: "sqlite+aiosqlite", POSTGRESQL: "postgresql+asyncpg"}
#: Milliseconds that SQLite waits for the lock of another process.
_BUSY_MS = 5_000
_READERS, _CONNECTIONS = 8, 12
#: What each connection to SQLite is told. ``secure_delete`` overwrites what is deleted: an erased
#: case must not lie in free pages.
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    f"busy_timeout={_BUSY_MS}",
    "secure_delete=ON",
)


def database_url(settings: Settings) -> URL:
    """The database that the settings name, by default a file in ``settings.data``.

    Raises :class:`SettingsError` for a URL of another kind of database.
    """
    text = settings.database
    if not text:
        path = settings.data.expanduser().absolute() / "desk.db"
        return URL.create(_DRIVERS[SQLITE], database=str(path))
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise SettingsError("UNMASK_DATABASE: it cannot be read as a URL.") from error
    kind = url.get_backend_name()
    if kind not in _DRIVERS:
        raise SettingsError("UNMASK_DATABASE: it must begin with sqlite: or postgresql:.")
    if kind == SQLITE and url.database in (None, "", ":memory:"):
        raise SettingsError("UNMASK_DATABASE: SQLite needs the path of a file.")
    return url.set(drivername=_DRIVERS[kind])


class Database:
    """Transactions that write, and transactions that only read."""

    def __init__(self, url: URL) -> None:
        """``url`` is one of :func:`database_url`. Nothing is connected yet."""
        self.url = url
        self.kind = url.get_backend_name()
        if self.kind == SQLITE:
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
            self._writer = _sqlite(url, "IMMEDIATE", pool_size=1, max_overflow=0)
            self._reader = _sqlite(url, "DEFERRED", pool_size=_READERS, max_overflow=0)
        else:
            self._writer = create_async_engine(
                url, pool_size=_CONNECTIONS, max_overflow=0, pool_pre_ping=True
            )
            self._reader = self._writer.execution_options(postgresql_readonly=True)

    @classmethod
    def of(cls, settings: Settings) -> Database:
        """The database that the settings name."""
        return cls(database_url(settings))

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite: then one process writes."""
        return self.kind == SQLITE

    @property
    def engine(self) -> AsyncEngine:
        """The engine that writes, for migrations."""
        return self._writer

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A transaction that is committed at the end of the block, and undone by an exception.

        Raises ``conflict`` where a row was changed meanwhile, and ``database_unavailable``.
        """
        with _faults():
            async with (
                AsyncSession(self._writer, expire_on_commit=False) as session,
                session.begin(),
            ):
                yield session

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A transaction that cannot write, and that waits for no writer."""
        with _faults():
            async with (
                AsyncSession(self._reader, expire_on_commit=False) as session,
                session.begin(),
            ):
                yield session

    async def close(self) -> None:
        """Close all connections."""
        await self._reader.dispose()
        await self._writer.dispose()


async def insert_missing(
    session: AsyncSession, table: type[DeclarativeBase], **values: Any
) -> None:
    """Insert a row unless one with its key is there, also where two do so at one time."""
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == SQLITE else postgresql.insert
    await session.execute(insert(table).values(**values).on_conflict_do_nothing())


def _session(engine: AsyncEngine) -> AsyncSession:
    return AsyncSession(engine, expire_on_commit=False)


def _sqlite(url: URL, begin: str, **pool: Any) -> AsyncEngine:
    engine = create_async_engine(url, **pool)

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # else the driver begins transactions by itself
        cursor = connection.cursor()
        for pragma in (*_PRAGMAS, f"query_only={int(begin != 'IMMEDIATE')}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(f"BEGIN {begin}")

    return engine


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    """Turns what a database raises into an :class:`UnmaskError`."""
    try:
        yield
    except StaleDataError as error:
        message = "The case was changed meanwhile; look at it again."
        raise UnmaskError("conflict", message) from error
    except (OperationalError, InterfaceError, OSError) as error:
        raise _unavailable() from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _unavailable() from error
        raise


def _unavailable() -> UnmaskError:
    message = "The desk's database cannot be used just now; try again in a moment."
    return UnmaskError("database_unavailable", message)
