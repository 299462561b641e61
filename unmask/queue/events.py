"""Changes of state, heard over one connection by however many wait.

A change is published in the same step that makes it durable (:mod:`unmask.queue.scripts`), on a
channel, not a stream: a stream would keep what a deleted check leaves no trace of. What is missed
while the connection is down is made up for: every listener is then told to look again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from redis import asyncio as aioredis
from redis.exceptions import ConnectionError as LostError
from redis.exceptions import RedisError

_log = logging.getLogger(__name__)
#: Seconds before a lost connection is tried anew.
_RETRY_SECONDS = 0.2
#: Seconds of silence before the server is asked whether it is there, and for it to answer.
_SILENT_SECONDS = 10.0


@dataclass(frozen=True)
class Change:
    """A work's new state: its fields as they stand in Redis, ``rev`` counting them up.

    ``gone`` is the id of a check that was deleted. A change without fields and without ``gone``
    says that something may have been missed.
    """

    fields: dict[str, str]
    gone: str | None = None

    @property
    def rev(self) -> int:
        """Which change of this work it is; -1 for none."""
        return int(self.fields.get("rev", -1))


_LOOK_AGAIN = Change({})


class Hub:
    """Hands the changes of works to those who listen."""

    def __init__(self, client: aioredis.Redis, channel: str) -> None:
        """``client`` must not retry by itself, or a lost connection goes unnoticed."""
        self._client = client
        self._channel = channel
        self._listeners: defaultdict[str, set[asyncio.Queue[Change]]] = defaultdict(set)
        self._listening = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen; returns once the channel is subscribed to."""
        self._task = asyncio.create_task(self._run(), name="unmask-events")
        await self._listening.wait()

    async def close(self) -> None:
        """Stop listening."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._client.aclose()

    @contextlib.contextmanager
    def listen(self, work: str) -> Iterator[asyncio.Queue[Change]]:
        """A queue of the changes of ``work`` from now on. Look at its state after entering."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self._listeners[work].add(queue)
        try:
            yield queue
        finally:
            self._listeners[work].discard(queue)
            if not self._listeners[work]:
                del self._listeners[work]

    async def _run(self) -> None:
        while True:
            try:
                await self._hear()
            except (RedisError, OSError) as error:
                _log.warning("events: connection lost (%s)", type(error).__name__)
            except Exception:
                _log.exception("events: listening failed")
            self._listening.clear()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _hear(self) -> None:
        async with self._client.pubsub() as pubsub:
            await pubsub.subscribe(self._channel)
            asked = False
            while True:
                # A connection may die without a word; redis-py would not miss the answer.
                message = await pubsub.get_message(timeout=_SILENT_SECONDS)
                if message is None:
                    if asked:
                        raise LostError("no answer")
                    await pubsub.ping()
                asked = message is None
                if message is not None:
                    self._heed(message)

    def _heed(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self._listening.set()
            self._tell_all()
        elif message["type"] == "message":
            event = _event(message["data"])
            if event is None:
                _log.warning("events: a message that is none of ours")
            else:
                self._tell(event)

    def _tell(self, event: dict[str, str]) -> None:
        listeners = self._listeners.get(event.pop("work"))
        if listeners:
            change = Change(event, event.pop("gone", None))
            for queue in listeners:
                queue.put_nowait(change)

    def _tell_all(self) -> None:
        for listeners in self._listeners.values():
            for queue in listeners:
                queue.put_nowait(_LOOK_AGAIN)


def _event(text: str) -> dict[str, str] | None:
    """What a message of ours says, None for another's."""
    try:
        event = json.loads(text)
    except ValueError:
        return None
    fits = isinstance(event, dict) and "work" in event
    return event if fits and all(isinstance(value, str) for value in event.values()) else None
