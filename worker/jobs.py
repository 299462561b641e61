"""RQ's record of a job, read as the one task that workers run."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import redis
from rq.exceptions import DeserializationError
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer

from unmask.queue.keys import TASK
from worker.examiner import ExamineJob, Outcome

_log = logging.getLogger(__name__)

_SHA256, _JOB_ID = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{32}")
#: Bytes of RQ's record of a job, as Redis holds it: ours has some 600. What is packed in it unpacks
#: to a thousand times that at most.
_MAX_RECORD_BYTES = 8_192


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
class BatchJob:
    """A job of a batch: ``job`` is ours, ``record`` and ``execution`` are RQ's."""

    job: ExamineJob
    record: CheckJob
    execution: Execution | None = None


def read_record(
    job_id: str, fields: Mapping[bytes, bytes], connection: redis.Redis
) -> BatchJob | None:
    """The job of RQ's record, None where that is damaged or names another task.

    Anybody who can write to Redis can write anything there: whatever goes wrong as a record is
    read must end this job alone, and not the worker.
    """
    try:
        if sum(len(value) for value in fields.values()) > _MAX_RECORD_BYTES:
            return None
        record = CheckJob(job_id, connection, JSONSerializer)
        record.restore(fields)
        job = _examine_job(job_id, record)
    except Exception as error:
        _log.warning("job %s: its record cannot be read (%s)", job_id, type(error).__name__)
        return None
    return BatchJob(job, record) if job else None


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
