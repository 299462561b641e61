"""Changes of state, received over one connection for all that wait in this process.

A change is published in the same step that makes it durable (:mod:`unmask.queue.scripts`), on a
channel, not a stream: a stream would keep traces of deleted checks. After a lost connection every
listener is told to read the state again, for it may have missed a change.
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
#: Seconds before a lost connection is made again.
_RETRY_SECONDS = 0.2
#: Seconds of silence before the server is asked whether it is there, and for it to answer.
_SILENT_SECONDS = 10.0


@dataclass(frozen=True)
class Change:
    """A job's new state: its fields as they stand in Redis; ``rev`` counts the changes.

    ``deleted`` is the id of a check that was deleted. A change without fields and without
    ``deleted`` says that something may have been missed.
    """

    fields: dict[str, str]
    deleted: str | None = None

    @property
    def rev(self) -> int:
        """The number of this change of the job; -1 for none."""
        return int(self.fields.get("rev", -1))


_READ_AGAIN = Change({})


class CheckEvents:
    """Hands the changes of jobs to those who listen."""

    def __init__(self, client: aioredis.Redis, channel: str, topic: str = "work") -> None:
        """``client`` must not retry by itself, or a lost connection goes unnoticed; ``topic`` is
        the field of a message that says whom it concerns."""
        self._client = client
        self._channel = channel
        self._topic = topic
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
    def listen(self, job_id: str) -> Iterator[asyncio.Queue[Change]]:
        """A queue of the changes of a job from now on. Read its state after entering."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self._listeners[job_id].add(queue)
        try:
            yield queue
        finally:
            self._listeners[job_id].discard(queue)
            if not self._listeners[job_id]:
                del self._listeners[job_id]

    async def _run(self) -> None:
        while True:
            try:
                await self._receive()
            except (RedisError, OSError) as error:
                _log.warning("events: connection lost (%s)", type(error).__name__)
            except Exception:
                _log.exception("events: listening failed")
            self._listening.clear()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _receive(self) -> None:
        async with self._client.pubsub() as pubsub:
            await pubsub.subscribe(self._channel)
            pinged = False
            while True:
                # A connection may die silently; redis-py does not notice a missing answer.
                message = await pubsub.get_message(timeout=_SILENT_SECONDS)
                if message is None:
                    if pinged:
                        raise LostError("no answer")
                    await pubsub.ping()
                pinged = message is None
                if message is not None:
                    self._handle(message)

    def _handle(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self._listening.set()
            self._notify_all()
        elif message["type"] == "message":
            event = _event(message["data"], self._topic)
            if event is None:
                _log.warning("events: a message of another program")
            else:
                self._notify(event)

    def _notify(self, event: dict[str, str]) -> None:
        listeners = self._listeners.get(event.pop(self._topic))
        if listeners:
            change = Change(event, deleted=event.pop("gone", None))
            for queue in listeners:
                queue.put_nowait(change)

    def _notify_all(self) -> None:
        for listeners in self._listeners.values():
            for queue in listeners:
                queue.put_nowait(_READ_AGAIN)


def _event(text: str, topic: str) -> dict[str, str] | None:
    """The fields of an event, None for a message of another program."""
    try:
        event = json.loads(text)
    except ValueError:
        return None
    fits = isinstance(event, dict) and topic in event
    return event if fits and all(isinstance(value, str) for value in event.values()) else None
