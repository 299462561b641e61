"""The files that a team keeps: the bytes as they were sent, the pictures of the report, and the
file's metadata.

They lie in the store under ``cases/TEAM/KEY``, where expiry never looks. The key is the picture's
and not the case's, since a picture goes from case to case when cases are joined and split.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from uuid import uuid4

import sqlalchemy as sa

from desk.actors import DeskActor
from desk.database import Database
from desk.models import Case, Picture
from unmask.errors import UnmaskError
from unmask.permissions import Permission, require
from unmask.store import Store

#: The bytes as they were sent: for evidence and comparison, never for a browser to open.
ORIGINAL = "original.bin"
#: All metadata of the file: places, names and prompts may be in it.
METADATA = "metadata.json"
RESULTS = ("annotated.jpg", "mask.png", "heatmap.png", METADATA)


class Keep:
    """Reads and writes a team's files."""

    def __init__(self, database: Database, store: Store) -> None:
        self._database = database
        self._store = store

    async def put(self, team_id: int, files: Mapping[str, bytes]) -> str:
        """Store files under a new key, which is returned; raises as :class:`Store` does."""
        key = uuid4().hex

        def write() -> None:
            for name, data in files.items():
                self._store.put_case_file(team_id, key, name, data)

        await asyncio.to_thread(write)
        return key

    async def get(self, team_id: int, key: str, name: str) -> bytes | None:
        """A file of a team, for a caller who has asked whether it may be read."""
        return await asyncio.to_thread(self._store.get_case_file, team_id, key, name)

    async def delete(self, team_id: int, key: str) -> None:
        """Remove all files of a key."""
        await asyncio.to_thread(self._store.delete_case_files, team_id, key)

    async def read(self, actor: DeskActor, number: int, picture_id: int, name: str) -> bytes:
        """A file of a picture of a case: ``original.bin``, ``annotated.jpg``, ``mask.png``,
        ``heatmap.png``, ``face-N.jpg`` or, for those who may read it, ``metadata.json``; raises
        ``not_found``."""
        require(actor, Permission.READ_CASES)
        if name == METADATA:
            require(actor, Permission.READ_METADATA)
        query = (
            sa.select(Picture.store_key)
            .join(Case, Case.id == Picture.case_id)
            .where(Case.team_id == actor.team_id, Case.number == number, Picture.id == picture_id)
        )
        async with self._database.reading() as session:
            key = await session.scalar(query)
        data = await self.get(actor.team_id, key, name) if key is not None else None
        if data is None:
            raise UnmaskError("not_found", "There is no such file of this case.")
        return data

    async def delete_orphans(self, team_id: int, now: float, seconds: float = 3_600.0) -> int:
        """Remove files that no picture has, older than ``seconds``: a crash may leave some between
        the writing of files and the commit. Returns how many keys were removed."""
        stored = await asyncio.to_thread(self._store.case_keys, team_id)
        async with self._database.reading() as session:
            query = sa.select(Picture.store_key).where(Picture.team_id == team_id)
            known = set(await session.scalars(query))
        orphans = [key for key, at in stored.items() if key not in known and at <= now - seconds]
        for key in orphans:
            await self.delete(team_id, key)
        return len(orphans)
