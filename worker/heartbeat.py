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
        self._job_ids: tuple[str, ...] = ()
        self._batch_start = 0.0
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
        """Renew the leases on the jobs of a batch while it runs."""
        self._batch_start, self._job_ids = time.monotonic(), tuple(job_ids)
        try:
            yield
        finally:
            self._job_ids = ()
            seconds = (time.monotonic() - self._batch_start) / max(len(job_ids), 1)
            average = seconds if self._seconds is None else self._seconds
            self._seconds = average + _SMOOTHING * (seconds - average)

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
        self._queue.heartbeat(self._name, json.dumps(status), self._job_ids)

    def _check_limit(self) -> None:
        if self._job_ids and time.monotonic() - self._batch_start > self._limit:
            _log.critical(
                "worker %s: a batch of %d took more than %g s; ending the process",
                self._name,
                len(self._job_ids),
                self._limit,
            )
            self._end(HUNG)
