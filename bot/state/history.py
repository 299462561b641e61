"""What was examined before: the same file anywhere, and a picture like it in the same chat.

A near-duplicate is looked for only among what the same chat was shown, so that nobody learns what
others sent. For the same file each asker gets a check of their own, and no earlier date.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel
from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from unmask.errors import UnmaskError
from unmask.images import Picture
from unmask.images.similarity import Look, alike, look, may_be_alike
from unmask.queue import CheckQueue
from unmask.queue.clients import reachable
from unmask.report import Check, State
from unmask.settings import Settings

#: Most pictures of a chat that are remembered.
MOST = 500
#: Pictures that are looked at together: each is decoded in memory, a large one in half a gigabyte.
TOGETHER = 1
#: Most of them that one picture is compared with, the newest of those whose hashes are near:
#: each is read and decoded.
MOST_COMPARED = 5


class Entry(BaseModel):
    """One picture that was examined in a chat: ``bits`` is its perceptual hash, as hex."""

    check: str
    owner: int
    sha256: str
    bits: str = ""
    when: datetime


@dataclass(frozen=True)
class Known:
    """An earlier check of the same picture; ``exact`` says that the file is the same."""

    entry: Entry
    exact: bool


class Past:
    """Remembers as long as results are kept. Raises ``queue_unavailable``."""

    def __init__(
        self, redis: aioredis.Redis, keys: Keys, checks: CheckQueue, settings: Settings
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._checks = checks
        self._settings = settings
        self._turns = asyncio.Semaphore(TOGETHER)

    async def find(self, chat: int, picture: Picture) -> tuple[Known | None, str]:
        """The latest check in this chat of this file, or else of a picture like it; and the
        perceptual hash of the picture, as hex.

        A picture that cannot be decoded is like none and has no hash. That of the same file is
        known from before.
        """
        entries = await self._entries(chat)
        for entry in entries:
            if entry.sha256 == picture.sha256 and await self._stands(entry):
                return Known(entry, exact=True), entry.bits
        seen = await self._look(picture.data)
        if seen is None:
            return None, ""
        bits = f"{seen.bits:016x}"
        near = [one for one in entries if one.bits and may_be_alike(seen.bits, int(one.bits, 16))]
        for entry in near[:MOST_COMPARED]:
            if await self._shows_the_same(entry, seen):
                return Known(entry, exact=False), bits
        return None, bits

    async def remember(self, chat: int, check: Check, owner: int, bits: str) -> None:
        """Remember a check that ended well, with the hash that :meth:`find` gave."""
        entry = Entry(
            check=check.id, owner=owner, sha256=check.sha256, bits=bits, when=datetime.now(UTC)
        )
        key = self._keys.of("past", chat)
        with reachable():
            async with self._redis.pipeline(transaction=False) as steps:
                steps.hset(key, check.id, entry.model_dump_json())
                steps.expire(key, self._settings.retention)
                steps.hlen(key)
                count = (await steps.execute())[-1]
        if count > MOST:
            for old in (await self._entries(chat))[MOST:]:
                await self.forget(chat, old.check)

    async def forget(self, chat: int, check: str) -> None:
        """Forget a check that was deleted."""
        with reachable():
            await self._redis.hdel(self._keys.of("past", chat), check)

    async def check_of_file(self, unique: str) -> str | None:
        """A check of this very file, whoever asked for it; to read the file's bytes from."""
        if not unique:
            return None
        with reachable():
            found: Any = await self._redis.get(self._keys.of("file", unique))
        return str(found) if found else None

    async def remember_file(self, unique: str, check: str) -> None:
        """Remember which check holds a file's bytes."""
        if unique:
            with reachable():
                key = self._keys.of("file", unique)
                await self._redis.set(key, check, ex=self._settings.retention)

    async def files_of(self, check: str, uniques: list[str]) -> list[str]:
        """Those of some files of Telegram whose bytes this check holds."""
        if not uniques:
            return []
        with reachable():
            keys = [self._keys.of("file", unique) for unique in uniques]
            found: Any = await self._redis.mget(keys)
        return [unique for unique, held in zip(uniques, found, strict=True) if held == check]

    async def forget_file(self, unique: str) -> None:
        """Forget which check holds a file's bytes."""
        with reachable():
            await self._redis.delete(self._keys.of("file", unique))

    async def _entries(self, chat: int) -> list[Entry]:
        """What is remembered of a chat, newest first. What is older than results are kept is
        forgotten here: the whole lives on for as long as the chat does."""
        key = self._keys.of("past", chat)
        with reachable():
            found: Any = await self._redis.hvals(key)
        entries = [Entry.model_validate_json(text) for text in found]
        first = datetime.now(UTC) - timedelta(seconds=self._settings.retention)
        over = [entry.check for entry in entries if entry.when <= first]
        if over:
            with reachable():
                await self._redis.hdel(key, *over)
        kept = [entry for entry in entries if entry.when > first]
        return sorted(kept, key=lambda entry: entry.when, reverse=True)

    async def _stands(self, entry: Entry) -> bool:
        """Whether a check is kept, done, and of the model that would judge now."""
        check = await self._checks.get(entry.check)
        return (
            check is not None
            and check.state is State.DONE
            and check.model_version == self._checks.model_version
        )

    async def _shows_the_same(self, entry: Entry, seen: Look) -> bool:
        if not await self._stands(entry):
            return False
        data, report = await asyncio.gather(
            self._picture(entry.check), self._checks.report(entry.check)
        )
        earlier = await self._look(data) if data else None
        if earlier is None or report is None:
            return False
        boxes = [face.box for face in report.faces]
        return await asyncio.to_thread(alike, earlier, seen, boxes)

    async def _picture(self, check: str) -> bytes | None:
        try:
            return await self._checks.picture(check)
        except UnmaskError as error:
            if error.code == "picture_missing":
                return None
            raise

    async def _look(self, data: bytes) -> Look | None:
        async with self._turns:
            try:
                return await asyncio.to_thread(look, data, self._settings)
            except UnmaskError:
                return None
