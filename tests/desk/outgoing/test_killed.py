"""A process that is killed right after a commit: what it owed is done by the next one."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import make_url

from desk.accounts.secrets import Passwords
from desk.database import Database
from desk.models import Delivery, Outbox
from desk.service import make_desk
from unmask.settings import Settings

pytestmark = pytest.mark.anyio

DIES = """
import asyncio, os, signal, sys
from pathlib import Path
from sqlalchemy import make_url
from desk.accounts.secrets import Passwords
from desk.actors import machine_of
from desk.cases.opening import open_case
from desk.database import Database
from desk.service import make_desk
from unmask.report import Verdict
from unmask.settings import Settings

async def main(path, when):
    desk = await make_desk(
        Database(make_url(f"sqlite+aiosqlite:///{path}")), Settings(data=Path(path).parent),
        passwords=Passwords(memory_kib=64, passes=1),
    )
    team = await desk.teams.create("killed")
    machine = machine_of(team.id, team.slug)
    await desk.webhooks.create(machine, "http://hooks.example.org/", ["case.created"])
    for _ in range(3):
        async with desk.changes.begin(machine) as change:
            await open_case(change, Verdict.FAKE, 0.9)
    if when == "deliveries":
        await desk.dispatcher.dispatch()
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("when", ["commit", "deliveries"])
async def test_nothing_is_lost_and_nothing_doubled(
    sqlite_template: Path, tmp_path: Path, when: str
) -> None:
    path = tmp_path / "desk.db"
    shutil.copy(sqlite_template, path)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", DIES, str(path), when)
    assert await process.wait() == -signal.SIGKILL
    database = Database(make_url(f"sqlite+aiosqlite:///{path}"))
    passwords = Passwords(memory_kib=64, passes=1)
    desk = await make_desk(database, Settings(data=tmp_path), passwords=passwords)
    while await desk.dispatcher.dispatch():
        pass
    async with database.reading() as session:
        ids = list(await session.scalars(sa.select(Delivery.event_id)))
        done = list(await session.scalars(sa.select(Outbox.done_at)))
    assert len(ids) == len(set(ids)) == 3 and None not in done
    team = await desk.teams.find("killed")
    assert (await desk.history.verify_team(team.id, team.slug)).holds
    await database.close()
