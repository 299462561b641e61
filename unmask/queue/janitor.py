"""Keeps the queue whole: returns what dead workers held, finds what got lost, forgets in time.

Every worker and every server runs one; all steps bear being done by several at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from unmask.errors import UnmaskError
from unmask.queue.keys import ROUND
from unmask.queue.worker_queue import Ledger
from unmask.settings import Settings
from unmask.store import Store

_log = logging.getLogger(__name__)

#: Seconds after which a work in no queue counts as lost; an asker may still be storing a picture.
LOST_SECONDS, STORING_SECONDS = 10.0, 30.0
#: Seconds after which the removal of files is done again: whoever began it died.
REMOVING_SECONDS = 60.0
#: Seconds for which a round forgets; the rest is left to the next.
FORGETTING_SECONDS = 5.0
#: The store is swept this often in the time that it keeps files, at most once in SWEEP_SECONDS.
SWEEPS, SWEEP_SECONDS = 10, 10.0
#: What was forgotten stays in Redis's append-only file for at most about so many seconds.
REWRITE_SECONDS = 60.0


class Janitor:
    """One round after the other; see :meth:`round`."""

    def __init__(self, ledger: Ledger, store: Store, settings: Settings) -> None:
        self._ledger = ledger
        self._store = store
        self._settings = settings
        self._stray: set[str] = set()
        self._next_sweep = 0.0
        self._next_rewrite = 0.0
        self._forgot = False

    def run(self, stop: threading.Event) -> None:
        """Keep house until ``stop`` is set, through failures of Redis and of the store."""
        while not stop.is_set():
            try:
                self.round()
            except (RedisError, OSError, UnmaskError) as error:
                _log.warning("janitor: %s", type(error).__name__)
            except Exception:
                _log.exception("janitor: a round failed")
            stop.wait(ROUND)

    def round(self) -> None:
        """Return the jobs of dead workers; then, unless another janitor just did, the rest."""
        for work, outcome in self._ledger.reclaim().items():
            _log.warning("janitor: work %s of a dead worker: %s", work, outcome)
        self._rewrite_log()
        if not self._ledger.claim_round(ROUND * 0.9):
            return
        stray = self._ledger.stray(LOST_SECONDS)
        self._queue_unpushed(stray)
        self._adopt(stray)
        overdue = self._ledger.fail_overdue(self._settings.max_wait)
        if overdue:
            _log.warning("janitor: %d works were not served in time", overdue)
        self._forget_due()
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + max(
                self._settings.retention / SWEEPS, SWEEP_SECONDS
            )
            with _tried("the sweep"):
                self._store.sweep(time.time(), self._settings.retention, self._ledger.needs)

    def forget(self, check: str) -> bool:
        """Remove every trace of a check; False if there is none. Files that cannot be removed just
        now are left to a later round."""
        found = self._ledger.forget(check)
        if found is None:
            return False
        self._forgot = True
        if found[0]:
            self._remove_files(*found)
        return True

    def _rewrite_log(self) -> None:
        if not self._forgot or time.monotonic() < self._next_rewrite:
            return
        self._next_rewrite = time.monotonic() + REWRITE_SECONDS
        # Before the call: what others forget during it may not be covered.
        self._forgot, rewritten = False, False
        try:
            rewritten = self._ledger.rewrite_log(REWRITE_SECONDS)
        finally:
            self._forgot = self._forgot or not rewritten

    def _queue_unpushed(self, stray: set[str]) -> None:
        if not stray:
            return
        for work, sha256 in self._ledger.unpushed(stray, STORING_SECONDS).items():
            with _tried(f"work {work}"):
                if self._store.has_picture(sha256):
                    self._ledger.enqueue(work, sha256, self._settings.job_timeout)
                else:
                    message = "The picture did not reach the store; send it again."
                    self._ledger.settle(work, UnmaskError("picture_missing", message))

    def _adopt(self, stray: set[str]) -> None:
        """What two rounds in a row saw in no queue is lost, not just on its way."""
        twice = stray & self._stray
        if twice and (adopted := self._ledger.adopt(twice)):
            _log.warning("janitor: %d lost works queued again", len(adopted))
        self._stray = stray

    def _forget_due(self) -> None:
        checks, removals = self._ledger.due(REMOVING_SECONDS)
        # A store that is away makes each try slow; who else waits for this round must not.
        until = time.monotonic() + FORGETTING_SECONDS
        for check in checks:
            if time.monotonic() < until:
                self.forget(check)
        for work, sha256 in removals:
            if time.monotonic() < until:
                self._remove_files(work, sha256)

    def _remove_files(self, work: str, sha256: str) -> None:
        try:
            self._store.delete_results(work)
            if sha256:
                self._store.delete_picture(sha256)
        except (OSError, UnmaskError) as error:
            _log.warning("janitor: the files of work %s stay for now (%s)", work, error)
            self._ledger.not_forgotten(work, sha256)
        else:
            self._ledger.forgotten(work, sha256)


@contextmanager
def _tried(what: str) -> Iterator[None]:
    """A step whose failure must not keep the others from being done."""
    try:
        yield
    except (OSError, UnmaskError) as error:
        _log.warning("janitor: %s: %s (%s)", what, type(error).__name__, error)
