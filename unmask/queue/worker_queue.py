"""The blocking side of the queue: what workers and janitors do to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4

import redis
from redis.exceptions import ResponseError
from rq.defaults import RQ_KEY_PREFIX

from unmask.errors import UnmaskError
from unmask.queue import scripts
from unmask.queue.keys import (
    ARRIVALS,
    COUNTERS,
    LEASE,
    LEASES,
    MAX_ATTEMPTS,
    OPEN,
    WORKER,
    WORKERS,
    queue_name,
)
from unmask.queue.records import RETRYABLE, ModelTag, error_json, fields, job_fields
from unmask.report import Priority, Report, State

_QUEUES, _OURS = f"{RQ_KEY_PREFIX}:queues", f"{RQ_KEY_PREFIX}:queue:unmask-"
_REWRITE = "unmask:rewrite"


class WorkerQueue:
    """The queue as workers and janitors see it; each method is one atomic step.

    Answers come as text: open the client accordingly.
    """

    def __init__(self, client: redis.Redis) -> None:
        self.client = client

    # A worker's steps

    def take(self, pools: Sequence[str], max_jobs: int) -> list[str]:
        """Up to ``max_jobs`` waiting jobs, taken out of their queues.

        People's checks come before bulk, and no batch holds both: nobody waits for bulk.
        """
        names: list[str] = []
        for priority in (Priority.INTERACTIVE, Priority.BULK):
            names += [*(queue_name(pool, priority) for pool in pools), "|"]
        return list(self._run(scripts.TAKE, max_jobs, LEASE, *names))

    def last_arrival(self) -> str:
        """A mark of the last arrival, for :meth:`await_arrival`. Read it before :meth:`take`."""
        entries: Any = self.client.xrevrange(ARRIVALS, count=1)
        return str(entries[0][0]) if entries else "0-0"

    def await_arrival(self, last: str, seconds: float) -> None:
        """Block until a job arrives after ``last``, at most ``seconds``. Takes nothing, so a worker
        that ends here loses nothing."""
        self.client.xread({ARRIVALS: last}, block=int(seconds * 1000))

    def begin(self, worker: str, job_ids: Sequence[str]) -> list[float | None]:
        """Count the delivery and publish ``running``; returns the seconds that each job has waited,
        None for one whose checks were deleted or that has ended."""
        waits = self._run(scripts.BEGIN, uuid4().hex, worker, LEASE, *job_ids)
        return [None if wait == "-1" else float(wait) for wait in waits]

    def heartbeat(self, worker: str, status: str, job_ids: Iterable[str]) -> None:
        """Renew a worker's entry, with its ``status`` (JSON), and its leases on ``job_ids``."""
        self._run(scripts.HEARTBEAT, worker, status, LEASE, *job_ids)

    def leave(self, worker: str) -> None:
        """Remove the entry of a worker that ends in order."""
        self.client.zrem(WORKERS, worker)
        self.client.delete(WORKER + worker)

    def complete(self, job_id: str, report: Report, *, pipeline: Any = None) -> None:
        """End a job with its report, once: a second end is ignored.

        With a ``pipeline`` it is a part of its transaction. If another model judged than the one
        asked for, the next check of the picture starts a new job.
        """
        model = ModelTag(report.model.version, report.model.sha256)
        probability = "" if report.fake_probability is None else repr(report.fake_probability)
        values = (str(model), report.verdict.value, probability, model.version)
        self._end(pipeline, scripts.COMPLETE, job_id, *values)

    def fail(self, job_id: str, error: UnmaskError, *, pipeline: Any = None) -> None:
        """End a job with an error, once: a second end is ignored.

        With a ``pipeline`` it is a part of its transaction. After a retryable error the next check
        of the picture starts a new job.
        """
        retry = int(error.code in RETRYABLE)
        self._end(pipeline, scripts.FAIL, job_id, retry, error.code, error_json(error))

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
        outcome (requeued, poison, deleted) by job."""
        message = f"Examining this picture ended the worker {MAX_ATTEMPTS} times; it is given up."
        error = error_json(UnmaskError("poison_picture", message))
        return fields(self._run(scripts.REQUEUE_EXPIRED, error))

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
        latest = now + micros / 1e6 - min_age
        orphans: set[str] = set(client.zrangebyscore(OPEN, "-inf", latest))
        orphans.difference_update(client.zrange(LEASES, 0, -1))
        for queue in queues:
            orphans.difference_update(client.lrange(queue, 0, -1))
        return orphans

    def unqueued(self, job_ids: Iterable[str], min_age: float) -> dict[str, str]:
        """The orphans that were registered ``min_age`` seconds ago or earlier and never queued,
        with the sha256 of their pictures."""
        return fields(self._run(scripts.UNQUEUED, min_age, *job_ids))

    def enqueue(self, job_id: str, sha256: str, timeout: int) -> bool:
        """Queue a registered job; False if it was queued before."""
        record = job_fields(self.client, job_id, sha256, timeout)
        return bool(self._run(scripts.ENQUEUE, job_id, *record))

    def requeue(self, job_ids: Iterable[str]) -> list[str]:
        """Put the orphans that still are in no queue back into theirs; returns which."""
        return list(self._run(scripts.REQUEUE, *job_ids))

    def fail_overdue(self, max_wait: float) -> int:
        """Fail the jobs that have waited ``max_wait`` seconds; returns how many."""
        error = UnmaskError("not_served", "No worker took the check in time; try again later.")
        return int(self._run(scripts.FAIL_OVERDUE, max_wait, error_json(error)))

    def due(self, max_removal: float) -> tuple[list[str], list[tuple[str, str]]]:
        """The checks that have expired, and the (job, sha256) whose removal began ``max_removal``
        seconds ago or earlier and did not end."""
        check_ids, removals = self._run(scripts.DUE, max_removal)
        pairs = [name.partition(":") for name in removals]
        return check_ids, [(job_id, sha256) for job_id, _, sha256 in pairs]

    def delete_check(self, check_id: str) -> tuple[str, str] | None:
        """Delete a check: None if there was none, else the (job, sha256) whose files the caller has
        to remove before it calls :meth:`removal_done`, both empty if there are none."""
        removal = self._run(scripts.DELETE_CHECK, check_id)
        return None if removal is None else (removal[0], removal[1])

    def removal_done(self, job_id: str, sha256: str) -> None:
        """Note that the files are removed."""
        self._run(scripts.REMOVAL_DONE, job_id, sha256)

    def removal_failed(self, job_id: str, sha256: str) -> None:
        """Note that the files could not be removed: :meth:`due` names them again, after others."""
        self._run(scripts.REMOVAL_FAILED, job_id, sha256)

    def needs(self, kind: str, key: str) -> bool:
        """Whether a check still needs the ``pictures`` of a sha256 or the ``results`` of a job."""
        name = f"unmask:picture:{key}" if kind == "pictures" else f"unmask:work:{key}"
        return bool(self.client.exists(name))

    def rewrite_log(self, seconds: float) -> bool:
        """Have Redis rewrite its append-only file without what was deleted.

        False if it does not: it keeps none, it was asked less than ``seconds`` ago, another rewrite
        runs, or this user may not ask.
        """
        client: Any = self.client
        try:
            has_log = client.info("persistence").get("aof_enabled")
            if not has_log or not client.set(_REWRITE, "1", nx=True, px=int(seconds * 1000)):
                return False
            client.bgrewriteaof()
        except ResponseError:
            client.delete(_REWRITE)
            return False
        return True

    def claim_round(self, seconds: float) -> bool:
        """Whether this janitor is the one to keep house for so many seconds."""
        return bool(self.client.set("unmask:janitor", "1", nx=True, px=int(seconds * 1000)))

    def _end(self, pipeline: Any, script: str, *arguments: Any) -> None:
        (self.client if pipeline is None else pipeline).eval(script, 0, *arguments)

    def _run(self, script: str, *arguments: Any) -> Any:
        return self.client.eval(script, 0, *arguments)
