"""The revisions make the tables that the models describe, on both databases."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy import URL, make_url
from sqlalchemy.exc import DBAPIError

from desk.database import Database, database_url
from desk.migrations import _config, differences, migrate, newest, require_newest, revision
from desk.service import Desk
from tests.desk.play import Play, refused
from unmask.errors import SettingsError
from unmask.settings import Settings

pytestmark = pytest.mark.anyio


async def test_tables_and_models_are_the_same(desk: Desk) -> None:
    assert await revision(desk.database) == newest()
    await differences(desk.database)


async def test_a_difference_would_be_seen(desk: Desk) -> None:
    async with desk.database.engine.begin() as connection:
        await connection.execute(sa.text("CREATE TABLE stray (id INTEGER)"))
    with pytest.raises(Exception, match="stray"):
        await differences(desk.database)
    async with desk.database.engine.begin() as connection:
        await connection.execute(sa.text("DROP TABLE stray"))


async def test_migrating_twice_changes_nothing(desk: Desk) -> None:
    before, after = await migrate(desk.database)
    assert before == after == newest()


async def test_many_processes_may_migrate_at_once(tmp_path: Path) -> None:
    url = make_url(f"sqlite+aiosqlite:///{tmp_path}/desk.db")
    script = f"""
import asyncio
from sqlalchemy import make_url
from desk.database import Database
from desk.migrations import migrate
print(*asyncio.run(migrate(Database(make_url("{url}")))))
"""
    import sys

    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    outs = [(await process.communicate())[0].decode().split() for process in processes]
    assert sorted(outs) == sorted([["None", newest()], *([[newest(), newest()]] * 2)])


async def test_down_and_up_again(tmp_path: Path) -> None:
    database = Database(make_url(f"sqlite+aiosqlite:///{tmp_path}/desk.db"))
    await migrate(database)
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda sync: command.downgrade(_config(sync), "base"))
        left = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    assert left == ["alembic_version"]
    with refused("database_unavailable"):
        await require_newest(database)
    await migrate(database)
    await differences(database)
    await database.close()


@pytest.mark.parametrize("table", ["history", "history_texts"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET seq = seq", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_history_is_append_only(play: Play, table: str, statement: str) -> None:
    allowed = table == "history_texts" and not statement.startswith("UPDATE")
    if allowed or (play.desk.database.is_sqlite and statement.startswith("TRUNCATE")):
        return
    await play.decided()
    with pytest.raises(DBAPIError, match="append-only"):
        async with play.desk.database.engine.begin() as connection:
            await connection.execute(sa.text(statement.format(table)))


async def test_readers_cannot_write(play: Play) -> None:
    with pytest.raises((DBAPIError, Exception), match=r"read-?only|unavailable|cannot be used"):
        async with play.desk.database.reading() as session:
            await session.execute(sa.text("UPDATE teams SET name = 'x'"))


def test_the_database_of_the_settings(tmp_path: Path) -> None:
    own = database_url(Settings(data=tmp_path))
    assert own == URL.create("sqlite+aiosqlite", database=str(tmp_path / "desk.db"))
    other = database_url(Settings(database="postgresql://ada:secret@host/desk"))
    assert other.drivername == "postgresql+asyncpg"
    for wrong in ("mysql://host/desk", "sqlite://", "no url"):
        with pytest.raises(SettingsError, match="UNMASK_DATABASE"):
            database_url(Settings(database=wrong))
