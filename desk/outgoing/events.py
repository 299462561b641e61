"""Live events: which case changed, never how. A page asks again through its own filter and rights,
so that no event shows what its reader may not see."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

from redis import asyncio as aioredis

from desk.actors import DeskActor
from unmask.permissions import Permission, require
from unmask.queue.clients import open_async_client
from unmask.queue.events import Change, CheckEvents

CHANNEL = "unmask:desk:events"


class DeskEvents:
    """Publishes events, and hands them to those who listen in this process."""

    def __init__(self, redis_url: str) -> None:
        self._client: aioredis.Redis = open_async_client(redis_url)
        self._events = CheckEvents(open_async_client(redis_url, retries=0), CHANNEL, "team")

    async def start(self) -> None:
        """Begin to listen."""
        await self._events.start()

    async def close(self) -> None:
        """Stop listening and close the connections."""
        await self._events.close()
        await self._client.aclose()

    async def publish(self, team_id: int, kind: str, case: int | None, version: int | None) -> None:
        """Tell of a change to all processes; raises what redis-py does."""
        message = {
            "team": str(team_id),
            "kind": kind,
            "case": str(case or ""),
            "version": str(version or ""),
        }
        await self._client.publish(CHANNEL, json.dumps(message))

    @contextmanager
    def listen(self, actor: DeskActor) -> Iterator[asyncio.Queue[Change]]:
        """A queue of the events of the actor's team from now on.

        ``fields`` of a change are ``kind``, ``case`` and ``version`` as text; a change without
        fields says that some may have been missed: read everything again.
        """
        require(actor, Permission.READ_CASES)
        with self._events.listen(str(actor.team_id)) as changes:
            yield changes
