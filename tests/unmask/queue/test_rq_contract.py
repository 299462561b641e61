"""What the Lua scripts write under RQ's keys is what RQ's own API reads."""

from __future__ import annotations

import pytest
from rq import Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from tests.faults.queue_harness import QueueHarness
from tests.unmask.queue.scripted_worker import finish, take
from unmask.queue.clients import open_client
from unmask.queue.keys import TASK

pytestmark = pytest.mark.anyio
PEOPLE, BULK = "unmask-shared-interactive", "unmask-shared-bulk"


async def test_rq_reads_what_the_scripts_write(harness: QueueHarness) -> None:
    first, second = await harness.submit(b"first", b"second")
    await harness.submit(b"third", bulk=True)
    with open_client(harness.valkey.url, text=False) as client:
        queues = {queue.name: queue for queue in Queue.all(client, serializer=JSONSerializer)}
        assert set(queues) == {PEOPLE, BULK}
        assert (queues[PEOPLE].count, queues[BULK].count) == (2, 1)

        jobs = queues[PEOPLE].get_jobs()
        assert [job.args[0] for job in jobs] == [first.sha256, second.sha256]
        for job in jobs:
            assert (job.func_name, job.args[1], job.origin) == (TASK, job.id, PEOPLE)
            assert job.get_status() is JobStatus.QUEUED and job.enqueued_at is not None
            assert job.timeout == harness.settings.job_timeout
            assert (job.result_ttl, job.failure_ttl) == (0, 0)

        job_ids = take(harness, max_jobs=2)
        assert job_ids == [job.id for job in jobs] and queues[PEOPLE].is_empty()
        assert Job.fetch(job_ids[0], client, JSONSerializer).args[0] == first.sha256

        harness.client.zadd("unmask:lease", dict.fromkeys(job_ids, 0))
        assert set(harness.queue.requeue_expired().values()) == {"requeued"}
        assert set(queues[PEOPLE].get_job_ids()) == set(job_ids)
        assert {job.get_status() for job in queues[PEOPLE].get_jobs()} == {JobStatus.QUEUED}

        finish(harness, take(harness)[0])
        assert await harness.checks.delete(second.id) and await harness.checks.delete(first.id)
        assert not any(Job.exists(job_id, client) for job_id in job_ids)
        for queue in queues.values():
            registries = (queue.started_job_registry, queue.failed_job_registry)
            assert [registry.count for registry in registries] == [0, 0]
        assert (queues[PEOPLE].count, queues[BULK].count) == (0, 1)
