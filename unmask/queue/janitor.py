"""Keeps the queue whole: requeues the jobs of dead workers, finds orphans, deletes what expired.

Every worker and every server runs a janitor; several may do each step at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import ConnectionError as LostError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as LateError

from unmask.errors import UnmaskError
from unmask.logs import kind_of
from unmask.queue.keys import ROUND
from unmask.queue.worker_queue import WorkerQueue
from unmask.settings import Settings
from unmask.store import Store

_log = logging.getLogger(__name__)

#: Seconds after which a job in no queue counts as an orphan; a door may still be storing a picture.
ORPHAN_SECONDS, STORING_SECONDS = 10.0, 30.0
#: Seconds after which the removal of files is done again: the process that began it died.
REMOVING_SECONDS = 60.0
#: Seconds for which a round deletes; the rest is left to the next.
DELETING_SECONDS = 5.0
#: The store is swept this often in the time that it keeps files, at most once in SWEEP_SECONDS.
SWEEPS, SWEEP_SECONDS = 10, 10.0
#: Seconds for which a deletion waits until Redis takes writes again: it tries each second.
WRITABLE_SECONDS, WRITABLE_INTERVAL = 4.0, 0.1
#: Deleted data stays in Redis's append-only file for at most about so many seconds.
REWRITE_SECONDS = 60.0


class Janitor:
    """Does one round after the other; see :meth:`round`."""

    def __init__(self, queue: WorkerQueue, store: Store, settings: Settings) -> None:
        self._queue = queue
        self._store = store
        self._settings = settings
        self._orphans: set[str] = set()
        self._next_sweep = self._next_urgent_sweep = 0.0
        self._is_refused = False
        self._next_rewrite = 0.0
        self._has_deleted = False

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
        """Requeue the jobs of dead workers; then, unless another janitor just did, the rest.

        A step that fails keeps no other from being done. What expires goes first, and the sweep
        needs no write of Redis: on a full disk, or in a full memory, they make the room that the
        other steps need.
        """
        with _logged("jobs of dead workers"):
            for job_id, outcome in self._queue.requeue_expired().items():
                _log.warning("janitor: job %s of a dead worker: %s", job_id, outcome)
        with _logged("the log"):
            self._rewrite_log()
        if not self._may_keep_house():
            return
        for name, step in (
            ("expired checks", self._delete_due),
            ("lost jobs", self._mend_orphans),
            ("overdue jobs", self._fail_overdue),
            ("the sweep", self._sweep),
        ):
            with _logged(name):
                step()

    def _may_keep_house(self) -> bool:
        """Whether no other janitor does the rest just now. Several may, where Redis refuses to note
        which one does."""
        try:
            self._is_refused = False
            return self._queue.claim_round(ROUND * 0.9)
        except ResponseError as error:
            _log.warning("janitor: Redis refuses to write (%s)", kind_of(error))
            self._is_refused = True
            return True

    def _mend_orphans(self) -> None:
        orphans = self._queue.orphans(ORPHAN_SECONDS)
        self._enqueue_unqueued(orphans)
        self._requeue(orphans)

    def _fail_overdue(self) -> None:
        overdue = self._queue.fail_overdue(self._settings.max_wait)
        if overdue:
            _log.warning("janitor: %d jobs were not served in time", overdue)

    def _sweep(self) -> None:
        now = time.monotonic()
        if now < self._next_sweep and not (self._is_refused and now >= self._next_urgent_sweep):
            return
        self._next_sweep = now + max(self._settings.retention / SWEEPS, SWEEP_SECONDS)
        self._next_urgent_sweep = now + SWEEP_SECONDS
        self._store.sweep(time.time(), self._settings.retention, self._queue.needs)

    def delete_check(self, check_id: str) -> bool:
        """Remove every trace of a check; False if there is none. Files that cannot be removed just
        now are left to a later round.

        Where Redis refuses to write, because its disk is full, the files go first: that makes the
        room in which Redis can write that they are gone.
        """
        try:
            removal = self._queue.delete_check(check_id)
        except ResponseError:
            if not self._remove_files_of_check(check_id):
                return False
            removal = self._delete_once_writable(check_id)
        if removal is None:
            return False
        self._finish(removal)
        return True

    def _remove_files_of_check(self, check_id: str) -> bool:
        """Remove the files that go with a check; False if there is no such check."""
        files = self._queue.files_of_check(check_id)
        if files is not None and files[0]:
            self._store.delete_results(files[0])
            if files[1]:
                self._store.delete_picture(files[1])
        return files is not None

    def _delete_once_writable(self, check_id: str) -> tuple[str, str] | None:
        """Delete a check in Redis as soon as it takes writes; raises its refusal if it does not."""
        deadline = time.monotonic() + WRITABLE_SECONDS
        while True:
            try:
                return self._queue.delete_check(check_id)
            except ResponseError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(WRITABLE_INTERVAL)

    def _rewrite_log(self) -> None:
        if not self._has_deleted or time.monotonic() < self._next_rewrite:
            return
        self._next_rewrite = time.monotonic() + REWRITE_SECONDS
        # Before the call: it may not cover what others delete during it.
        self._has_deleted, rewritten = False, False
        try:
            rewritten = self._queue.rewrite_log(REWRITE_SECONDS)
        finally:
            self._has_deleted = self._has_deleted or not rewritten

    def _enqueue_unqueued(self, orphans: set[str]) -> None:
        """Queue the orphans that never were, or fail them where the picture is not stored."""
        if not orphans:
            return
        for job_id, sha256 in self._queue.unqueued(orphans, STORING_SECONDS).items():
            with _logged(f"job {job_id}"):
                if self._store.has_picture(sha256):
                    self._queue.enqueue(job_id, sha256, self._settings.job_timeout)
                else:
                    message = "The picture did not reach the store; send it again."
                    self._queue.fail(job_id, UnmaskError("picture_missing", message))

    def _requeue(self, orphans: set[str]) -> None:
        """Requeue the orphans of two rounds in a row; those of one may just be on their way."""
        lasting = orphans & self._orphans
        if lasting and (requeued := self._queue.requeue(lasting)):
            _log.warning("janitor: %d orphans queued again", len(requeued))
        self._orphans = orphans

    def _delete_due(self) -> None:
        check_ids, removals = self._queue.due(REMOVING_SECONDS)
        # A store that is away makes each try slow; jobs that wait for this round must not.
        deadline = time.monotonic() + DELETING_SECONDS
        for check_id in check_ids:
            if time.monotonic() < deadline:
                with _logged("an expired check"):
                    self._delete_expired(check_id)
        for job_id, sha256 in removals:
            if time.monotonic() < deadline:
                with _logged("files that stayed"):
                    self._remove_files(job_id, sha256)

    def _delete_expired(self, check_id: str) -> None:
        """As :meth:`delete_check`; while Redis refuses to write, the sweep removes the files."""
        removal = self._queue.delete_check(check_id)
        if removal is not None:
            self._finish(removal)

    def _finish(self, removal: tuple[str, str]) -> None:
        """Remove the files of a check that is deleted in Redis."""
        self._has_deleted = True
        job_id, sha256 = removal
        if job_id:
            self._remove_files(job_id, sha256)

    def _remove_files(self, job_id: str, sha256: str) -> None:
        try:
            self._store.delete_results(job_id)
            if sha256:
                self._store.delete_picture(sha256)
        except (OSError, UnmaskError) as error:
            _log.warning("janitor: the files of job %s stay for now (%s)", job_id, kind_of(error))
            self._queue.removal_failed(job_id, sha256)
        else:
            self._queue.removal_done(job_id, sha256)


@contextmanager
def _logged(step: str) -> Iterator[None]:
    """Logs the failure of a step, which must not keep the others from being done. Where Redis is
    away none can be."""
    try:
        yield
    except (LostError, LateError):
        raise
    except (RedisError, OSError, UnmaskError) as error:
        _log.warning("janitor: %s: %s", step, kind_of(error))
    except Exception:
        _log.exception("janitor: %s failed", step)
