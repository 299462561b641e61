"""A migrated desk on each database; a template is copied, so that a test does not migrate."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url

from desk.accounts.secrets import Passwords
from desk.database import Database
from desk.migrations import migrate
from desk.service import Desk, make_desk
from tests.desk.checks import StubChecks
from tests.desk.play import Play
from tests.desk.postgres import create_database, running_postgres
from unmask.settings import Settings

BOTH = ("sqlite", "postgresql")
_numbers = itertools.count(1)


class FakeClock:
    """A clock that a test moves; each look at it moves it by a millisecond."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def pass_time(self, **delta: float) -> None:
        self.now += timedelta(**delta)


async def _migrate(url: URL) -> None:
    database = Database(url)
    await migrate(database)
    await database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("desk") / "template.db"
    asyncio.run(_migrate(make_url(f"sqlite+aiosqlite:///{path}")))
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The folder of the server's socket; its database ``migrated`` is the template."""
    with running_postgres() as folder:
        create_database(folder, "migrated")
        asyncio.run(_migrate(postgres_url(folder, "migrated")))
        yield folder


def postgres_url(folder: str, name: str) -> URL:
    return make_url(f"postgresql+asyncpg://unmask@/{name}?host={folder}")


@pytest.fixture(scope="module", params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> URL:
    """A migrated database of this module; tests make teams of their own in it."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("desk") / "desk.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return make_url(f"sqlite+aiosqlite:///{path}")
    folder = request.getfixturevalue("postgres")
    name = f"test_{next(_numbers)}"
    create_database(folder, name, "migrated")
    return postgres_url(folder, name)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def checks() -> StubChecks:
    return StubChecks()


@pytest.fixture
async def desk(
    database_url: URL, clock: FakeClock, checks: StubChecks, tmp_path: Path
) -> AsyncIterator[Desk]:
    database = Database(database_url)
    yield await make_desk(
        database,
        Settings(data=tmp_path),
        checks=checks,
        clock=clock,
        passwords=Passwords(memory_kib=64, passes=1),
    )
    await database.close()


@pytest.fixture
async def play(desk: Desk) -> Play:
    """A team of its own with an admin and three checkers, and a second team beside it."""
    return await Play.begin(desk, f"team-{next(_numbers)}")
