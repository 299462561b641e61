"""RQ's worker, which takes all waiting jobs as one batch.

RQ keeps the records (jobs, registries, workers) and handles signals; steps that a crash must not
tear apart are scripts of :mod:`unmask.queue.scripts`. Nothing in Redis names code to run: a job's
function, callbacks and webhooks are never looked up.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

import redis
from rq import worker_registration
from rq.exceptions import DeserializationError, StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker import SimpleWorker, WorkerStatus

from unmask.errors import UnmaskError
from unmask.queue.keys import TASK, queue_name
from unmask.queue.worker_queue import WorkerQueue
from unmask.report import Priority, State
from worker.examiner import Examined, ExamineJob, Examiner, Outcome
from worker.heartbeat import Heartbeat

_log = logging.getLogger(__name__)

_SHA256, _JOB_ID = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{32}")
#: Bytes of RQ's record of a job, as Redis holds it: ours has some 600. What is packed in it unpacks
#: to a thousand times that at most.
_MAX_RECORD_BYTES = 8_192
#: Seconds for which an idle worker blocks before it looks into its queues by itself.
_IDLE_SECONDS = 10.0
#: Seconds for which RQ lists an idle worker without a heartbeat; also bounds each answer of Redis.
_WORKER_TTL = 60
#: Seconds in which one heartbeat to RQ is enough.
_BEAT_SECONDS = 5.0
#: Seconds before Redis is tried again, beyond the client's own patience.
_RECONNECT_SECONDS = 1.0


class CheckJob(Job):
    """A job whose result comes out of its batch."""

    result_of_batch: Future[Outcome] | None = None
    outcome: Outcome | None = None
    #: Whether this worker ended the job, and nobody before it.
    is_ended_here = False
    success_callback = None
    failure_callback = None
    stopped_callback = None

    def perform(self) -> None:
        """Wait for the batch. A picture that cannot be examined is a result, not a failed job."""
        if self.result_of_batch is None:
            raise RuntimeError("the job is in no batch")
        self.outcome = self.result_of_batch.result()

    def send_webhooks(self, *_: Any, **__: Any) -> None:
        """Nothing: an address in Redis is not one to call."""


@dataclass
class _BatchJob:
    """A job of a batch: ``job`` is ours, ``record`` and ``execution`` are RQ's."""

    job: ExamineJob
    record: CheckJob
    execution: Execution | None = None


