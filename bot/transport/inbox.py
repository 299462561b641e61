"""Updates of Telegram, written down before Telegram is told that they arrived."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any

from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from unmask.queue.clients import reachable

_log = logging.getLogger(__name__)
#: Seconds for which an update's number is remembered; Telegram keeps updates for a day.
SEEN_SECONDS = 172_800
#: Starts after which an update that was never dealt with is given up: it may have ended them.
MOST_STARTS = 3

#: Inbox, seconds, then for each update: key of its number, number, JSON. Answers 1 for each that
#: is new or not yet dealt with: who got no answer, and asks again, must get the same one.
_ACCEPT = """
local answers = {}
for i = 3, #ARGV, 3 do
  local fresh = redis.call('SET', ARGV[i], '1', 'NX', 'EX', ARGV[2])
  if fresh then redis.call('HSET', ARGV[1], ARGV[i + 1], ARGV[i + 2]) end
  answers[#answers + 1] = fresh and 1 or redis.call('HEXISTS', ARGV[1], ARGV[i + 1])
end
return answers
"""


class Inbox:
    """What was accepted and not yet dealt with; a crash loses none of it.

    Methods raise :class:`UnmaskError` ``queue_unavailable``.
    """

    def __init__(self, redis: aioredis.Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    async def accept(self, updates: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write updates (as Telegram's JSON) down; those of them that are to be dealt with, which
        may be in hand already."""
        given = list(updates)
        if not given:
            return []
        arguments = [self._keys.inbox, str(SEEN_SECONDS)]
        for update in given:
            number = str(update["update_id"])
            entry = json.dumps({"starts": 0, "update": update})
            arguments += [self._keys.of("seen", number), number, entry]
        with reachable():
            answers: Any = await self._redis.eval(_ACCEPT, 0, *arguments)
        return [update for update, owed in zip(given, answers, strict=True) if owed]

    async def done(self, update_id: int) -> None:
        """Forget an update that was dealt with."""
        with reachable():
            await self._redis.hdel(self._keys.inbox, str(update_id))

    async def left(self) -> list[dict[str, Any]]:
        """What an earlier process left, oldest first. One that was left too often is dropped."""
        with reachable():
            found: Any = await self._redis.hgetall(self._keys.inbox)
        updates = []
        for number in sorted(found, key=int):
            entry = json.loads(found[number])
            entry["starts"] += 1
            if entry["starts"] > MOST_STARTS:
                _log.error("an update was given up", extra={"update_id": number})
                await self.done(int(number))
                continue
            with reachable():
                await self._redis.hset(self._keys.inbox, number, json.dumps(entry))
            updates.append(entry["update"])
        return updates
