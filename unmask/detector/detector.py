"""Pictures in, examinations out: faces of all pictures are judged in shared batches."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

import numpy as np

from unmask.cores import own_cores
from unmask.detector.align import Floats, Pixels, align_face, frame_quad, quad_side
from unmask.detector.centerface import FoundFace
from unmask.detector.classifier import Judgement
from unmask.detector.examination import Examination, JudgedFace, OnDecoded, write_report
from unmask.detector.faces import UNSEEN, Search
from unmask.detector.memory import give_back, is_large
from unmask.detector.networks import Networks, open_networks
from unmask.errors import UnmaskError
from unmask.images import Picture
from unmask.report import Report, Timings, Verdict
from unmask.settings import Settings
from unmask.warning_codes import CodedWarning, warn

#: A large JPEG is decoded at reduced scale, but never to a long side under this.
REDUCED_SIDE = 1280
#: Frames of fewer pixels than this in the reduced picture are cut from the full one: one and a half
#: for each of the network's, so that the decoder's own scaling leaves no trace in the crop.
REDUCED_FRAME = 336
#: Pictures of a batch that are decoded and searched at the same time: decoding uses one processor,
#: and the face network on one picture can hardly use two. More take memory, a quarter of a gigabyte
#: each for the finer looks; only where a device judges is there one for each processor, or the
#: device would wait.
PREPARED_TOGETHER = 2
#: Faces that are judged at once, at least, while other pictures of the batch are prepared: the
#: networks read their weights once for both. Judging alone leaves processors idle between the
#: networks' layers, so that it does not wait for the last picture.
FEWEST_FACES = 2


@dataclass(frozen=True)
class FaceCrop:
    """A face cut out of its picture: where it is, in pixels, the corners of its frame (4, 2), and
    the frame's RGB pixels (224, 224, 3), as :meth:`Detector.judge` takes them."""

    place: FoundFace
    quad: Floats
    pixels: Pixels


@dataclass(frozen=True)
class FoundFaces:
    """The faces of one picture, the largest first: as many as are examined, of ``total``.

    ``warnings`` are about faces that were found and left out, and that may have been missed.
    ``search`` has what is known of all of them.
    """

    crops: tuple[FaceCrop, ...]
    total: int
    warnings: tuple[CodedWarning, ...] = ()
    search: Search = field(default=UNSEEN, repr=False)


