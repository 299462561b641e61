"""Pictures in, examinations out: faces of all pictures are judged in shared batches."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from uuid import uuid4

import cv2
import numpy as np

from unmask.detector.align import Floats, Pixels, align_face, frame_matrix, frame_quad, quad_side
from unmask.detector.annotate import annotate
from unmask.detector.classifier import Classifier, Judgement
from unmask.detector.faces import FaceFinder, FoundFace
from unmask.detector.masks import (
    MIN_PART,
    binary_mask,
    heatmap_picture,
    outline,
    paste_heatmap,
    without_specks,
)
from unmask.errors import UnmaskError
from unmask.images import Picture
from unmask.report import (
    MARKED_FROM,
    Face,
    Image,
    Model,
    Report,
    Timings,
    UnsureReason,
    Verdict,
    is_marked,
    picture_verdict,
    statement,
)
from unmask.settings import Settings
from unmask.warning_codes import CodedWarning, warn

#: A large JPEG is decoded at reduced scale, but never to a long side under this.
REDUCED_SIDE = 1280
#: Frames of fewer pixels than this in the reduced picture are cut from the full one: one and a half
#: for each of the network's, so that the decoder's own scaling leaves no trace in the crop.
REDUCED_FRAME = 336
#: Pictures of a batch that are decoded and searched at the same time: decoding uses one processor,
#: and the face network on one picture can hardly use two.
PREPARED_TOGETHER = 2
#: Pictures of up to so many pixels, a phone's among them, are kept decoded until they are drawn on:
#: 37 megabytes each, for the pictures of two batches at most.
KEPT_PIXELS = 12_500_000

#: At what probabilities a face of a picture is real (below) and fake (from there on).
Bounds = tuple[float, float]


@dataclass
class Sighting:
    """A face of one picture on its way to the classifier."""

    found: FoundFace
    quad: Floats
    crop: Pixels


@dataclass
class Examination:
    """The report on one picture, and its pictures, drawn when asked for.

    ``heatmap()`` and ``mask()`` are grey (height, width) and ``annotated()`` is RGB, uint8, all
    in the size of the picture. The heatmap shows every face judged; the mask those called fake, or
    more likely fake than not.
    ``pixels`` holds the decoded picture where it is small enough to be kept.
    """

    picture: Picture
    report: Report
    quads: list[Floats] = field(default_factory=list)
    heatmaps: list[Floats] = field(default_factory=list)
    mask_threshold: float = 0.5
    pixels: Pixels | None = field(default=None, repr=False)

    def heatmap(self) -> Pixels:
        """The model's value for each pixel, 0 to 255; 0 outside every face's frame."""
        canvas = self._blank()
        for quad, heatmap in zip(self.quads, self.heatmaps, strict=True):
            paste_heatmap(canvas, heatmap, quad, heatmap_picture)
        return canvas

    def mask(self) -> Pixels:
        """255 where the heatmap of a face whose region is shown reaches the threshold, else 0."""
        return self._mask

    def annotated(self) -> Pixels:
        """The picture with a box and label for each face, the tampered region and a legend."""
        return annotate(self.decoded(), self.report, self._mask)

    def decoded(self) -> Pixels:
        """The picture itself, RGB; not to be written to."""
        return self.picture.pixels() if self.pixels is None else self.pixels

    @cached_property
    def _mask(self) -> Pixels:
        canvas = self._blank()
        draw = partial(binary_mask, threshold=self.mask_threshold)
        for face, quad, heatmap in zip(self.report.faces, self.quads, self.heatmaps, strict=True):
            if is_marked(face.verdict, face.fake_probability):
                kept = frame_mask(heatmap, self.mask_threshold) > 0
                paste_heatmap(canvas, np.where(kept, heatmap, np.float32(0)), quad, draw)
        return canvas

    def _blank(self) -> Pixels:
        return np.zeros((self.report.image.height, self.report.image.width), np.uint8)


class Detector:
    """Finds and judges the faces of pictures with one model."""

    def __init__(self, settings: Settings, threshold: float | None = None) -> None:
        """``threshold`` replaces the manifest's bound on the heatmap (0 to 1)."""
        threads = settings.threads
        self._finder = FaceFinder(threads)
        self._max_faces = settings.max_faces
        self._classifier = Classifier(settings.model, threads)
        self.manifest = self._classifier.manifest
        thresholds = self.manifest.thresholds
        self._mask_threshold = thresholds.mask if threshold is None else threshold
        self._model = Model(
            name=self.manifest.name, version=self.manifest.version, sha256=self.manifest.sha256
        )

    def examine(self, pictures: Sequence[Picture]) -> list[Examination | UnmaskError]:
        """Examine pictures as one batch; a picture that cannot be decoded yields its error."""
        with ThreadPoolExecutor(PREPARED_TOGETHER) as pool:
            prepared = list(pool.map(self._prepare, pictures))
        crops = [
            sighting.crop
            for item in prepared
            if not isinstance(item, UnmaskError)
            for sighting in item.sightings
        ]
        start = time.perf_counter()
        judgements = iter(self._classifier.judge(crops))
        per_face = (time.perf_counter() - start) * 1000 / max(len(crops), 1)
        return [
            item
            if isinstance(item, UnmaskError)
            else self._conclude(item, [next(judgements) for _ in item.sightings], per_face)
            for item in prepared
        ]

    def _prepare(self, picture: Picture) -> _Prepared | UnmaskError:
        clock = _Stopwatch()
        try:
            shrink = picture.shrink_for(REDUCED_SIDE)
            pixels = picture.pixels(shrink)
            decode = clock.lap()
            faces = self._finder.find(pixels)
            if shrink > 1 and _needs_full(faces):
                search = clock.lap()
                pixels = picture.pixels()
                decode += clock.lap()
                faces = self._finder.find(pixels)
                clock.start -= search / 1000
        except UnmaskError as error:
            return error
        sightings = []
        for face in faces[: self._max_faces]:
            quad = frame_quad(face.landmarks)
            crop = align_face(pixels, quad, self.manifest.input_size)
            sightings.append(Sighting(face, quad, crop))
        scale = picture.width / pixels.shape[1]
        kept = pixels if scale == 1 and pixels.size <= 3 * KEPT_PIXELS else None
        return _Prepared(picture, sightings, len(faces), scale, kept, decode, clock.lap())

    def _conclude(
        self, prepared: _Prepared, judgements: list[Judgement], per_face: float
    ) -> Examination:
        start = time.perf_counter()
        picture = prepared.picture
        pairs = list(zip(prepared.sightings, judgements, strict=True))
        bounds = self._bounds(prepared)
        faces = tuple(self._face(item, said, bounds, prepared) for item, said in pairs)
        verdict, probability = picture_verdict(faces)
        model_ms = per_face * len(pairs)
        draw = (time.perf_counter() - start) * 1000
        timings = Timings(
            decode=prepared.decode_ms,
            faces=prepared.faces_ms,
            model=model_ms,
            draw=draw,
            total=prepared.decode_ms + prepared.faces_ms + model_ms + draw,
        )
        report = Report(
            id=uuid4().hex,
            sha256=picture.sha256,
            verdict=verdict,
            fake_probability=probability,
            statement=statement(verdict, probability, len(faces)),
            image=Image(width=picture.width, height=picture.height, format=picture.format),
            faces=faces,
            model=self._model,
            threshold=self._mask_threshold,
            real_bound=bounds[0],
            fake_bound=bounds[1],
            timings_ms=timings,
            warning_codes=prepared.warnings,
        )
        quads = [item.quad * np.float32(prepared.scale) for item in prepared.sightings]
        heatmaps = [said.heatmap for said in judgements]
        return Examination(picture, report, quads, heatmaps, self._mask_threshold, prepared.pixels)

    def _bounds(self, prepared: _Prepared) -> Bounds:
        """The picture's bounds. Faces too small to be judged raise them for none."""
        sides = [quad_side(sighting.quad) * prepared.scale for sighting in prepared.sightings]
        count = sum(side >= self.manifest.min_face for side in sides)
        thresholds = self.manifest.thresholds
        return thresholds.real_among(count), thresholds.fake_among(count)

    def _face(
        self, sighting: Sighting, said: Judgement, bounds: Bounds, prepared: _Prepared
    ) -> Face:
        picture, scale = prepared.picture, prepared.scale
        side = quad_side(sighting.quad) * scale
        verdict, reasons = self._verdict(said, side, bounds)
        mask = frame_mask(said.heatmap, self._mask_threshold)
        marked = is_marked(verdict, said.fake_probability)
        region = _face_region(mask.shape[0])
        fraction = float(np.mean(mask[region] > 0)) if marked else 0.0
        x0, y0, x1, y1 = (round(float(value) * scale) for value in sighting.found.box)
        marks = tuple((float(x * scale), float(y * scale)) for x, y in sighting.found.landmarks)
        return Face(
            box=(x0, y0, min(x1, picture.width) - x0, min(y1, picture.height) - y0),
            landmarks=marks,
            fake_probability=said.fake_probability,
            verdict=verdict,
            reasons=reasons,
            judges=said.judges,
            tampered_fraction=fraction,
            outline=_picture_outline(mask, sighting.quad * scale, picture) if marked else (),
        )

    def _verdict(
        self, judgement: Judgement, frame_side: float, bounds: Bounds
    ) -> tuple[Verdict, tuple[UnsureReason, ...]]:
        """The verdict on a face, and why it is unsure: between the bounds, too small to be judged,
        or the judges disagree: what one of them would clear is not called fake."""
        real, fake = bounds
        probability = judgement.fake_probability
        if frame_side < self.manifest.min_face:
            return Verdict.UNSURE, (UnsureReason.TOO_SMALL,)
        if probability < real:
            return Verdict.REAL, ()
        if probability >= fake and not judgement.disputed:
            return Verdict.FAKE, ()
        reasons = [UnsureReason.JUDGES_DISAGREE] if judgement.disputed else []
        if probability < fake:
            too_few = probability >= MARKED_FROM
            reasons.append(UnsureReason.TOO_FEW_SIGNS if too_few else UnsureReason.TOO_WEAK)
        return Verdict.UNSURE, tuple(reasons)


