"""RQ's worker, which takes all waiting jobs as one batch, and the next while that is drawn.

RQ keeps the records (jobs, registries, workers) and handles signals; steps that a crash must not
tear apart are scripts of :mod:`unmask.queue.scripts`. Nothing in Redis names code to run: a job's
function, callbacks and webhooks are never looked up.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

import redis
from rq import worker_registration
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker import SimpleWorker, WorkerStatus

from unmask.errors import UnmaskError
from unmask.queue.keys import queue_name
from unmask.queue.worker_queue import WorkerQueue
from unmask.report import Priority, State
from worker.examiner import Examined, Examiner, Running
from worker.heartbeat import Heartbeat
from worker.jobs import BatchJob, CheckJob, read_record

_log = logging.getLogger(__name__)

#: Seconds for which an idle worker blocks before it looks into its queues by itself.
_IDLE_SECONDS = 10.0
#: Seconds for which RQ lists an idle worker without a heartbeat; also bounds each answer of Redis.
_WORKER_TTL = 60
#: Seconds in which one heartbeat to RQ is enough.
_BEAT_SECONDS = 5.0
#: Seconds before Redis is tried again, beyond the client's own patience.
_RECONNECT_SECONDS = 1.0


@dataclass(frozen=True)
class _Batch:
    """Jobs that are examined together. One that was delivered before is ``alone``, so that no other
    picture counts as the culprit if it ends its worker again. ``held`` has what renews its
    leases."""

    jobs: list[BatchJob]
    examination: Running
    alone: bool
    held: ExitStack


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
        most_batches: int,
        stopping: threading.Event,
    ) -> None:
        """``connection`` must not decode answers, that of ``queue`` must. At most ``most_batches``
        are in hand at one time: with 1, a batch is taken once the one before has ended."""
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
        self._most_batches = most_batches
        self._stopping = stopping
        self._blocked = False
        self._beat_at = float("-inf")
        self._batch: list[BatchJob] = []

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

    def _load(self, job_ids: Sequence[str]) -> list[BatchJob]:
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
                item = read_record(job_id, fields, self.connection)
                if item:
                    batch.append(item)
                else:
                    self._refuse(job_id)
        return batch

    def _refuse(self, job_id: str) -> None:
        _log.error("worker %s: the record of job %s is not of the one task", self.name, job_id)
        self.connection.delete(CheckJob.key_for(job_id))
        error = UnmaskError("internal", "The job does not name the one task that workers run.")
        self._worker_queue.fail(job_id, error)

    # Working

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the batch that ``job`` is the first of, and those that are taken while it runs."""
        first, self._batch = self._batch, []
        running: deque[_Batch] = deque()
        try:
            self._start(first, running)
            while running:
                self._run_oldest(running)
        finally:
            # Only after an error: a janitor returns these jobs. The model ends with them first, or
            # the next worker of this process would run a second one beside it.
            for batch in running:
                batch.examination.judged.exception()
                batch.held.close()

    def _start(self, items: list[BatchJob], running: deque[_Batch]) -> None:
        """Begin a batch, and have it examined in a thread of its own."""
        with ExitStack() as held:
            held.enter_context(self._heartbeat.holding([item.job.id for item in items]))
            live, alone = self._begin(items)
            if live:
                examination = self._examiner.start([item.job for item in live])
                running.append(_Batch(live, examination, alone, held.pop_all()))

    def _run_oldest(self, running: deque[_Batch]) -> None:
        """Conclude the oldest batch as its pictures are drawn, while the next is examined."""
        batch = running[0]
        if len(running) == 1:
            batch.examination.wait()
            self._look_ahead(running)
        for item, future in zip(batch.jobs, batch.examination.judged.result(), strict=True):
            if len(running) < self._most_batches:
                running[-1].examination.wait(future)
                self._look_ahead(running)
            item.record.result_of_batch = future
            self._perform(item)
        self._count(batch.jobs)
        running.popleft().held.close()

    def _look_ahead(self, running: deque[_Batch]) -> None:
        """Begin the next batch, if one waits, before the last one ends: one of bulk once the model
        is free, for a person's check that came a moment later would wait for it."""
        newest = running[-1]
        is_full = len(running) >= self._most_batches
        if is_full or newest.alone or not newest.examination.next_may_start():
            return
        # Whatever RQ does between two batches is not put off.
        if self._stopping.is_set() or self.should_run_maintenance_tasks:
            return
        try:
            job_ids = self._worker_queue.take(
                self._pools,
                *self._batch_limits,
                ahead=True,
                bulk=newest.examination.is_model_free(),
            )
            items = self._load(job_ids)
            if items:
                self._start(items, running)
        except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError) as error:
            # The batches in hand are concluded all the same; a janitor returns what was taken.
            _log.warning("worker %s: took no batch (%s)", self.name, type(error).__name__)

    def _begin(self, items: list[BatchJob]) -> tuple[list[BatchJob], bool]:
        """Record that jobs run, before the model does; returns those whose checks are not deleted,
        and whether one of them was delivered before."""
        begun = self._worker_queue.begin(self.name, [item.job.id for item in items])
        live, alone = [], False
        for item, start in zip(items, begun, strict=True):
            if start is None:
                item.record.delete()
                continue
            item.job = replace(item.job, wait=start.wait, language=start.language)
            alone = alone or start.is_redelivered
            live.append(item)
        if live:
            self._record_begin(live)
        return live, alone

    def _record_begin(self, batch: list[BatchJob]) -> None:
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

    def _perform(self, item: BatchJob) -> None:
        """Let RQ conclude a job; see :meth:`cleanup_execution`."""
        if item.execution is None:
            raise RuntimeError("the job was not begun")
        self.perform_job(item.record, self._queue_of(item.record), item.execution)
        is_kept = item.record.is_ended_here and isinstance(item.record.outcome, Examined)
        if not is_kept and self._worker_queue.state(item.job.id) in (None, State.FAILED):
            self._discard(item)

    def _discard(self, item: BatchJob) -> None:
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

    def _count(self, batch: list[BatchJob]) -> None:
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
        """Finish the batches in hand, then end. Only a worker that holds no job is interrupted."""
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
