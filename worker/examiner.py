"""A batch of jobs -> results in the store, and for each job its report or error."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any, Protocol

from unmask.cores import own_cores
from unmask.detector.align import Pixels
from unmask.detector.annotate import annotate
from unmask.detector.encoding import BGR, encode_jpeg, encode_png
from unmask.detector.engines.protocol import Status
from unmask.detector.examination import Examination, OnDecoded
from unmask.detector.memory import is_large
from unmask.errors import UnmaskError
from unmask.evidence.collect import Collected, Collector
from unmask.evidence.credentials.reader import CredentialsReader
from unmask.evidence.credentials.trust_list import trust_list_path
from unmask.evidence.metadata.listing import metadata_json
from unmask.i18n import DEFAULT
from unmask.images import Picture, open_picture
from unmask.images.similarity import perceptual_hash
from unmask.report import Box, Pictures, Report
from unmask.settings import Settings
from unmask.store import Store
from unmask.wording.evidence import with_evidence

_log = logging.getLogger(__name__)

#: Drawing and storing run beside each other, and beside the queue's bookkeeping: in as many threads
#: at least, and in one for each processor where a device judges.
_DRAWING_THREADS = 4
#: Batches that a worker has in hand at one time where a device judges: one is prepared, one with
#: the device, one drawn. Where the processor does it all: one prepared and judged, one judged and
#: drawn.
MOST_BATCHES_ON_DEVICE, MOST_BATCHES = 3, 2
#: Around a face's box, as a share of its sides.
_CROP_MARGIN = 0.25


@dataclass(frozen=True)
class Examined:
    """A report, and the perceptual hash of its picture; None where the file shows several."""

    report: Report
    phash: int | None = None


#: How a job ends.
Outcome = Examined | UnmaskError


class Examines(Protocol):
    """A detector: the real one is :class:`unmask.detector.detector.Detector`."""

    @property
    def engine(self) -> Status:
        """What its networks run on."""

    def examine(
        self,
        pictures: Sequence[Picture],
        on_decoded: OnDecoded | None = None,
        on_prepared: Callable[[], object] | None = None,
    ) -> list[Examination | UnmaskError]:
        """Examine pictures as one batch. ``on_decoded`` may be told pixels that are kept, and
        ``on_prepared`` be called once the networks that judge have the last of the batch."""


@dataclass(frozen=True)
class ExamineJob:
    """A picture to examine: its ``sha256``, the id that its result is stored under, the seconds
    that the job waited in the queue, and the language of the words on the annotated picture."""

    id: str
    sha256: str
    wait: float = 0.0
    language: str = DEFAULT


class Running:
    """A batch that is examined: ``judged`` has what :meth:`Examiner.examine` returns."""

    judged: Future[list[Future[Outcome]]]

    def __init__(self, on_device: bool) -> None:
        self._on_device = on_device
        self._prepared = Future[None]()
        self._has_large = False

    def wait(self, *others: Future[Any]) -> None:
        """Return once the next batch may be prepared beside this one, or this one has failed, or
        one of ``others`` is done."""
        wait((self._prepared, *others), return_when=FIRST_COMPLETED)

    def next_may_start(self) -> bool:
        """Whether another batch costs this one no time and, where a picture is too large to be kept
        decoded, not the memory that it is drawn in."""
        return self._prepared.done() and (not self._has_large or self._is_drawn())

    def is_model_free(self) -> bool:
        """Whether the model is, or in a moment will be, free for another batch: a device ends with
        the last faces of one before the next is prepared."""
        return self._on_device or self.judged.done()

    def _is_drawn(self) -> bool:
        judged = self.judged
        if not judged.done() or judged.exception():
            return False
        return all(future.done() for future in judged.result())

    def holds(self, inputs: Sequence[Picture | UnmaskError]) -> None:
        """Note the opened pictures of the batch."""
        self._has_large = any(
            isinstance(item, Picture) and is_large(item.width, item.height) for item in inputs
        )

    def lets_next_start(self) -> None:
        """Note that the next batch may be prepared."""
        if not self._prepared.done():
            self._prepared.set_result(None)


@dataclass(frozen=True)
class _Look:
    """The evidence of a picture with what its ``pixels`` show, begun while the model judges."""

    pixels: Pixels
    collected: Future[Collected]


class Examiner:
    """Runs batches through one detector."""

    def __init__(self, detector: Examines, store: Store, settings: Settings) -> None:
        """Raises :class:`SettingsError` where the trust list cannot be read."""
        self._collector = Collector(CredentialsReader(trust_list_path(settings)))
        self._detector = detector
        self._store = store
        self._settings = settings
        threads, collectors = _DRAWING_THREADS, 1
        if detector.engine.on_device:
            cores = settings.threads or own_cores()
            threads, collectors = max(cores, threads), max(cores // 4, 1)
        self._batches = ThreadPoolExecutor(MOST_BATCHES_ON_DEVICE, "unmask-batch")
        # Apart: a batch does not wait for the drawing of the one before.
        self._openers = ThreadPoolExecutor(_DRAWING_THREADS, "unmask-open")
        self._threads = ThreadPoolExecutor(threads, "unmask-draw")
        # Apart: a task that waits for an encoder must not hold the thread that the encoder needs.
        self._encoders = ThreadPoolExecutor(threads, "unmask-encode")
        # Apart from both: evidence is collected while the model judges, and awaited by a drawer.
        self._collectors = ThreadPoolExecutor(collectors, "unmask-evidence")

    def close(self) -> None:
        """End the threads, once their tasks are done."""
        self._batches.shutdown()
        self._openers.shutdown()
        self._threads.shutdown()
        self._encoders.shutdown()
        self._collectors.shutdown()
        self._collector.close()

    def start(self, jobs: Sequence[ExamineJob]) -> Running:
        """Examine a batch in a thread of its own."""
        running = Running(self._detector.engine.on_device)
        running.judged = self._batches.submit(self._run, jobs, running)
        return running

    def examine(self, jobs: Sequence[ExamineJob]) -> list[Future[Outcome]]:
        """Examine a batch: the faces of all pictures go through the model together.

        Returns one future for each job, in their order. It holds the report once the result is in
        the store, or the error of that one picture; it never raises.
        """
        return self._run(jobs, Running(self._detector.engine.on_device))

    def _run(self, jobs: Sequence[ExamineJob], running: Running) -> list[Future[Outcome]]:
        try:
            return self._examine(jobs, running)
        finally:
            running.lets_next_start()

    def _examine(self, jobs: Sequence[ExamineJob], running: Running) -> list[Future[Outcome]]:
        inputs = list(self._openers.map(self._open, jobs))
        running.holds(inputs)
        pictures = [picture for picture in inputs if isinstance(picture, Picture)]
        evidence = [
            self._collectors.submit(self._collect, job, input_)
            for job, input_ in zip(jobs, inputs, strict=True)
        ]
        places = {id(input_): place for place, input_ in enumerate(inputs)}
        looks: dict[int, _Look] = {}

        def look(picture: Picture, pixels: Pixels) -> None:
            # a collector has begun with this picture's evidence by then
            place = places[id(picture)]
            begun = self._collectors.submit(self._look, jobs[place], evidence[place], pixels)
            looks[place] = _Look(pixels, begun)

        judged = iter(self._judge(pictures, look, running.lets_next_start))
        results = [next(judged) if isinstance(input_, Picture) else input_ for input_ in inputs]
        return [
            self._threads.submit(self._conclude, job, result, evidence[place], looks.get(place))
            for place, (job, result) in enumerate(zip(jobs, results, strict=True))
        ]

    def _open(self, job: ExamineJob) -> Picture | UnmaskError:
        try:
            return open_picture(self._store.get_picture(job.sha256), self._settings)
        except UnmaskError as error:
            return error
        except Exception:
            _log.exception("job %s: the picture could not be opened", job.id)
            return _internal_error()

    def _judge(
        self,
        pictures: list[Picture],
        on_decoded: OnDecoded,
        on_prepared: Callable[[], object],
    ) -> list[Examination | UnmaskError]:
        if not pictures:
            return []
        try:
            return self._detector.examine(pictures, on_decoded, on_prepared)
        except Exception:
            _log.exception("a batch of %d failed", len(pictures))
        if len(pictures) == 1:
            return [_internal_error()]
        # One picture is to blame; it fails alone.
        return [
            result
            for picture in pictures
            for result in self._judge([picture], on_decoded, on_prepared)
        ]

    def _collect(self, job: ExamineJob, picture: Picture | UnmaskError) -> Collected:
        """The evidence of a picture; none where it fails, for the check does not hang on it."""
        if isinstance(picture, UnmaskError):
            return Collected()
        start = time.perf_counter()
        try:
            collected = self._collector.collect(picture)
        except Exception:
            _log.exception("job %s: its evidence could not be collected", job.id)
            return Collected()
        return replace(collected, seconds=time.perf_counter() - start)

    def _look(self, job: ExamineJob, evidence: Future[Collected], pixels: Pixels) -> Collected:
        """The evidence with what the decoded picture tells; without that where it fails."""
        collected = evidence.result()
        try:
            return self._collector.look(collected, lambda: pixels)
        except Exception:
            _log.exception("job %s: its picture could not be looked at", job.id)
            return collected

    def _conclude(
        self,
        job: ExamineJob,
        result: Examination | UnmaskError,
        evidence: Future[Collected],
        look: _Look | None,
    ) -> Outcome:
        if isinstance(result, UnmaskError):
            return result
        try:
            return self._store_result(job, result, evidence, look)
        except UnmaskError as error:
            return error
        except Exception:
            _log.exception("job %s: the result could not be drawn", job.id)
            return _internal_error()

    def _store_result(
        self,
        job: ExamineJob,
        examination: Examination,
        evidence: Future[Collected],
        look: _Look | None,
    ) -> Examined:
        """Draw the pictures of a result and store them; the report last, for it says that all is
        there."""
        if not self._store.has_room(self._settings.min_free // 2):
            # The rest is Valkey's, which may write its log to the same disk.
            raise UnmaskError("storage_full", "The store has no room for the result.")
        start = time.perf_counter()
        pixels, mask = examination.decoded(), examination.mask()
        others = self._encoders.submit(self._store_others, job, examination, pixels)
        # a copy of one frame is no copy of the whole
        phash = self._encoders.submit(perceptual_hash, pixels) if examination.ways == 1 else None
        try:
            if look is not None and look.pixels is pixels:
                collected = look.collected.result()
            else:  # it was too large to be kept, or another appearance is more suspicious
                collected = self._look(job, evidence, pixels)
            report = with_evidence(examination.report, collected.evidence)
            drawn = annotate(pixels, report, mask, language=job.language, order=BGR)
            files = {"annotated.jpg": encode_jpeg(drawn, BGR)}
        finally:
            wait([others])  # nothing is written once a job has failed
        others.result()
        files["metadata.json"] = json.dumps(metadata_json(collected.metadata)).encode()
        draw = (time.perf_counter() - start) * 1000
        report = _with_timings(report, job, draw, collected.seconds * 1000)
        files["report.json"] = report.model_dump_json().encode()
        for name, data in files.items():
            self._store.put_result(job.id, name, data)
        return Examined(report, phash.result() if phash else None)

    def _store_others(self, job: ExamineJob, examination: Examination, pixels: Pixels) -> None:
        """Store what is not drawn upon: the mask, the heatmap and each face."""
        self._store.put_result(job.id, "mask.png", encode_png(examination.mask()))
        self._store.put_result(job.id, "heatmap.png", encode_png(examination.heatmap()))
        for number, face in enumerate(examination.report.faces):
            left, top, right, bottom = _crop(face.box, pixels.shape[1], pixels.shape[0])
            part = encode_jpeg(pixels[top:bottom, left:right])
            self._store.put_result(job.id, f"face-{number}.jpg", part)

    def discard(self, job: ExamineJob) -> None:
        """Remove the stored files of a result."""
        try:
            self._store.delete_results(job.id)
        except OSError:
            _log.warning("job %s: its files could not be removed", job.id)


def _with_timings(report: Report, job: ExamineJob, draw: float, evidence: float) -> Report:
    """The report with the time in the queue, to draw and for the evidence (which passes beside the
    model's), in milliseconds, and the names of its pictures."""
    timings, queue = report.timings_ms, job.wait * 1000
    times = {
        "queue": queue,
        "draw": timings.draw + draw,
        "evidence": evidence,
        "total": timings.total + draw + queue,
    }
    names = Pictures(annotated="annotated.jpg", mask="mask.png", heatmap="heatmap.png")
    update = {"timings_ms": timings.model_copy(update=times), "pictures": names}
    return report.model_copy(update=update)


def _crop(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a face with a margin around it, inside the picture."""
    x, y, w, h = box
    dx, dy = round(w * _CROP_MARGIN), round(h * _CROP_MARGIN)
    left, top = min(max(x - dx, 0), width - 1), min(max(y - dy, 0), height - 1)
    return left, top, max(min(x + w + dx, width), left + 1), max(min(y + h + dy, height), top + 1)


def _internal_error() -> UnmaskError:
    return UnmaskError("internal", "Something unforeseen went wrong with this picture.")
