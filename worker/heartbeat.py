"""A worker's sign of life, from a thread of its own while the model computes."""

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

from unmask.queue.keys import BEAT
from unmask.queue.worker_queue import Ledger

_log = logging.getLogger(__name__)

#: Exit status of a worker that ended itself because a batch hung (EX_SOFTWARE).
HUNG = 70
#: Seconds that the end of a worker waits for its threads, should Redis be away.
_JOIN_SECONDS = 5.0
#: How fast the memory of past batches fades, per batch.
_FADING = 0.2


class Pulse:
    """Beats until stopped; tells what the worker holds, and how fast it is."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        name: str,
        model: str,
        pools: Sequence[str],
        limit: float,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        """``limit`` is the longest time for a batch, in seconds. After that the process ends by
        ``end``: a thread inside native code cannot be stopped otherwise, and a janitor elsewhere
        gives the pictures to others."""
        self._ledger = ledger
        self._name = name
        self._about = {"model": model, "pools": list(pools), "pid": os.getpid()}
        self._host = socket.gethostname()
        self._limit = limit
        self._end = end
        self._seconds: float | None = None
        self._held: tuple[str, ...] = ()
        self._since = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="unmask-pulse", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and sign off."""
        self._stop.set()
        self._thread.join(_JOIN_SECONDS)
        try:
            self._ledger.leave(self._name)
        except (RedisError, OSError):
            _log.warning("worker %s could not sign off", self._name)

    @contextmanager
    def holding(self, works: Sequence[str]) -> Iterator[None]:
        """Keep the leases on ``works`` while they are worked on."""
        self._since, self._held = time.monotonic(), tuple(works)
        try:
            yield
        finally:
            self._held = ()
            pace = (time.monotonic() - self._since) / max(len(works), 1)
            before = pace if self._seconds is None else self._seconds
            self._seconds = before + _FADING * (pace - before)

    def _run(self) -> None:
        while True:
            self._check_limit()
            try:
                self.beat()
            except (RedisError, OSError) as error:
                _log.warning("worker %s: no beat (%s)", self._name, type(error).__name__)
            if self._stop.wait(BEAT):
                return

    def beat(self) -> None:
        """One sign of life."""
        about = self._about | {"host": self._host, "seconds": self._seconds}
        self._ledger.beat(self._name, json.dumps(about), self._held)

    def _check_limit(self) -> None:
        if self._held and time.monotonic() - self._since > self._limit:
            _log.critical(
                "worker %s: a batch of %d took more than %g s; ending the process",
                self._name,
                len(self._held),
                self._limit,
            )
            self._end(HUNG)