@dataclass
class _Prepared:
    """A picture on its way: ``found`` faces are in it, ``sightings`` of those that are judged."""

    picture: Picture
    sightings: list[Sighting]
    found: int
    scale: float
    pixels: Pixels | None
    decode_ms: float
    faces_ms: float

    @property
    def warnings(self) -> tuple[CodedWarning, ...]:
        """What is to be known of the file and of the faces."""
        judged = len(self.sightings)
        if judged == self.found:
            return self.picture.warnings
        crowd = warn("faces_left_out", number=judged, total=self.found)
        return (*self.picture.warnings, crowd)


class _Stopwatch:
    def __init__(self) -> None:
        self.start = time.perf_counter()

    def lap(self) -> float:
        """Milliseconds since the last lap."""
        now = time.perf_counter()
        passed, self.start = (now - self.start) * 1000, now
        return passed


def frame_mask(heatmap: Floats, threshold: float) -> Pixels:
    """The binary mask of one face's frame, without specks."""
    return without_specks(binary_mask(heatmap, threshold), MIN_PART * heatmap.size)


def _needs_full(faces: list[FoundFace]) -> bool:
    sides = [quad_side(frame_quad(face.landmarks)) for face in faces]
    return min(sides, default=0.0) < REDUCED_FRAME


def _face_region(size: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """The face itself within its frame: the ellipse from brow to chin, temple to temple."""
    rows, columns = np.mgrid[0:size, 0:size] / (size - 1)
    return ((columns - 0.5) / 0.30) ** 2 + ((rows - 0.53) / 0.40) ** 2 <= 1.0  # type: ignore[no-any-return]


def _picture_outline(
    mask: Pixels, quad: Floats, picture: Picture
) -> tuple[tuple[tuple[int, int], ...], ...]:
    """The outline of a frame's mask in picture pixels."""
    back = cv2.invertAffineTransform(frame_matrix(quad, mask.shape[0]))
    limit = np.array([picture.width - 1, picture.height - 1])
    shown = []
    for polygon in outline(mask):
        points = np.asarray(polygon, np.float32) @ back[:, :2].T + back[:, 2]
        clipped = np.clip(np.round(points), 0, limit).astype(int)
        shown.append(tuple((int(x), int(y)) for x, y in clipped))
    return tuple(shown)
