"""Who has which case open right now. It is a courtesy, not a lock, so it lies in Redis and lapses
by itself."""

from __future__ import annotations

import json
import time
from collections import defaultdict

from redis.asyncio import Redis

from desk.actors import DeskActor
from desk.cases.records import PersonName
from unmask.permissions import Permission, require
from unmask.queue.clients import reachable

#: Seconds between two signs of life that a page sends, and after which a person counts as gone.
BEAT, GONE = 10, 30


class Presence:
    """Who is where, team by team; ``queue_unavailable`` where Redis cannot be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def beat(self, actor: DeskActor, case: int | None) -> None:
        """A sign of life of a person who has a case open, or the queue (None)."""
        require(actor, Permission.READ_CASES)
        if actor.person_id is None:
            return
        value = json.dumps({"name": actor.name, "case": case, "at": time.time()})
        with reachable():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hset(_name(actor), str(actor.person_id), value)
                pipe.expire(_name(actor), 2 * GONE)
                await pipe.execute()

    async def leave(self, actor: DeskActor) -> None:
        """The person has closed the desk."""
        with reachable():
            await self._redis.hdel(_name(actor), str(actor.person_id))

    async def here(self, actor: DeskActor) -> dict[int, list[PersonName]]:
        """The people who have each case open; those who have the queue open are under 0."""
        require(actor, Permission.READ_CASES)
        with reachable():
            values = await self._redis.hgetall(_name(actor))
        people: defaultdict[int, list[PersonName]] = defaultdict(list)
        for person_id, value in values.items():
            sign = json.loads(value)
            if sign["at"] > time.time() - GONE:
                name = PersonName(id=int(person_id), name=sign["name"])
                people[sign["case"] or 0].append(name)
        return dict(people)

    async def is_present(self, actor: DeskActor, person_id: int, case: int) -> bool:
        """Whether a person has a case open; no if Redis cannot tell."""
        with reachable():
            value = await self._redis.hget(_name(actor), str(person_id))
        if value is None:
            return False
        sign = json.loads(value)
        return bool(sign["case"] == case and sign["at"] > time.time() - GONE)


def _name(actor: DeskActor) -> str:
    return f"unmask:desk:here:{actor.team_id}"
