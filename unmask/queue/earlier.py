"""When a team had the same file checked before, and which of its checks may be of copies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis import asyncio as aioredis

from unmask.queue.keys import CHECKS_OF, JOBS_OF, LIST
from unmask.queue.scripts.checks import CHECKS_BEFORE, LOOKS
from unmask.report import Check, State

#: Earlier checks of a team whose hashes are read for one of its checks: its latest.
MOST_READ = 1_000
#: Checks whose hashes a process keeps, of all teams.
MOST_KEPT = 20_000


@dataclass(frozen=True)
class EarlierCheck:
    """A team's earlier check of another file: its id, when it was made, the file's sha256 and its
    perceptual hash (64 bits)."""

    id: str
    created: datetime
    sha256: str
    phash: int


@dataclass(frozen=True)
class _Hashed:
    """The sha256 of a check's file, and its perceptual hash, None where there is none."""

    sha256: str
    phash: int | None


#: A check's own perceptual hash, None without one, and the checks before it, the latest first.
Looks = tuple[int | None, tuple[EarlierCheck, ...]]


async def times_before(client: aioredis.Redis, check: Check) -> tuple[datetime, ...]:
    """The times of a team's earlier checks of the same file that are still kept, oldest first.

    A check of no team has none. Other teams' checks of the file are never read one by one: Redis
    intersects the job's checks with the team's own list.
    """
    if not check.team:
        return ()
    jobs: Any = await client.smembers(f"{JOBS_OF}{check.sha256}")
    scores: dict[str, float] = {}
    for job in jobs:
        # Of the two scores of an entry the list's is kept: the time at which it was made.
        rows: Any = await client.zinter(
            {f"{CHECKS_OF}{job}": 0, f"{LIST}{check.team}": 1}, withscores=True
        )
        scores.update(rows)
    own = scores.pop(check.id, check.created.timestamp())
    return tuple(
        datetime.fromtimestamp(time, UTC) for time in sorted(scores.values()) if time < own
    )


class EarlierLooks:
    """Which checks of a team stand before one of its checks, and their perceptual hashes.

    Of a job that has ended these never change, so that each is read once by a process: to read a
    thousand takes Redis three milliseconds, which every look at a check would cost.
    """

    def __init__(self, client: aioredis.Redis) -> None:
        self._client = client
        self._kept: dict[str, _Hashed] = {}

    async def before(self, check: Check) -> Looks:
        """The perceptual hash of a team's check, and the team's latest checks of other files before
        it. A check of no team has none, and of another team's checks none is read."""
        if not check.team:
            return None, ()
        arguments = f"{LIST}{check.team}", check.id, MOST_READ
        before: Any = await self._client.eval(CHECKS_BEFORE, 0, *arguments)
        times = dict(zip(before[::2], before[1::2], strict=True))
        hashes = await self._hashes([check.id, *times])
        own = hashes[check.id].phash
        if own is None:
            return None, ()
        return own, tuple(
            EarlierCheck(name, datetime.fromtimestamp(float(time), UTC), one.sha256, one.phash)
            for name, time in times.items()
            if (one := hashes[name]).phash is not None and one.sha256 != check.sha256
        )

    async def _hashes(self, names: list[str]) -> dict[str, _Hashed]:
        found = {name: self._kept[name] for name in names if name in self._kept}
        missing = [name for name in names if name not in found]
        if missing:
            answer: Any = await self._client.eval(LOOKS, 0, *missing)
            rows = zip(answer[::3], answer[1::3], answer[2::3], strict=True)
            for name, (state, sha256, phash) in zip(missing, rows, strict=True):
                found[name] = hashed = _Hashed(sha256, _bits(phash))
                if state in (State.DONE, State.FAILED):
                    self._kept[name] = hashed
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return found


def _bits(phash: str) -> int | None:
    """A hash as Redis has it; None for none, and for a damaged one."""
    try:
        return int(phash, 16)
    except ValueError:
        return None
