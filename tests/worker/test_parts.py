"""The parts of a worker on their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.faults.queue_harness import as_picture, picture
from tests.faults.stub_detector import examination
from tests.pictures import encoded, photo
from tests.unmask import bucket
from unmask.detector.align import Pixels
from unmask.detector.engines.protocol import Status
from unmask.detector.examination import Examination
from unmask.errors import UnmaskError
from unmask.images import Picture
from unmask.images.similarity import perceptual_hash
from unmask.report import Image, Model, Pictures, Report, Timings, Verdict
from unmask.settings import Settings
from unmask.store import Store
from worker.examiner import Examined, ExamineJob, Examiner, Outcome, _crop, _with_timings
from worker.heartbeat import HUNG, Heartbeat
from worker.main import batch_size, most_batches

ON_CPU, ON_DEVICE = Status("stand-in", "none"), Status("stand-in", "none", on_device=True)


class StubQueue:
    """A queue that records heartbeats; ``away`` makes it unreachable."""

    def __init__(self) -> None:
        self.heartbeats: list[tuple[str, ...]] = []
        self.away = False
        self.left = False

    def heartbeat(self, worker: str, status: str, job_ids: Any) -> None:
        if self.away:
            raise RedisConnectionError
        self.heartbeats.append(tuple(job_ids))

    def leave(self, worker: str) -> None:
        self.left = True


def heartbeat_of(queue: Any, limit: float = 60, end: Any = None) -> Heartbeat:
    return Heartbeat(
        queue,
        name="w",
        model="1",
        engine="onnxruntime",
        pools=["shared"],
        limit=limit,
        end=end or time.sleep,
    )


def test_a_heartbeat_renews_the_leases_of_the_batch() -> None:
    queue = StubQueue()
    heartbeat = heartbeat_of(queue)
    with heartbeat.holding(["a", "b"]):
        heartbeat.send()
    heartbeat.send()
    assert queue.heartbeats == [("a", "b"), ()]


def test_a_heartbeat_renews_the_leases_of_each_batch_in_hand() -> None:
    queue = StubQueue()
    heartbeat = heartbeat_of(queue)
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(heartbeat.holding(["a"]))
        second.enter_context(heartbeat.holding(["b", "c"]))
        heartbeat.send()
        first.close()
        heartbeat.send()
    heartbeat.send()
    assert queue.heartbeats == [("a", "b", "c"), ("b", "c"), ()]


def test_the_time_of_a_picture_is_counted_once(monkeypatch: Any) -> None:
    """Two batches that ran side by side took, together, the time from the first to the last."""
    now = 0.0
    monkeypatch.setattr("worker.heartbeat.time.monotonic", lambda: now)
    heartbeat = heartbeat_of(StubQueue())
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(heartbeat.holding(["a", "b"]))
        second.enter_context(heartbeat.holding(["c", "d"]))
        now = 4.0
        first.close()
        now = 8.0
    assert heartbeat._seconds == pytest.approx(2.0)


def test_the_older_batch_in_hand_ends_the_process_at_its_limit(monkeypatch: Any) -> None:
    now, statuses = 0.0, list[int]()
    monkeypatch.setattr("worker.heartbeat.time.monotonic", lambda: now)
    heartbeat = heartbeat_of(StubQueue(), limit=10, end=statuses.append)
    with heartbeat.holding(["a"]):
        now = 9.0
        with heartbeat.holding(["b"]):
            heartbeat._check_limit()
            assert not statuses
            now = 11.0
            heartbeat._check_limit()
    now = 30.0
    heartbeat._check_limit()
    assert statuses == [HUNG]


def test_a_worker_with_one_processor_looks_no_batch_ahead(monkeypatch: Any) -> None:
    monkeypatch.setattr("worker.main.own_cores", lambda: 2)
    assert most_batches(Settings(), ON_CPU) == 2
    assert most_batches(Settings(threads=1), ON_CPU) == 1
    monkeypatch.setattr("worker.main.own_cores", lambda: 1)
    assert most_batches(Settings(), ON_CPU) == 1
    assert most_batches(Settings(), ON_DEVICE) == 3


def test_a_device_gets_more_pictures_at_once_unless_a_number_is_set() -> None:
    assert batch_size(Settings(), ON_CPU) == 8
    assert batch_size(Settings(), ON_DEVICE) == 32
    assert batch_size(Settings(batch_size=8), ON_DEVICE) == 8


def test_heartbeats_outlive_a_lost_connection(monkeypatch: Any) -> None:
    monkeypatch.setattr("worker.heartbeat.HEARTBEAT", 0.01)
    queue = StubQueue()
    queue.away = True
    heartbeat = heartbeat_of(queue)
    heartbeat.start()
    time.sleep(0.1)
    assert not queue.heartbeats
    queue.away = False
    time.sleep(0.1)
    heartbeat.stop()
    assert queue.heartbeats and queue.left


def test_a_batch_over_its_limit_ends_the_process(monkeypatch: Any) -> None:
    monkeypatch.setattr("worker.heartbeat.HEARTBEAT", 0.01)
    ended = threading.Event()
    statuses = []

    def end(status: int) -> None:
        statuses.append(status)
        ended.set()

    heartbeat = heartbeat_of(StubQueue(), limit=0.05, end=end)
    heartbeat.start()
    time.sleep(0.1)
    assert not ended.is_set(), "idle is no hang"
    with heartbeat.holding(["a"]):
        assert ended.wait(30)
    heartbeat.stop()
    assert statuses[0] == HUNG


def test_a_crop_stays_inside_its_picture() -> None:
    assert _crop((40, 40, 20, 40), 100, 100) == (35, 30, 65, 90)
    assert _crop((0, 0, 100, 100), 100, 100) == (0, 0, 100, 100)
    assert _crop((-30, 95, 40, 40), 100, 100) == (0, 85, 20, 100)
    left, top, right, bottom = _crop((500, 500, 0, 0), 100, 100)
    assert 0 <= left < right <= 100 and 0 <= top < bottom <= 100


def test_the_times_of_a_report_add_up() -> None:
    report = Report(
        sha256="y",
        verdict=Verdict.NO_FACE,
        fake_probability=None,
        statement="",
        image=Image(width=1, height=1, format="PNG"),
        faces=(),
        model=Model(name="m", version="1", sha256="z"),
        threshold=0.5,
        timings_ms=Timings(decode=1, faces=2, model=3, draw=4, total=10),
    )
    timed = _with_timings(report, ExamineJob("job", "y", wait=0.5), 6.0, 7.0)
    assert timed.timings_ms == Timings(
        queue=500, decode=1, faces=2, model=3, draw=10, evidence=7, total=516
    )
    assert timed.pictures == Pictures(
        annotated="annotated.jpg", mask="mask.png", heatmap="heatmap.png"
    )


class Gated(Examination):
    """An examination that is drawn once ``gate`` is set."""

    gate: threading.Event

    def heatmap(self) -> Pixels:
        assert self.gate.wait(30)
        return super().heatmap()


class Gating:
    """A detector whose examinations wait at one gate."""

    engine = ON_CPU

    def __init__(self) -> None:
        self.gate = threading.Event()

    def examine(
        self, pictures: Sequence[Picture], on_decoded: object = None, on_prepared: object = None
    ) -> list[Examination | UnmaskError]:
        plain = [examination(picture, 0.9) for picture in pictures]
        gated = [Gated(one.picture, one.report, one.quads, one.heatmaps) for one in plain]
        for one in gated:
            one.gate = self.gate
        return list(gated)


@pytest.mark.parametrize("kept", [20 * 20, 20 * 20 - 1], ids=["small", "large"])
def test_no_batch_is_begun_beside_a_large_picture_that_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """Its pixels are decoded for that once more, and not those of other large ones at once."""
    monkeypatch.setattr("unmask.detector.memory.KEPT_PIXELS", kept)
    store, opened, detector = Store(str(tmp_path)), as_picture(picture(1)), Gating()
    store.put_picture(opened.sha256, opened.data)
    with closing(Examiner(detector, store, Settings())) as examiner:
        running = examiner.start([ExamineJob("0" * 32, opened.sha256)])
        running.wait()
        (outcome,) = running.judged.result()
        assert running.next_may_start() == (kept == 20 * 20)
        detector.gate.set()
        outcome.result()
        assert running.next_may_start()


class Handing:
    """A detector that tells when its networks have the batch, and judges it at the gate."""

    def __init__(self, engine: Status) -> None:
        self.engine, self.gate = engine, threading.Event()

    def examine(
        self,
        pictures: Sequence[Picture],
        on_decoded: object = None,
        on_prepared: Callable[[], object] | None = None,
    ) -> list[Examination | UnmaskError]:
        if on_prepared is not None:
            on_prepared()
        assert self.gate.wait(30)
        return [examination(picture, 0.9) for picture in pictures]


@pytest.mark.parametrize("engine", [ON_CPU, ON_DEVICE], ids=["processor", "device"])
def test_the_next_batch_may_start_while_the_last_faces_are_judged(
    tmp_path: Path, engine: Status
) -> None:
    store, opened, detector = Store(str(tmp_path)), as_picture(picture(1)), Handing(engine)
    store.put_picture(opened.sha256, opened.data)
    with closing(Examiner(detector, store, Settings())) as examiner:
        running = examiner.start([ExamineJob("0" * 32, opened.sha256)])
        running.wait()
        assert running.next_may_start() and not running.judged.done()
        assert running.is_model_free() == engine.on_device
        detector.gate.set()
        assert len(running.judged.result()) == 1
        assert running.next_may_start() and running.is_model_free()


class Last:
    """A detector after which the object store is away."""

    engine = ON_CPU

    def examine(
        self, pictures: Sequence[Picture], on_decoded: object = None, on_prepared: object = None
    ) -> list[Examination | UnmaskError]:
        bucket.Bucket.away = True
        return [examination(picture, 0.9) for picture in pictures]


def test_an_object_store_that_is_away_abandons_no_batch() -> None:
    bucket.register()
    store = Store("bucket://unmask")
    pictures = [as_picture(picture(number)) for number in range(3)]
    jobs = [ExamineJob(f"{n:032x}", opened.sha256) for n, opened in enumerate(pictures)]
    for opened in pictures:
        store.put_picture(opened.sha256, opened.data)
    with closing(Examiner(Last(), store, Settings())) as examiner:
        for job, future in zip(jobs, examiner.examine(jobs), strict=True):
            outcome = future.result()
            assert isinstance(outcome, UnmaskError) and outcome.code == "output_unwritable"
            examiner.discard(job)
    bucket.register()


def test_a_picture_is_decoded_once_for_all_that_is_drawn_and_computed_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    decode = Picture.appearances

    def counted(self: Picture, shrink: int = 1) -> Any:
        decoded.append(self.sha256)
        return decode(self, shrink)

    monkeypatch.setattr(Picture, "appearances", counted)
    picture = as_picture(encoded(photo(320, 240), "PNG"))
    for ways, phash in ((1, perceptual_hash(picture.pixels())), (2, None)):
        decoded.clear()
        outcome = concluded(tmp_path, picture, ways)
        assert isinstance(outcome, Examined) and outcome.phash == phash
        assert decoded == [picture.sha256]


def test_nothing_is_written_once_a_job_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def write_slowly(_store: Store, _key: str, name: str, _data: bytes) -> None:
        time.sleep(0.05)
        written.append(name)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("an unforeseen picture")

    monkeypatch.setattr(Store, "put_result", write_slowly)
    monkeypatch.setattr("worker.examiner.annotate", fail)
    picture = as_picture(encoded(photo(320, 240), "PNG"))
    outcome = concluded(tmp_path, picture, 1, lambda: tuple(written))
    assert outcome == ("mask.png", "heatmap.png", "face-0.jpg")


def concluded(
    folder: Path, picture: Picture, ways: int, seen: Callable[[], Any] | None = None
) -> Outcome | Any:
    """The outcome of a picture that viewers show in so many ways, or what is seen at that time."""

    class Finder:
        engine = ON_CPU

        def examine(self, pictures: Sequence[Picture], *_: object) -> list[Any]:
            return [replace(examination(picture, 0.02), ways=ways) for picture in pictures]

    store = Store(str(folder))
    store.put_picture(picture.sha256, picture.data)
    with closing(Examiner(Finder(), store, Settings())) as examiner:
        outcome = examiner.examine([ExamineJob("a" * 32, picture.sha256)])[0].result()
        return outcome if seen is None else seen()
