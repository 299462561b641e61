"""The blocking side of the queue: what workers and janitors do to it."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import redis
from redis.exceptions import ResponseError
from rq.defaults import RQ_KEY_PREFIX

from unmask.errors import UnmaskError
from unmask.queue.keys import (
    ARRIVALS,
    COUNTERS,
    LEASE,
    LEASES,
    MAX_ATTEMPTS,
    MAX_STREAK,
    OPEN,
    WORKER,
    WORKERS,
    queue_name,
)
from unmask.queue.records import RETRYABLE, ModelTag, error_json, fields, job_fields
from unmask.queue.scripts import checks, janitor, workers
from unmask.report import Priority, Report, State

_QUEUES, _OURS = f"{RQ_KEY_PREFIX}:queues", f"{RQ_KEY_PREFIX}:queue:unmask-"
_REWRITE = "unmask:rewrite"
#: A job and the sha256 of its picture, as ``unmask:removing`` names them.
_REMOVAL = re.compile(r"[0-9a-f]{32}:(?:[0-9a-f]{64})?")
_log = logging.getLogger(__name__)


class Begun(NamedTuple):
    """A job that a worker begins: the seconds for which it has waited, its language, and whether a
    worker took it before."""

    wait: float
    language: str
    is_redelivered: bool


class WorkerQueue:
    """The queue as workers and janitors see it; each method is one atomic step.

    Answers come as text: open the client accordingly.
    """

    def __init__(self, client: redis.Redis) -> None:
        self.client = client

    # A worker's steps

    def take(
        self,
        pools: Sequence[str],
        max_jobs: int,
        max_pixels: float = math.inf,
        *,
        ahead: bool = False,
        bulk: bool = True,
    ) -> list[str]:
        """Up to ``max_jobs`` waiting jobs, taken out of their queues, whose pictures have together
        at most ``max_pixels``, or a single one of more.

        People's checks come before bulk, but while bulk waits, it gets one batch after
        ``MAX_STREAK`` of theirs; no batch holds both. In a queue the owners take turns.

        A job that was taken before comes alone, and not ``ahead``: to a worker that still holds
        another batch. Without ``bulk`` nothing is taken where it is bulk's turn.
        """
        names = [queue_name(pool, priority) for priority in Priority for pool in pools]
        limits = (max_jobs, LEASE, MAX_STREAK, max_pixels, int(ahead), int(bulk))
        return list(self._run(workers.TAKE, *limits, *names))

    def await_arrival(self, pools: Sequence[str], seconds: float) -> None:
        """Block until a job arrives, at most ``seconds``. It takes nothing, so a worker that ends
        here loses nothing.

        An arrival wakes one of the workers that serve the same ``pools``, the one that has waited
        longest: :meth:`take` wakes the next while more is waiting. An arrival since the last call
        counts, whichever worker made it.
        """
        group, block = ",".join(pools), int(seconds * 1000)
        try:
            self._await_turn(group, block)
        except ResponseError:
            if self._made_group(group):
                self._await_turn(group, block)
            else:  # Redis takes no writes, so that nothing arrives but in another's name
                self.client.xread({ARRIVALS: "$"}, block=block)

    def begin(self, worker: str, job_ids: Sequence[str]) -> list[Begun | None]:
        """Count the delivery and publish ``running``; returns None for a job whose checks were
        deleted or that has ended."""
        answers = self._run(workers.BEGIN, uuid4().hex, worker, LEASE, *job_ids)
        begun: list[Begun | None] = []
        for answer in answers:
            wait, _, rest = answer.partition(" ")
            language, _, taken = rest.rpartition(" ")
            begun.append(Begun(float(wait), language, float(taken) > 1) if language else None)
        return begun

    def heartbeat(self, worker: str, status: str, job_ids: Iterable[str]) -> None:
        """Renew a worker's entry, with its ``status`` (JSON), and its leases on ``job_ids``."""
        self._run(workers.HEARTBEAT, worker, status, LEASE, *job_ids)

    def leave(self, worker: str) -> None:
        """Remove the entry of a worker that ends in order."""
        self.client.zrem(WORKERS, worker)
        self.client.delete(WORKER + worker)

    def complete(
        self, job_id: str, report: Report, phash: int | None = None, *, pipeline: Any = None
    ) -> None:
        """End a job with its report, once: a second end is ignored. ``phash`` is the perceptual
        hash of its picture, by which copies are found.

        With a ``pipeline`` it is a part of its transaction. If another model judged than the one
        asked for, the next check of the picture starts a new job.
        """
        model = ModelTag(report.model.version, report.model.sha256)
        probability = "" if report.fake_probability is None else repr(report.fake_probability)
        bits = "" if phash is None else f"{phash:016x}"
        values = (str(model), report.verdict.value, probability, model.version, bits)
        self._end(pipeline, workers.COMPLETE, job_id, *values)

    def fail(self, job_id: str, error: UnmaskError, *, pipeline: Any = None) -> None:
        """End a job with an error, once: a second end is ignored.

        With a ``pipeline`` it is a part of its transaction. After a retryable error the next check
        of the picture starts a new job.
        """
        retry = int(error.code in RETRYABLE)
        self._end(pipeline, workers.FAIL, job_id, retry, error.code, error_json(error))

    def state(self, job_id: str) -> State | None:
        """The state of a job, None if its checks were deleted."""
        state: Any = self.client.hget(f"unmask:work:{job_id}", "state")
        return State(state) if state else None

    def count(self, counters: Mapping[str, float]) -> None:
        """Add to the sums for the metrics."""
        with self.client.pipeline(transaction=False) as pipeline:
            for name, value in counters.items():
                pipeline.hincrbyfloat(COUNTERS, name, value)
            pipeline.execute()

    # A janitor's steps

    def requeue_expired(self) -> dict[str, str]:
        """Take back the jobs whose lease has expired, for their workers are dead; returns the
        outcome (requeued, poison, given up, deleted, broken) by job."""
        message = f"Examining this picture ended the worker {MAX_ATTEMPTS} times; it is given up."
        poison = error_json(UnmaskError("poison_picture", message))
        taken = error_json(UnmaskError("internal", "No worker could begin with this picture."))
        return fields(self._run(janitor.REQUEUE_EXPIRED, poison, taken, LEASE))

    def orphans(self, min_age: float) -> set[str]:
        """Jobs unchanged for ``min_age`` seconds that are in no queue and that no worker holds.

        Not one atomic step: :meth:`unqueued` and :meth:`requeue` look again.
        """
        client: Any = self.client
        # Another application of RQ may share this Redis.
        queues = [name for name in sorted(client.smembers(_QUEUES)) if name.startswith(_OURS)]
        placed = client.zcard(LEASES) + sum(client.llen(queue) for queue in queues)
        if client.zcard(OPEN) <= placed:
            return set()
        now, micros = client.time()
        now += micros / 1e6
        orphans: set[str] = set(client.zrangebyscore(OPEN, "-inf", now - min_age))
        # The clock may have jumped back.
        orphans.update(client.zrangebyscore(OPEN, now + min_age, "+inf"))
        orphans.difference_update(client.zrange(LEASES, 0, -1))
        for queue in queues:
            orphans.difference_update(client.lrange(queue, 0, -1))
        return orphans

    def unqueued(self, job_ids: Iterable[str], min_age: float) -> dict[str, str]:
        """The orphans that were registered ``min_age`` seconds ago or earlier and never queued,
        with the sha256 of their pictures."""
        return fields(self._run(janitor.UNQUEUED, min_age, *job_ids))

    def enqueue(self, job_id: str, sha256: str, timeout: int) -> bool:
        """Queue a registered job; False if it was queued before."""
        record = job_fields(self.client, job_id, sha256, timeout)
        return bool(self._run(checks.ENQUEUE, job_id, *record))

    def requeue(self, job_ids: Iterable[str]) -> list[str]:
        """Put the orphans that still are in no queue back into theirs; returns which."""
        return list(self._run(janitor.REQUEUE, *job_ids))

    def fail_overdue(self, max_wait: float) -> int:
        """Fail the jobs that have waited ``max_wait`` seconds; returns how many."""
        error = UnmaskError("not_served", "No worker took the check in time; try again later.")
        return int(self._run(janitor.FAIL_OVERDUE, max_wait, error_json(error)))

    def due(self, max_removal: float) -> tuple[list[str], list[tuple[str, str]]]:
        """The checks that have expired, and the (job, sha256) whose removal began ``max_removal``
        seconds ago or earlier and did not end."""
        check_ids, names = self._run(janitor.DUE, max_removal)
        removals = []
        for name in names:
            job_id, _, sha256 = name.partition(":")
            if _REMOVAL.fullmatch(name):
                removals.append((job_id, sha256))
            else:
                _log.warning("queue: a removal that names no job is dropped")
                self.client.zrem("unmask:removing", name)
        return check_ids, removals

    def delete_check(self, check_id: str) -> tuple[str, str] | None:
        """Delete a check: None if there was none, else the (job, sha256) whose files the caller has
        to remove before it calls :meth:`removal_done`, both empty if there are none."""
        removal = self._run(checks.DELETE_CHECK, check_id)
        return None if removal is None else (removal[0], removal[1])

    def files_of_check(self, check_id: str) -> tuple[str, str] | None:
        """The (job, sha256) whose files go with a check, as for :meth:`delete_check`.

        It only reads, and so works while Redis refuses to write.
        """
        files = self._run(checks.FILES_OF_CHECK, check_id)
        return None if files is None else (files[0], files[1])

    def removal_done(self, job_id: str, sha256: str) -> None:
        """Note that the files are removed."""
        self._run(janitor.REMOVAL_DONE, job_id, sha256)

    def removal_failed(self, job_id: str, sha256: str) -> None:
        """Note that the files could not be removed: :meth:`due` names them again, after others."""
        self._run(janitor.REMOVAL_FAILED, job_id, sha256)

    def needs(self, kind: str, key: str) -> bool:
        """Whether a check still needs the ``pictures`` of a sha256 or the ``results`` of a job."""
        return bool(self._run(janitor.NEEDED, kind, key))

    def rewrite_log(self, seconds: float) -> bool:
        """Have Redis rewrite its append-only file without what was deleted.

        False if it does not: it keeps none, it was asked less than ``seconds`` ago, another rewrite
        runs, or this user may not ask.
        """
        client: Any = self.client
        try:
            has_log = client.info("persistence").get("aof_enabled")
            if not has_log or not self._run(janitor.CLAIM, _REWRITE, seconds):
                return False
            client.bgrewriteaof()
        except ResponseError:
            client.delete(_REWRITE)
            return False
        return True

    def claim_round(self, seconds: float) -> bool:
        """Whether this janitor is the one to keep house for so many seconds."""
        return bool(self._run(janitor.CLAIM, "unmask:janitor", seconds))

    def _await_turn(self, group: str, block: int) -> None:
        # all have one name: who was woken is nobody's business
        self.client.xreadgroup(group, "worker", {ARRIVALS: ">"}, count=1, block=block, noack=True)

    def _made_group(self, group: str) -> bool:
        """Whether the workers of a group can wait in turn now."""
        try:
            self.client.xgroup_create(ARRIVALS, group, id="0", mkstream=True)
        except ResponseError as error:
            return str(error).startswith("BUSYGROUP")
        return True

    def _end(self, pipeline: Any, script: str, *arguments: Any) -> None:
        (self.client if pipeline is None else pipeline).eval(script, 0, *arguments)

    def _run(self, script: str, *arguments: Any) -> Any:
        return self.client.eval(script, 0, *arguments)
