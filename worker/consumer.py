"""RQ's worker, taking all that waits as one batch.

RQ keeps the books (jobs, registries, workers, signals); what must not be torn apart by a crash is
done by the scripts of :mod:`unmask.queue.scripts`. Nothing that stands in Redis names code to run:
a job's function, callbacks and webhooks are never looked up.
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
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker import SimpleWorker, WorkerStatus

from unmask.errors import UnmaskError
from unmask.queue.keys import TASK, queue_name
from unmask.queue.worker_queue import Ledger
from unmask.report import Priority, Report, State
from worker.examiner import Examiner, Order, Outcome
from worker.heartbeat import Pulse

_log = logging.getLogger(__name__)

_SHA256, _WORK = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{32}")
#: Seconds for which an idle worker blocks before it looks for itself.
_IDLE_SECONDS = 10.0
#: Seconds for which RQ lists an idle worker that gives no sign; also bounds each answer of Redis.
_WORKER_TTL = 60
#: Seconds before Redis is tried again, beyond the client's own patience.
_RECONNECT_SECONDS = 1.0


class CheckJob(Job):
    """A job whose result comes out of its batch."""

    result_of_batch: Future[Outcome] | None = None
    found: Outcome | None = None
    success_callback = None
    failure_callback = None
    stopped_callback = None

    def perform(self) -> None:
        """Wait for the batch. A picture that cannot be examined is a result, not a failed job."""
        if self.result_of_batch is None:
            raise RuntimeError("the job is in no batch")
        self.found = self.result_of_batch.result()

    def send_webhooks(self, *_: Any, **__: Any) -> None:
        """Nothing: an address in Redis is not one to call."""


@dataclass
class _Ticket:
    """A job on its way through a batch."""

    order: Order
    job: CheckJob
    execution: Execution | None = None


class BatchWorker(SimpleWorker):
    """Serves pools of queues; ``stopping`` is set once a signal asked it to end."""

    job_class = CheckJob

    def __init__(
        self,
        *,
        connection: redis.Redis,
        ledger: Ledger,
        examiner: Examiner,
        pulse: Pulse,
        pools: Sequence[str],
        batch_size: int,
        stopping: threading.Event,
    ) -> None:
        """``connection`` must not decode answers, ``ledger``'s must."""
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
        self._ledger = ledger
        self._examiner = examiner
        self._pulse = pulse
        self._pools = tuple(pools)
        self._batch_size = batch_size
        self._stopping = stopping
        self._blocked = False
        self._batch: list[_Ticket] = []

    # Taking

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Take a batch, blocking while nothing waits; answers its first job."""
        self.set_state(WorkerStatus.IDLE)
        while not self._stopping.is_set():
            try:
                self.heartbeat()
                last = self._ledger.last_arrival()
                self._batch = self._tickets(self._ledger.take(self._pools, self._batch_size))
                if self._batch:
                    job = self._batch[0].job
                    return job, self._queue_of(job)
                if timeout is None:
                    return None
                with self._interruptible():
                    self._ledger.await_arrival(last, _IDLE_SECONDS)
            except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError) as error:
                _log.warning("worker %s: Redis is away (%s)", self.name, type(error).__name__)
                time.sleep(_RECONNECT_SECONDS)
        raise StopRequested

    def _tickets(self, works: Sequence[str]) -> list[_Ticket]:
        if not works:
            return []
        jobs = CheckJob.fetch_many(works, self.connection, JSONSerializer)
        tickets = []
        for work, job in zip(works, jobs, strict=True):
            # A job whose hash is lost keeps its lease; the janitor writes it anew after that.
            if isinstance(job, CheckJob):
                order = _order(work, job)
                if order:
                    tickets.append(_Ticket(order, job))
                else:
                    self._refuse(work, job)
        return tickets

    def _refuse(self, work: str, job: CheckJob) -> None:
        _log.error("worker %s: work %s names a task that is none", self.name, work)
        job.delete()
        self._ledger.settle(work, UnmaskError("internal", "The job was not one that is run."))

    # Working

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the batch that ``job`` came with."""
        batch, self._batch = self._batch, []
        with self._pulse.holding([ticket.order.work for ticket in batch]):
            live = self._begin(batch)
            futures = self._examiner.examine([ticket.order for ticket in live])
            for ticket, future in zip(live, futures, strict=True):
                ticket.job.result_of_batch = future
                self._perform(ticket)
        self._count(live)
        self.set_state(WorkerStatus.IDLE)

    def _begin(self, batch: list[_Ticket]) -> list[_Ticket]:
        """Enter the batch into the books before the model runs; drops what nobody asks for now."""
        waited = self._ledger.begin(self.name, [ticket.order.work for ticket in batch])
        live = []
        for ticket, seconds in zip(batch, waited, strict=True):
            if seconds is None:
                ticket.job.delete()
                continue
            ticket.order = replace(ticket.order, waited=seconds)
            ticket.execution = self.prepare_execution(ticket.job)
            self.prepare_job_execution(ticket.job)
            live.append(ticket)
        return live

    def _perform(self, ticket: _Ticket) -> None:
        """Let RQ conclude a job; see :meth:`cleanup_execution`."""
        if ticket.execution is None:
            raise RuntimeError("the job was not begun")
        self.perform_job(ticket.job, self._queue_of(ticket.job), ticket.execution)
        if self._ledger.state(ticket.order.work) in (None, State.FAILED):
            self._discard(ticket)

    def _discard(self, ticket: _Ticket) -> None:
        """Remove what was stored of a work that failed or was deleted while it ran, now or once the
        drawing ends. Of one that is done, another worker may have stored it: that stays."""
        future = ticket.job.result_of_batch
        if future is not None:
            future.add_done_callback(lambda _: self._examiner.discard(ticket.order))

    def cleanup_execution(
        self, job: Job, pipeline: Any, execution: Execution | None = None
    ) -> None:
        """The end of a job: RQ's books, our state and the event, in one transaction."""
        super().cleanup_execution(job, pipeline, execution)
        found = job.found if isinstance(job, CheckJob) else None
        if found is None:
            found = UnmaskError("internal", "The picture could not be examined in time.")
        self._ledger.settle(job.id, found, pipeline=pipeline)
        pipeline.delete(job.key)

    def _count(self, tickets: list[_Ticket]) -> None:
        if not tickets:
            return
        size = len(tickets)
        sums = Counter[str]({"batches": 1, "pictures": size, f"batch_size:{size}": 1})
        for ticket in tickets:
            if isinstance(ticket.job.found, Report):
                for stage, milliseconds in ticket.job.found.timings_ms:
                    sums[f"ms:{stage}"] += milliseconds
        self._ledger.count(sums)

    def _queue_of(self, job: Job) -> Queue:
        return Queue(
            job.origin,
            connection=self.connection,
            job_class=CheckJob,
            serializer=JSONSerializer,
        )

    # Living

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Finish the batch in hand, then end. Only a worker that holds nothing is interrupted."""
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


def _order(work: str, job: CheckJob) -> Order | None:
    """What a job asks for, None if it is not the one task with fitting arguments."""
    try:
        name, arguments = job.func_name, list(job.args)
    except (DeserializationError, TypeError):
        return None
    if name != TASK or len(arguments) != 2 or not all(isinstance(a, str) for a in arguments):
        return None
    sha256, key = arguments
    fits = _SHA256.fullmatch(sha256) and _WORK.fullmatch(key) and key == work
    return Order(work, sha256) if fits else None
