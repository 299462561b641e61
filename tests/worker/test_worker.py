"""Workers as processes: how they batch, what they refuse, what they leave in the store."""

from __future__ import annotations

import asyncio
import io
import json
import signal
from pathlib import Path

import numpy as np
import pytest
import redis
from PIL import Image
from rq import Queue, Worker
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus

from tests.faults.queue_harness import QueueHarness, picture, queue_harness
from tests.faults.stub_detector import SLOW
from unmask.queue.clients import open_client
from unmask.report import Report, State, Verdict

pytestmark = pytest.mark.anyio


async def test_what_waits_is_one_batch_and_nothing_is_waited_for(tmp_path: Path) -> None:
    async with queue_harness(tmp_path, batch_size=4) as harness:
        bulk = await harness.submit(*(picture(n) for n in range(3)), bulk=True)
        people = await harness.submit(*(picture(n) for n in range(3, 9)))
        harness.worker()
        await harness.ends([*bulk, *people], 20)
        assert [len(batch) for _, batch in harness.batches()] == [4, 2, 3]
        order = [sha256 for _, batch in harness.batches() for sha256 in batch]
        assert order == [check.sha256 for check in (*people, *bulk)]
        alone = await harness.submit(picture(100))
        await harness.ends(alone, 2)
        counters = (await harness.checks.stats()).counters
        assert counters["batches"] == 4 and counters["pictures"] == 10
        assert counters["batch_size:4"] == 1 and counters["done"] == 10


async def test_a_result_is_complete(tmp_path: Path) -> None:
    async with queue_harness(tmp_path) as harness:
        (check,) = await harness.submit(picture(200))
        harness.worker()
        (done,) = await harness.ends([check], 20)
        found = done.report
        assert isinstance(found, Report)
        assert found.verdict is Verdict.FAKE is done.verdict
        assert found.timings_ms.queue > 0 and found.timings_ms.total > found.timings_ms.queue
        names = {found.pictures.annotated, found.pictures.mask, found.pictures.heatmap}
        assert names == {"annotated.jpg", "mask.png", "heatmap.png"}
        for name in ("annotated.jpg", "mask.png", "heatmap.png"):
            data = await harness.checks.result(done.id, name)
            assert data is not None and Image.open(io.BytesIO(data)).size == (20, 20)
        face = await harness.checks.result(done.id, "face-0.jpg")
        assert face is not None and Image.open(io.BytesIO(face)).size == (17, 17)
        assert await harness.checks.result(done.id, "face-1.jpg") is None
        assert await harness.checks.result(done.id, "../secret.jpg") is None


async def test_rq_sees_a_worker_and_what_it_runs(tmp_path: Path) -> None:
    """As ``rq info`` and RQ's dashboards ask; once a batch ended nothing of it is left."""
    async with queue_harness(tmp_path) as harness:
        with open_client(harness.valkey.url, text=False) as client:
            checks = await harness.submit(*(picture(n) for n in range(3)))
            harness.worker(seconds=3)
            await harness.until(lambda: _has_examined(harness))
            (worker,) = Worker.all(client)
            assert worker.get_state() == WorkerStatus.BUSY
            queue = Queue("unmask-shared-interactive", client, serializer=JSONSerializer)
            running = queue.started_job_registry.get_job_ids()
            assert len(running) == 3
            for job_id in running:
                job = Job.fetch(job_id, client, JSONSerializer)
                assert job.get_status() is JobStatus.STARTED and job.worker_name == worker.name
                (execution,) = job.get_executions()
                assert execution.worker_name == worker.name
            await harness.ends(checks, 20)
            await harness.until(lambda: _is_idle(client))
            (worker,) = Worker.all(client)
            assert worker.successful_job_count == 3 and worker.total_working_time > 0
            assert queue.started_job_registry.count == queue.finished_job_registry.count == 0
            left = {key for key in client.keys("rq:*") if b":worker" not in key}
            assert left == {b"rq:queues"}


async def _has_examined(harness: QueueHarness) -> bool:
    return bool(harness.batches())


async def _is_idle(client: redis.Redis) -> bool:
    (worker,) = Worker.all(client)
    return worker.get_state() == WorkerStatus.IDLE


async def test_redis_names_no_code_to_run(tmp_path: Path) -> None:
    """A client of Redis can fail a check, not run a function, a callback or a webhook."""
    async with queue_harness(tmp_path) as harness:
        checks = await harness.submit(*(picture(n) for n in range(4)))
        mark = tmp_path / "mark"
        _forge(harness, checks[0].id, func="os.mkdir", args=[str(mark)])
        _forge(harness, checks[1].id, args=["../../etc/passwd", "x"])
        _forge(harness, checks[2].id, data=b"not json")
        _forge(harness, checks[3].id, success_callback_name="antigravity.nothing")
        harness.worker()
        ended = await harness.ends(checks, 20)
        codes = [check.error and check.error["code"] for check in ended]
        assert codes == ["internal"] * 3 + [None]
        assert not mark.exists()


