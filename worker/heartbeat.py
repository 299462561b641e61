"""A worker's heartbeat, sent from a thread of its own while the model computes."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from redis.exceptions import RedisError

from unmask.queue.keys import HEARTBEAT
from unmask.queue.worker_queue import WorkerQueue

_log = logging.getLogger(__name__)

#: Exit status of a worker that ended itself because a batch hung (EX_SOFTWARE).
HUNG = 70
#: Seconds that the end of a worker waits for its threads, should Redis be away.
_JOIN_SECONDS = 5.0
#: Weight of the newest batch in the moving average of the seconds a picture takes.
_SMOOTHING = 0.2


@dataclass(frozen=True, eq=False)
class _Held:
    """The jobs of a batch that runs since ``start``, on the monotonic clock."""

    job_ids: tuple[str, ...]
    start: float


class Heartbeat:
    """Sends heartbeats until stopped: which jobs the worker holds, and how fast it is."""

    def __init__(
        self,
        queue: WorkerQueue,
        *,
        name: str,
        model: str,
        engine: str,
        pools: Sequence[str],
        limit: float,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        """``limit`` is the longest time for a batch, in seconds. After that ``end`` ends the
        process: a thread inside native code cannot be stopped otherwise, and a janitor elsewhere
        requeues the jobs."""
        self._queue = queue
        self._name = name
        self._status = {
            "model": model,
            "engine": engine,
            "pools": list(pools),
            "pid": os.getpid(),
        }
        self._host = socket.gethostname()
        self._limit = limit
        self._end = end
        self._seconds: float | None = None
        #: replaced as a whole, since the thread reads it at any time
        self._held: tuple[_Held, ...] = ()
        self._last_end = float("-inf")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="unmask-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to send heartbeats."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and remove the worker's entry."""
        self._stop.set()
        self._thread.join(_JOIN_SECONDS)
        try:
            self._queue.leave(self._name)
        except (RedisError, OSError):
            _log.warning("worker %s could not sign off", self._name)

    @contextmanager
    def holding(self, job_ids: Sequence[str]) -> Iterator[None]:
        """Renew the leases on the jobs of a batch while it runs, beside those of others."""
        batch = _Held(tuple(job_ids), time.monotonic())
        self._held = (*self._held, batch)
        try:
            yield
        finally:
            self._held = tuple(other for other in self._held if other is not batch)
            self._measure(batch)

    def _measure(self, batch: _Held) -> None:
        """Count the time that a picture took; what passed beside the batch before is that one's."""
        end = time.monotonic()
        seconds = (end - max(batch.start, self._last_end)) / max(len(batch.job_ids), 1)
        average = seconds if self._seconds is None else self._seconds
        self._seconds = average + _SMOOTHING * (seconds - average)
        self._last_end = end

    def _run(self) -> None:
        while True:
            self._check_limit()
            try:
                self.send()
            except (RedisError, OSError) as error:
                _log.warning("worker %s: no heartbeat (%s)", self._name, type(error).__name__)
            if self._stop.wait(HEARTBEAT):
                return

    def send(self) -> None:
        """Send one heartbeat."""
        status = self._status | {"host": self._host, "seconds": self._seconds}
        job_ids = [job_id for batch in self._held for job_id in batch.job_ids]
        self._queue.heartbeat(self._name, json.dumps(status), job_ids)

    def _check_limit(self) -> None:
        late = [batch for batch in self._held if time.monotonic() - batch.start > self._limit]
        if late:
            _log.critical(
                "worker %s: a batch of %d took more than %g s; ending the process",
                self._name,
                len(late[0].job_ids),
                self._limit,
            )
            self._end(HUNG)