class BatchWorker(SimpleWorker):
    """Serves pools of queues; ``stopping`` is set by the first signal to end."""

    job_class = CheckJob

    def __init__(
        self,
        *,
        connection: redis.Redis,
        queue: WorkerQueue,
        examiner: Examiner,
        heartbeat: Heartbeat,
        pools: Sequence[str],
        batch_size: int,
        batch_pixels: int,
        stopping: threading.Event,
    ) -> None:
        """``connection`` must not decode answers, that of ``queue`` must."""
        names = [queue_name(pool, priority) for priority in Priority for pool in pools]
        super().__init__(
            names,
            connection=connection,
            job_class=CheckJob,
            serializer=JSONSerializer,
            default_result_ttl=0,
            worker_ttl=_WORKER_TTL,
            disable_default_exception_handler=True,
            log_job_description=False,
        )
        self._worker_queue = queue
        self._examiner = examiner
        self._heartbeat = heartbeat
        self._pools = tuple(pools)
        self._batch_limits = batch_size, batch_pixels
        self._stopping = stopping
        self._blocked = False
        self._beat_at = float("-inf")
        self._batch: list[_BatchJob] = []

    # Taking

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Take a batch, blocking while nothing waits; returns its first job."""
        self.set_state(WorkerStatus.IDLE)
        while not self._stopping.is_set():
            try:
                job_ids = self._worker_queue.take(self._pools, *self._batch_limits)
                self._batch = self._load(job_ids)
                if self._batch:
                    record = self._batch[0].record
                    return record, self._queue_of(record)
                if timeout is None:
                    return None
                self.heartbeat()
                with self._interruptible():
                    self._worker_queue.await_arrival(self._pools, _IDLE_SECONDS)
            except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError) as error:
                _log.warning("worker %s: Redis is away (%s)", self.name, type(error).__name__)
                time.sleep(_RECONNECT_SECONDS)
        raise StopRequested

    def _load(self, job_ids: Sequence[str]) -> list[_BatchJob]:
        """The jobs with RQ's records of them; fails those that do not name the one task."""
        if not job_ids:
            return []
        batch = []
        with self.connection.pipeline(transaction=False) as pipeline:
            for job_id in job_ids:
                pipeline.hgetall(CheckJob.key_for(job_id))
            stored = pipeline.execute(raise_on_error=False)
        for job_id, fields in zip(job_ids, stored, strict=True):
            # A job whose record is lost keeps its lease; after that a janitor writes it again.
            if fields:
                item = self._read(job_id, fields)
                if item:
                    batch.append(item)
                else:
                    self._refuse(job_id)
        return batch

    def _read(self, job_id: str, fields: Any) -> _BatchJob | None:
        """The job of RQ's record, None where that is damaged or names another task.

        Anybody who can write to Redis can write anything there: whatever goes wrong as a record is
        read must end this job alone, and not the worker.
        """
        try:
            if sum(len(value) for value in fields.values()) > _MAX_RECORD_BYTES:
                return None
            record = CheckJob(job_id, self.connection, JSONSerializer)
            record.restore(fields)
            job = _examine_job(job_id, record)
        except Exception as error:
            _log.warning("worker %s: job %s: %s", self.name, job_id, type(error).__name__)
            return None
        return _BatchJob(job, record) if job else None

    def _refuse(self, job_id: str) -> None:
        _log.error("worker %s: the record of job %s is not of the one task", self.name, job_id)
        self.connection.delete(CheckJob.key_for(job_id))
        error = UnmaskError("internal", "The job does not name the one task that workers run.")
        self._worker_queue.fail(job_id, error)

    # Working

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the batch that ``job`` is the first of."""
        batch, self._batch = self._batch, []
        with self._heartbeat.holding([item.job.id for item in batch]):
            live = self._begin(batch)
            futures = self._examiner.examine([item.job for item in live])
            for item, future in zip(live, futures, strict=True):
                item.record.result_of_batch = future
                self._perform(item)
        self._count(live)

    def _begin(self, batch: list[_BatchJob]) -> list[_BatchJob]:
        """Record that the batch runs, before the model does; drops the jobs of deleted checks."""
        started = self._worker_queue.begin(self.name, [item.job.id for item in batch])
        live = []
        for item, start in zip(batch, started, strict=True):
            if start is None:
                item.record.delete()
                continue
            wait, language = start
            item.job = replace(item.job, wait=wait, language=language)
            live.append(item)
        self._record_begin(live)
        return live

    def _record_begin(self, batch: list[_BatchJob]) -> None:
        """RQ's records of all jobs of a batch, in one transaction: RQ takes two for each."""
        with self.connection.pipeline() as pipeline:
            for item in batch:
                ttl = self.get_heartbeat_ttl(item.record)
                execution = Execution.create(item.record, ttl, pipeline, self.name)
                item.execution = self.executions[execution.id] = execution
                item.record.prepare_for_execution(self.name, pipeline)
                pipeline.persist(item.record.key)
                self.heartbeat(ttl, pipeline)
            self.set_state(WorkerStatus.BUSY, pipeline)
            pipeline.execute()

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        """Nothing: :meth:`_record_begin` did it."""

    def _perform(self, item: _BatchJob) -> None:
        """Let RQ conclude a job; see :meth:`cleanup_execution`."""
        if item.execution is None:
            raise RuntimeError("the job was not begun")
        self.perform_job(item.record, self._queue_of(item.record), item.execution)
        is_kept = item.record.is_ended_here and isinstance(item.record.outcome, Examined)
        if not is_kept and self._worker_queue.state(item.job.id) in (None, State.FAILED):
            self._discard(item)

    def _discard(self, item: _BatchJob) -> None:
        """Remove the stored files of a job that failed or was deleted while it ran, now or once the
        drawing ends. Those of a done job stay: another worker may have stored them."""
        future = item.record.result_of_batch
        if future is not None:
            future.add_done_callback(lambda _: self._examiner.discard(item.job))

    def handle_execution_ended(self, job: Job, queue: Queue, heartbeat_ttl: int) -> None:
        """RQ's, without a heartbeat of the record that is removed next."""
        job.ended_at = now()

    def handle_job_success(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: StartedJobRegistry,
        execution: Execution,
    ) -> None:
        """Conclude a job in one transaction. RQ asks Redis a dozen times for dependents, repeats
        and registries, of which our jobs have none, while a caller waits."""
        with self.connection.pipeline() as pipeline:
            self.increment_successful_job_count(pipeline)
            if job.ended_at and job.started_at:
                self.increment_total_working_time(job.ended_at - job.started_at, pipeline)
            self.cleanup_execution(job, pipeline, execution)
            *_, is_ended, _ = pipeline.execute()
        if isinstance(job, CheckJob):
            job.is_ended_here = bool(is_ended)

    def cleanup_execution(
        self, job: Job, pipeline: Any, execution: Execution | None = None
    ) -> None:
        """End a job: RQ's records, our state and the event change in one transaction."""
        super().cleanup_execution(job, pipeline, execution)
        outcome = job.outcome if isinstance(job, CheckJob) else None
        if isinstance(outcome, Examined):
            report, phash = outcome.report, outcome.phash
            self._worker_queue.complete(job.id, report, phash, pipeline=pipeline)
        else:
            late = UnmaskError("internal", "The picture could not be examined in time.")
            self._worker_queue.fail(job.id, outcome or late, pipeline=pipeline)
        pipeline.delete(job.key)

    def _count(self, batch: list[_BatchJob]) -> None:
        if not batch:
            return
        size = len(batch)
        sums = Counter[str]({"batches": 1, "pictures": size, f"batch_size:{size}": 1})
        for item in batch:
            if isinstance(item.record.outcome, Examined):
                for stage, milliseconds in item.record.outcome.report.timings_ms:
                    sums[f"ms:{stage}"] += milliseconds
        self._worker_queue.count(sums)

    def _queue_of(self, job: Job) -> Queue:
        return Queue(
            job.origin,
            connection=self.connection,
            job_class=CheckJob,
            serializer=JSONSerializer,
        )

    # Living

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """RQ's; by itself no sooner than some seconds after the last."""
        if pipeline is None and time.monotonic() - self._beat_at < _BEAT_SECONDS:
            return
        self._beat_at = time.monotonic()
        super().heartbeat(timeout, pipeline)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Finish the running batch, then end. Only a worker that holds no job is interrupted."""
        self._stopping.set()
        self._stop_requested = True
        if self._blocked:
            raise StopRequested

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        self._blocked = True
        try:
            if self._stopping.is_set():
                raise StopRequested
            yield
        finally:
            self._blocked = False

    def run_maintenance_tasks(self) -> None:
        """RQ's own would fail the jobs of dead workers; our janitor returns them."""
        for queue in self.queues:
            worker_registration.clean_worker_registry(queue)
        self.last_cleaned_at = now()  # type: ignore[assignment]

    def subscribe(self) -> None:
        """Take no commands over Redis: signals do."""

    def unsubscribe(self) -> None:
        """See :meth:`subscribe`."""


def _examine_job(job_id: str, record: CheckJob) -> ExamineJob | None:
    """Our job of RQ's record, None if that is not the one task with fitting arguments."""
    try:
        name, arguments = record.func_name, list(record.args)
    except (DeserializationError, TypeError):
        return None
    if name != TASK or len(arguments) != 2 or not all(isinstance(a, str) for a in arguments):
        return None
    sha256, key = arguments
    fits = _SHA256.fullmatch(sha256) and _JOB_ID.fullmatch(key) and key == job_id
    return ExamineJob(job_id, sha256) if fits else None
