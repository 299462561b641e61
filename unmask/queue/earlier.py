"""When a team had the same file checked before, and which of its checks may be of copies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis import asyncio as aioredis

from unmask.queue.keys import CHECKS_OF, JOBS_OF, LIST
from unmask.queue.scripts.checks import EARLIER_LOOKS
from unmask.report import Check

#: Earlier checks of a team whose hashes are read for one of its checks: its latest.
MOST_READ = 1_000


@dataclass(frozen=True)
class EarlierCheck:
    """A team's earlier check of another file: its id, when it was made, the file's sha256 and its
    perceptual hash (64 bits)."""

    id: str
    created: datetime
    sha256: str
    phash: int


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


async def looks_before(client: aioredis.Redis, check: Check) -> Looks:
    """The perceptual hash of a team's check, and the team's latest checks of other files before it.

    A check of no team has none, and of another team's checks none is read.
    """
    if not check.team:
        return None, ()
    answer: Any = await client.eval(EARLIER_LOOKS, 0, f"{LIST}{check.team}", check.id, MOST_READ)
    if not answer:
        return None, ()
    rows = zip(*(answer[start::4] for start in range(1, 5)), strict=True)
    try:
        checks = tuple(
            EarlierCheck(name, datetime.fromtimestamp(float(time), UTC), sha256, int(phash, 16))
            for name, time, sha256, phash in rows
        )
        return int(answer[0], 16), checks
    except ValueError:  # a damaged record
        return None, ()