class Detector:
    """Finds and judges the faces of pictures with one model."""

    def __init__(
        self,
        settings: Settings,
        threshold: float | None = None,
        networks: Networks | None = None,
    ) -> None:
        """``threshold`` replaces the manifest's bound on the heatmap (0 to 1). ``networks`` are
        those of the same settings, where the caller has opened them."""
        self._max_faces = settings.max_faces
        self._large, self._judging = Lock(), Lock()
        self._finder, self._classifier, self.engine = networks or open_networks(settings)
        self.manifest = self._classifier.manifest
        cores = settings.threads or own_cores()
        self._prepared_together = PREPARED_TOGETHER
        if self.engine.on_device:
            self._prepared_together = max(cores, PREPARED_TOGETHER)
        thresholds = self.manifest.thresholds
        self._mask_threshold = thresholds.mask if threshold is None else threshold

    def examine(
        self,
        pictures: Sequence[Picture],
        on_decoded: OnDecoded | None = None,
        on_prepared: Callable[[], object] | None = None,
    ) -> list[Examination | UnmaskError]:
        """Examine pictures as one batch; a picture that cannot be decoded yields its error.

        ``on_decoded`` is told, in some thread, the pixels of each picture that is kept decoded, as
        soon as they are there: its examination has the same array, unless another appearance of the
        picture is more suspicious. Faces are judged while other pictures are prepared.
        ``on_prepared`` is called once the last of them are with the model: another batch that is
        begun then is prepared meanwhile, and judged after this one.
        """
        results: list[Examination | UnmaskError] = []
        with ThreadPoolExecutor(self._prepared_together) as pool:
            prepare = partial(self._prepare, on_decoded=on_decoded)
            preparing = deque(pool.submit(prepare, picture) for picture in pictures)
            while preparing:
                prepared = _next_prepared(preparing)
                if not preparing and any(_is_large(picture) for picture in pictures):
                    give_back()
                results += self._judge_prepared(prepared, None if preparing else on_prepared)
        return results

    def find(self, pixels: Pixels) -> FoundFaces:
        """The faces of an RGB picture (h, w, 3), uint8: of a photo, or of one frame of a video."""
        return self._cut(pixels, self._finder.search(pixels))

    def judge(self, crops: Sequence[Pixels]) -> list[Judgement]:
        """What the model thinks of aligned RGB faces, each (224, 224, 3) of uint8, in their order;
        the pictures that they come from do not matter."""
        return self._classifier.judge(crops)

    def _cut(self, pixels: Pixels, search: Search) -> FoundFaces:
        crops = []
        total = len(search.faces)
        for place in search.faces[: self._max_faces]:
            quad = frame_quad(place.landmarks)
            crops.append(FaceCrop(place, quad, align_face(pixels, quad, self.manifest.input_size)))
        warnings = []
        if total > len(crops):
            warnings.append(warn("faces_left_out", number=len(crops), total=total))
        if search.missed_under:
            warnings.append(warn("small_faces_missed", number=search.missed_under))
        return FoundFaces(tuple(crops), total, tuple(warnings), search)

    def _prepare(
        self, picture: Picture, on_decoded: OnDecoded | None
    ) -> list[_Prepared] | UnmaskError:
        """Each appearance of a picture, its faces cut out; of large pictures, one at a time."""
        with self._large if _is_large(picture) else nullcontext():
            return self._searched(picture, on_decoded)

    def _searched(
        self, picture: Picture, on_decoded: OnDecoded | None
    ) -> list[_Prepared] | UnmaskError:
        try:
            shrink = picture.shrink_for(REDUCED_SIDE)
            reduced = self._search(picture, shrink, on_decoded=on_decoded)
            if shrink == 1 or not any(_needs_full(item.faces) for item in reduced):
                return reduced
            before = [item.faces.search for item in reduced]
            full = self._search(picture, 1, before, on_decoded)
        except UnmaskError as error:
            return error
        for item, earlier in zip(full, reduced, strict=True):
            item.decode_ms += earlier.decode_ms
            item.faces_ms += earlier.faces_ms
        return full

    def _search(
        self,
        picture: Picture,
        shrink: int,
        before: Sequence[Search] = (),
        on_decoded: OnDecoded | None = None,
    ) -> list[_Prepared]:
        """Each appearance, searched; ``before`` are the searches of the appearances reduced."""
        prepared: list[_Prepared] = []
        clock = _Stopwatch()
        for number, appearance in enumerate(picture.appearances(shrink)):
            decode, pixels = clock.lap(), appearance.pixels
            scale = picture.width / pixels.shape[1]
            is_kept = number == 0 and scale == 1 and not _is_large(picture)
            if is_kept and on_decoded is not None:
                on_decoded(picture, pixels)
            earlier = before[number] if before else None
            search = self._finder.search(pixels, earlier, is_reduced=shrink > 1)
            faces = self._cut(pixels, search)
            kept = pixels if is_kept else None
            warnings = appearance.warnings
            prepared.append(
                _Prepared(picture, number, faces, scale, kept, decode, clock.lap(), warnings)
            )
        return prepared

    def _judge_prepared(
        self, prepared: Sequence[_Preparation], on_begin: Callable[[], object] | None
    ) -> list[Examination | UnmaskError]:
        """The examinations of some pictures, whose faces are judged together; ``on_begin`` is
        called once the model is theirs."""
        crops = [
            crop.pixels
            for item in prepared
            if not isinstance(item, UnmaskError)
            for appearance in item
            for crop in appearance.faces.crops
        ]
        with self._judging:
            if on_begin is not None:
                on_begin()
            start = time.perf_counter()
            judgements = iter(self.judge(crops))
            per_face = (time.perf_counter() - start) * 1000 / max(len(crops), 1)
        return [
            item if isinstance(item, UnmaskError) else self._worst(item, judgements, per_face)
            for item in prepared
        ]

    def _worst(
        self, appearances: list[_Prepared], judgements: Iterator[Judgement], per_face: float
    ) -> Examination:
        """The examination of the most suspicious appearance, with what is to be known of all."""
        warnings: list[CodedWarning] = []
        for item in appearances:
            warnings += [warning for warning in item.warnings if warning not in warnings]
        every = [
            self._conclude(item, [next(judgements) for _ in item.faces.crops], tuple(warnings))
            for item in appearances
        ]
        worst = min(every, key=lambda item: _suspicion(item.report))
        timings = _timings(
            appearances, per_face, sum(item.report.timings_ms.draw for item in every)
        )
        worst.report = worst.report.model_copy(update={"timings_ms": timings})
        worst.ways = len(every)
        return worst

    def _conclude(
        self,
        prepared: _Prepared,
        judgements: list[Judgement],
        warnings: tuple[CodedWarning, ...],
    ) -> Examination:
        clock = _Stopwatch()
        scale = np.float32(prepared.scale)
        faces = [
            JudgedFace(crop.place.scaled(scale), crop.quad * scale, judgement)
            for crop, judgement in zip(prepared.faces.crops, judgements, strict=True)
        ]
        report = write_report(
            prepared.picture, faces, self.manifest, self._mask_threshold, warnings
        )
        return Examination(
            prepared.picture,
            report.model_copy(update={"timings_ms": Timings(draw=clock.lap())}),
            [face.quad for face in faces],
            [face.judgement.heatmap for face in faces],
            self._mask_threshold,
            prepared.pixels,
            prepared.number,
        )


