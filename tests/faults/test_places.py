"""What workers stand on fails: Redis goes away, the disk is full, the model is not there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests.faults.queue_harness import QueueHarness, as_picture, listening, picture, queue_harness
from tests.faults.stub_detector import manifest
from unmask.errors import UnmaskError
from unmask.report import Check, Door, State

pytestmark = pytest.mark.anyio


async def test_valkey_killed_and_restarted_under_load(tmp_path: Path) -> None:
    async with queue_harness(tmp_path) as harness, listening(harness) as ends:
        harness.worker(seconds=0.05)
        submitting = asyncio.create_task(_submit_slowly(harness, 300))
        waiting = []
        for _ in range(2):
            await asyncio.sleep(0.8)
            waiting.append(asyncio.create_task(harness.checks.stats()))
            pid = harness.valkey.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.5)
            await asyncio.to_thread(harness.valkey.ensure)
        checks, refused = await submitting
        done = await harness.ends(checks, 40)
        assert {check.state for check in done} == {State.DONE}
        assert len(checks) + refused == 300 and refused == 0
        await asyncio.gather(*waiting)
    # An end may be told while nobody is connected, never twice.
    assert set(ends.values()) <= {0, 1}


async def test_waiters_hear_of_an_end_that_was_told_while_they_were_cut_off(tmp_path: Path) -> None:
    async with queue_harness(tmp_path) as harness:
        (check,) = await harness.submit(picture(1))
        waiting = asyncio.create_task(harness.checks.wait(check.id, 120))
        await asyncio.sleep(0.1)
        # Cut every subscriber off, and end the job before they are back.
        harness.client.client_kill_filter(_type="pubsub")
        harness.queue.fail(_only_job(harness), UnmaskError("damaged", "It is damaged."))
        ended = await asyncio.wait_for(waiting, 60)
        assert ended is not None and ended.state is State.FAILED


async def test_worker_without_room(tmp_path: Path) -> None:
    """The results of one picture are larger than any file may be: that check fails with a code,
    leaves no files, and the picture can be asked for again."""
    async with queue_harness(tmp_path) as harness:
        large = picture(1, side=300)
        full = harness.worker(file_limit=16_384)
        checks = await harness.submit(picture(2), large, picture(3))
        small, failed, other = await harness.ends(checks, 20)
        assert small.state is other.state is State.DONE
        assert failed.error is not None and failed.error["code"] == "storage_full"
        assert len(list((tmp_path / "store" / "results").glob("*/*"))) == 2
        full.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(full.wait, 10) == 0
        harness.worker()
        (again,) = await harness.ends(await harness.submit(large), 20)
        assert again.state is State.DONE


@contextmanager
def disk_of(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own, of a size as mount names it."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 KB."""
    with disk_of(tmp_path / "small", "128k") as folder:
        yield folder


@pytest.fixture
def data_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    with disk_of(tmp_path / "data", "24m") as folder:
        yield folder


async def test_a_disk_that_store_and_valkey_share(data_disk: Path) -> None:
    """However many pictures are refused, Valkey keeps the room that it needs; where another program
    takes even that, DELETE makes some, and all goes on by itself."""
    async with queue_harness(data_disk, min_free=8_000_000) as harness:
        large = [picture(number, side=700) for number in range(30)]
        checks = []
        with pytest.raises(UnmaskError, match="disk is full"):
            for data in large:
                checks += await harness.submit(data)
        filler = data_disk / "filler"
        for _ in range(300):
            with pytest.raises(UnmaskError, match="disk is full"):
                await harness.submit(picture(99))
        assert shutil.disk_usage(data_disk).free > 6_000_000
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4_096))

        async def is_refused() -> bool:
            try:
                harness.client.set("x", "y" * 8_192)
            except redis.RedisError as error:
                return "MISCONF" in str(error)
            return False

        await harness.until(is_refused, 20)
        assert await harness.checks.unready() is not None
        assert await harness.checks.delete(checks[0].id)
        assert await harness.checks.get(checks[0].id) is None
        harness.client.set("x", "y")
        filler.unlink()

        async def is_ready() -> bool:
            return await harness.checks.unready() is None

        for check in checks[1:]:
            await harness.checks.delete(check.id)
        await harness.until(is_ready, 20)
        await harness.submit(picture(98))