async def test_a_job_of_another_kind_in_the_queue_is_dropped(tmp_path: Path) -> None:
    async with queue_harness(tmp_path) as harness:
        harness.client.lpush("rq:queue:unmask-shared-interactive", "someone-elses-job", "")
        (check,) = await harness.submit(picture(1))
        harness.worker()
        assert (await harness.ends([check], 20))[0].state is State.DONE


async def test_a_check_deleted_while_it_runs_leaves_nothing(tmp_path: Path) -> None:
    async with queue_harness(tmp_path) as harness:
        mine, other = await harness.submit(picture(1), picture(2))
        worker = harness.worker(seconds=1.0)
        await harness.until(lambda: _examined(harness))
        job_id = harness.client.hget(f"unmask:check:{mine.id}", "work")
        assert await harness.checks.delete(mine.id)
        await harness.ends([other], 20)
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 10) == 0
        assert not list(harness.client.scan_iter(f"*{job_id}*"))
        assert not list((tmp_path / "store").rglob(f"*{job_id}*"))
        assert not list((tmp_path / "store").rglob(f"*{mine.sha256}*"))


async def test_a_worker_that_lost_its_lease_leaves_the_result_of_another(tmp_path: Path) -> None:
    """Two workers have the same picture; the second finds no room after the first is done."""
    async with queue_harness(tmp_path) as harness:
        (check,) = await harness.submit(picture(1, side=300))

        async def examined_twice() -> bool:
            return len(harness.batches()) == 2

        harness.worker(seconds=10)
        await harness.until(lambda: _examined(harness))
        job_id = str(harness.client.hget(f"unmask:check:{check.id}", "work"))
        harness.client.zadd("unmask:lease", {job_id: 0})
        harness.queue.requeue_expired()
        late = harness.worker(seconds=10, file_limit=16_384)
        await harness.until(examined_twice)
        (done,) = await harness.ends([check], 20)
        assert done.state is State.DONE
        late.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(late.wait, 20) == 0
        after = await harness.checks.get(check.id)
        assert after is not None and after.report is not None
        assert await harness.checks.result(check.id, "annotated.jpg")


async def test_a_result_that_comes_too_late_is_removed(tmp_path: Path) -> None:
    async with queue_harness(tmp_path, job_timeout=1) as harness:
        worker = harness.worker(drawing=2.5)
        (failed,) = await harness.ends(await harness.submit(picture(1, SLOW)), 20)
        assert failed.error is not None and failed.error["code"] == "internal"
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 20) == 0
        assert not [path for path in tmp_path.glob("store/results/*/*/*") if path.is_file()]


async def test_the_real_detector(tmp_path: Path, colour_model: Path, portrait: np.ndarray) -> None:  # type: ignore[type-arg]
    async with queue_harness(tmp_path, model=colour_model) as harness:
        out = io.BytesIO()
        Image.fromarray(portrait).save(out, "JPEG", quality=95)
        harness.real_worker(colour_model)
        checks = await harness.submit(out.getvalue(), picture(1, side=200), b"no picture")
        face, nobody, broken = await harness.ends(checks, 40)
        assert face.verdict is not None and face.fake_probability is not None
        assert nobody.verdict is Verdict.NO_FACE and nobody.fake_probability is None
        assert broken.error is not None and broken.error["code"] == "not_a_picture"
        assert face.report is not None and len(face.report.faces) == 1
        crop = await harness.checks.result(face.id, "face-0.jpg")
        assert crop is not None and Image.open(io.BytesIO(crop)).width > 100


async def _examined(harness: QueueHarness) -> bool:
    return bool(harness.batches())


def _forge(harness: QueueHarness, check: str, **what: object) -> None:
    """Write something else into the RQ job of a check."""
    client = harness.client
    job_id = str(client.hget(f"unmask:check:{check}", "work"))
    key = f"rq:job:{job_id}"
    if "func" in what or "args" in what:
        func, args = what.get("func", "worker.examine"), what["args"]
        client.hset(key, "data", json.dumps([func, None, args, {}]))
    elif "data" in what:
        client.hset(key, "data", what["data"])  # type: ignore[arg-type]
    else:
        client.hset(key, mapping=what)  # type: ignore[arg-type]
