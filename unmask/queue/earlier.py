"""When a team had the same file checked before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from redis import asyncio as aioredis

from unmask.queue.keys import CHECKS_OF, JOBS_OF, LIST
from unmask.report import Check


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