async def test_full_disk(tmp_path: Path, full_disk: Path) -> None:
    """Submitting is refused with a code and leaves nothing; once there is room, all goes on."""
    async with queue_harness(tmp_path, store=str(full_disk / "store"), min_free=0) as harness:
        filler = full_disk / "filler"
        filler.write_bytes(bytes(100_000))
        with pytest.raises(UnmaskError) as refused:
            await harness.submit(picture(1, side=300))
        assert refused.value.code == "storage_full"
        assert (await harness.checks.list()).checks == ()
        assert not [path for path in full_disk.rglob("*") if path != filler and path.is_file()]
        # Room for the picture, none for its result.
        harness.worker()
        filler.write_bytes(bytes(122_000))
        (failed,) = await harness.ends(await harness.submit(picture(2)), 20)
        assert failed.error is not None and failed.error["code"] == "storage_full"
        filler.unlink()
        (done,) = await harness.ends(await harness.submit(picture(2)), 20)
        assert done.state is State.DONE


async def test_missing_or_wrong_model(tmp_path: Path) -> None:
    """A worker without its model says so and takes nothing; another one serves the checks."""
    async with queue_harness(tmp_path) as harness:
        checks = await harness.submit(*(picture(n) for n in range(1000)))
        wrong = _wrong_model(tmp_path / "wrong")
        for model, code in (
            (tmp_path / "nowhere" / "manifest.json", "model_missing"),
            (wrong, "model_mismatch"),
        ):
            worker = harness.real_worker(model)
            assert await asyncio.to_thread(worker.wait, 30) == 78
            said = (tmp_path / "workers.log").read_text().splitlines()[-1]
            assert json.loads(said)["error"]["code"] == code
        assert [await harness.checks.get(check.id) for check in checks] == checks
        harness.worker()
        assert {check.state for check in await harness.ends(checks, 60)} == {State.DONE}
        assert set(harness.deliveries().values()) == {1}


async def test_no_worker_at_all(tmp_path: Path) -> None:
    """What nobody serves fails with a code; asked for again, it is queued again."""
    async with queue_harness(tmp_path, max_wait=1) as harness:
        checks = await harness.submit(*(picture(n) for n in range(20)))
        ended = await harness.ends(checks, 10)
        assert {check.error and check.error["code"] for check in ended} == {"not_served"}
        assert (await harness.checks.stats()).waiting == 0
        assert (await harness.submit(picture(1)))[0].state is State.QUEUED


async def test_a_server_without_its_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnmaskError) as refused:
        async with queue_harness(tmp_path, model=tmp_path / "none.json"):
            pass
    assert refused.value.code == "model_missing"


async def test_a_worker_with_another_model_says_which_judged(tmp_path: Path) -> None:
    """A server that was upgraded before its workers: the result names the model that judged,
    and the next check of the picture is examined again."""
    (tmp_path / "new").mkdir()
    async with queue_harness(tmp_path, model=manifest(tmp_path / "new", "2.0.0")) as harness:
        harness.worker()
        (check,) = await harness.submit(picture(1))
        assert check.model_version == "2.0.0"
        (done,) = await harness.ends([check], 20)
        assert done.model_version == "1.0.0"
        await harness.ends(await harness.submit(picture(1)), 20)
        assert harness.deliveries()[check.sha256] == 2


async def _submit_slowly(harness: QueueHarness, count: int) -> tuple[list[Check], int]:
    checks, refused = [], 0
    for number in range(count):
        try:
            checks += [await harness.checks.submit(as_picture(picture(number)), door=Door.API)]
        except UnmaskError as error:
            assert error.code == "queue_unavailable"
            refused += 1
        await asyncio.sleep(0.01)
    return checks, refused


def _only_job(harness: QueueHarness) -> str:
    (job_id,) = harness.queue.client.zrange("unmask:open", 0, -1)  # type: ignore[misc]
    return str(job_id)


def _wrong_model(folder: Path) -> Path:
    """A whole manifest whose model file is another one than it names."""
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"not the model")
    about = {
        "name": "wrong",
        "version": "1.0.0",
        "file": "model.onnx",
        "sha256": "a" * 64,
        "input_size": 224,
        "frame": "ffhq",
        "normalisation": "tf",
        "thresholds": {"fake": 0.5, "real": 0.3, "mask": 0.5},
        "calibration": {"scale": 1.0, "offset": 0.0},
    }
    path = folder / "manifest.json"
    path.write_text(json.dumps(about))
    return path