@dataclass
class _Prepared:
    """An appearance of a picture on its way: its ``number``, and its faces, found in pixels that
    are ``scale`` times smaller than the picture."""

    picture: Picture
    number: int
    faces: FoundFaces
    scale: float
    pixels: Pixels | None
    decode_ms: float
    faces_ms: float
    of_appearance: tuple[CodedWarning, ...]

    @property
    def warnings(self) -> tuple[CodedWarning, ...]:
        """What is to be known of the file, of this appearance and of the faces."""
        return (*self.picture.warnings, *self.of_appearance, *self.faces.warnings)


#: The appearances of a picture, or what is wrong with it.
_Preparation = list[_Prepared] | UnmaskError


def _next_prepared(preparing: deque[Future[_Preparation]]) -> list[_Preparation]:
    """The next pictures that are prepared, in their order and taken out of ``preparing``: as soon
    as they have ``FEWEST_FACES``, or none are left, all that are ready."""
    prepared: list[_Preparation] = []
    faces = 0
    while preparing and (faces < FEWEST_FACES or preparing[0].done()):
        item = preparing.popleft().result()
        prepared.append(item)
        if not isinstance(item, UnmaskError):
            faces += sum(len(appearance.faces.crops) for appearance in item)
    return prepared


def _timings(appearances: list[_Prepared], per_face: float, draw_ms: float) -> Timings:
    """The time of each stage for all appearances of a picture."""
    decode_ms = sum(item.decode_ms for item in appearances)
    faces_ms = sum(item.faces_ms for item in appearances)
    model_ms = per_face * sum(len(item.faces.crops) for item in appearances)
    total = decode_ms + faces_ms + model_ms + draw_ms
    return Timings(decode=decode_ms, faces=faces_ms, model=model_ms, draw=draw_ms, total=total)


def _suspicion(report: Report) -> tuple[int, float]:
    """A key by which the most suspicious report comes first."""
    return list(Verdict).index(report.verdict), -(report.fake_probability or 0.0)


class _Stopwatch:
    def __init__(self) -> None:
        self.start = time.perf_counter()

    def lap(self) -> float:
        """Milliseconds since the last lap."""
        now = time.perf_counter()
        passed, self.start = (now - self.start) * 1000, now
        return passed


def _is_large(picture: Picture) -> bool:
    return is_large(picture.width, picture.height)


def _needs_full(faces: FoundFaces) -> bool:
    return min((quad_side(crop.quad) for crop in faces.crops), default=0.0) < REDUCED_FRAME
