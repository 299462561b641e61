"""The inbox: updates are stored in Redis before Telegram is told that they arrived."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from unmask.queue.clients import reachable

_log = logging.getLogger(__name__)
#: Seconds for which an update's number is remembered; Telegram keeps updates for a day.
DEDUPLICATION_SECONDS = 172_800
#: Starts after which an unhandled update is dropped: it may have crashed each of them.
MAX_STARTS = 3

#: ARGV: the inbox, seconds, then for each update the key of its number, its number, its JSON.
#: Returns 1 for each update that is new or not handled yet: a caller who got no answer and asks
#: again must get the same one.
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
    """The updates that were accepted and not handled yet; a crash loses none of them.

    Methods raise :class:`UnmaskError` ``queue_unavailable``.
    """

    def __init__(self, redis: aioredis.Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    async def accept(self, updates: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Store updates (as Telegram's JSON); returns those that need handling, which may be in
        progress already."""
        if not updates:
            return []
        arguments = [self._keys.inbox, str(DEDUPLICATION_SECONDS)]
        for update in updates:
            number = str(update["update_id"])
            entry = json.dumps({"starts": 0, "update": update})
            arguments += [self._keys.accepted_update(number), number, entry]
        with reachable():
            answers: Any = await self._redis.eval(_ACCEPT, 0, *arguments)
        return [update for update, pending in zip(updates, answers, strict=True) if pending]

    async def remove(self, update_id: int) -> None:
        """Remove an update that was handled."""
        with reachable():
            await self._redis.hdel(self._keys.inbox, str(update_id))

    async def take_over(self) -> list[dict[str, Any]]:
        """The updates that an earlier process did not handle, oldest first. Those that several
        processes did not handle are dropped."""
        with reachable():
            stored: Any = await self._redis.hgetall(self._keys.inbox)
        updates = []
        for number in sorted(stored, key=int):
            entry = json.loads(stored[number])
            entry["starts"] += 1
            if entry["starts"] > MAX_STARTS:
                _log.error("an update was given up", extra={"update_id": number})
                await self.remove(int(number))
                continue
            with reachable():
                await self._redis.hset(self._keys.inbox, number, json.dumps(entry))
            updates.append(entry["update"])
        return updates
