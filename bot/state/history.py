"""What was examined before: the same file anywhere, and a similar picture in the same chat.

A near-duplicate is searched only among what the same chat has been sent, so that nobody learns what
others sent. For the same file every user gets a check of their own; another chat's date is not
shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from pydantic import AliasChoices, BaseModel, Field
from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from unmask.errors import UnmaskError
from unmask.evidence.origin import tells_origin
from unmask.findings import Says
from unmask.images import Picture
from unmask.images.similarity import Look, alike, look, may_be_alike, same_edges
from unmask.queue.check_queue import CheckQueue
from unmask.queue.clients import reachable
from unmask.report import Box, Check, Report
from unmask.settings import Settings

#: How many pictures of a chat are remembered.
MAX_ENTRIES = 500
#: How many pictures are decoded for a comparison at the same time: a large one takes half a
#: gigabyte.
CONCURRENCY = 1
#: How many earlier pictures one picture is compared with in detail: the newest of those with a
#: close hash. Each of them is read and decoded.
MAX_COMPARED = 5


class Entry(BaseModel):
    """One picture that was examined in a chat: ``phash`` is its perceptual hash, as hex."""

    check: str
    owner: int
    sha256: str
    phash: str = Field(default="", validation_alias=AliasChoices("phash", "bits"))
    when: datetime


@dataclass(frozen=True)
class EarlierCheck:
    """An earlier check of the same picture; ``exact`` says that the file is the same."""

    entry: Entry
    exact: bool


class History:
    """Remembers pictures as long as results are kept. Raises ``queue_unavailable``."""

    def __init__(
        self, redis: aioredis.Redis, keys: Keys, checks: CheckQueue, settings: Settings
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._checks = checks
        self._settings = settings
        self._slots = asyncio.Semaphore(CONCURRENCY)

    async def find(self, chat: int, picture: Picture) -> tuple[EarlierCheck | None, str]:
        """The latest check in this chat of the same file, or else of a similar picture; and the
        perceptual hash of the picture, as hex.

        A picture that cannot be decoded resembles none and has no hash. For the same file the
        stored hash is returned. A file that tells its origin, or shows more than one picture, is
        answered for by itself alone.
        """
        entries = await self._entries(chat)
        for entry in entries:
            if entry.sha256 == picture.sha256 and await self._report(entry):
                return EarlierCheck(entry, exact=True), entry.phash
        current = await self._look(picture.data)
        if current is None:
            return None, ""
        phash = f"{current.bits:016x}"
        if await asyncio.to_thread(_stands_alone, picture):
            return None, phash
        close = [
            entry
            for entry in entries
            if entry.phash and may_be_alike(current.bits, int(entry.phash, 16))
        ]
        for entry in close[:MAX_COMPARED]:
            if await self._is_similar(entry, current):
                return EarlierCheck(entry, exact=False), phash
        return None, phash

    async def remember(self, chat: int, check: Check, owner: int, phash: str) -> None:
        """Remember a check that succeeded, with the hash that :meth:`find` returned."""
        entry = Entry(
            check=check.id, owner=owner, sha256=check.sha256, phash=phash, when=datetime.now(UTC)
        )
        key = self._keys.history(chat)
        with reachable():
            async with self._redis.pipeline(transaction=False) as steps:
                steps.hset(key, check.id, entry.model_dump_json())
                steps.expire(key, self._settings.retention)
                steps.hlen(key)
                count = (await steps.execute())[-1]
        if count > MAX_ENTRIES:
            for old in (await self._entries(chat))[MAX_ENTRIES:]:
                await self.forget(chat, old.check)

    async def forget(self, chat: int, check: str) -> None:
        """Forget a check that was deleted."""
        with reachable():
            await self._redis.hdel(self._keys.history(chat), check)

    async def check_of_file(self, unique: str) -> str | None:
        """The check that holds the bytes of a Telegram file, no matter which user requested it."""
        if not unique:
            return None
        with reachable():
            check: Any = await self._redis.get(self._keys.file(unique))
        return str(check) if check else None

    async def remember_file(self, unique: str, check: str) -> None:
        """Remember which check holds a file's bytes."""
        if unique:
            with reachable():
                await self._redis.set(self._keys.file(unique), check, ex=self._settings.retention)

    async def files_of(self, check: str, uniques: list[str]) -> list[str]:
        """Those of some Telegram files whose bytes this check holds."""
        if not uniques:
            return []
        with reachable():
            checks: Any = await self._redis.mget([self._keys.file(unique) for unique in uniques])
        return [unique for unique, holder in zip(uniques, checks, strict=True) if holder == check]

    async def forget_file(self, unique: str) -> None:
        """Forget which check holds a file's bytes."""
        with reachable():
            await self._redis.delete(self._keys.file(unique))

    async def _entries(self, chat: int) -> list[Entry]:
        """What is remembered of a chat, newest first. Entries older than the retention are removed
        here, because each new picture prolongs the whole hash."""
        key = self._keys.history(chat)
        with reachable():
            stored: Any = await self._redis.hvals(key)
        entries = [Entry.model_validate_json(text) for text in stored]
        oldest = datetime.now(UTC) - timedelta(seconds=self._settings.retention)
        expired = [entry.check for entry in entries if entry.when <= oldest]
        if expired:
            with reachable():
                await self._redis.hdel(key, *expired)
        current = [entry for entry in entries if entry.when > oldest]
        return sorted(current, key=lambda entry: entry.when, reverse=True)

    async def _report(self, entry: Entry) -> Report | None:
        """The report of a check that still exists, is done, and is of the model in use."""
        check = await self._checks.get(entry.check)
        is_current = check is not None and check.model_version == self._checks.model_version
        return check.report if check and is_current else None

    async def _is_similar(self, entry: Entry, current: Look) -> bool:
        report = await self._report(entry)
        data = await self._picture(entry.check) if report else None
        earlier = await self._look(data) if data else None
        if earlier is None or report is None or report.evidence_says is not Says.NOTHING:
            return False
        boxes = [face.box for face in report.faces]
        return await asyncio.to_thread(_shows_the_same, earlier, current, boxes)

    async def _picture(self, check: str) -> bytes | None:
        try:
            return await self._checks.picture(check)
        except UnmaskError as error:
            if error.code == "picture_missing":
                return None
            raise

    async def _look(self, data: bytes) -> Look | None:
        async with self._slots:
            try:
                return await asyncio.to_thread(look, data, self._settings)
            except UnmaskError:
                return None


def _shows_the_same(earlier: Look, current: Look, faces: Sequence[Box]) -> bool:
    """Whether two pictures are alike, and neither bears a sign that the other lacks: the earlier
    report would lose what a generator's mark says."""
    return alike(earlier, current, faces) and same_edges(earlier, current)


def _stands_alone(picture: Picture) -> bool:
    """Whether the report on a similar picture would not do: the file says more than its pixels, or
    shows more than one picture."""
    try:
        return tells_origin(picture) or len(tuple(islice(picture.appearances(), 2))) > 1
    except UnmaskError:
        return True
