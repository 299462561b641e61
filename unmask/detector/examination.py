"""What an examination of one picture gives: the report, and the pictures drawn of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import cv2
import numpy as np

from unmask.detector.align import Floats, Pixels, eyes_apart, frame_matrix, quad_side
from unmask.detector.annotate import annotate
from unmask.detector.centerface import FoundFace
from unmask.detector.classifier import Judgement
from unmask.detector.encoding import RGB, Order
from unmask.detector.manifest import Manifest
from unmask.detector.masks import (
    MIN_PART,
    binary_mask,
    face_region,
    heatmap_picture,
    outline,
    paste_heatmap,
    without_specks,
)
from unmask.detector.verdict import Bounds, FaceScore, picture_bounds, rule
from unmask.i18n import DEFAULT
from unmask.images import Picture
from unmask.report import (
    Face,
    Image,
    Model,
    Report,
    is_marked,
    picture_verdict,
)
from unmask.warning_codes import CodedWarning
from unmask.wording.reports import english_statement

#: What is told a picture and its pixels.
OnDecoded = Callable[[Picture, Pixels], object]


@dataclass(frozen=True)
class JudgedFace:
    """A face of a picture: where it is, in the picture's own pixels, and what was judged of it.

    ``quad`` (4, 2) are the corners of its frame.
    """

    place: FoundFace
    quad: Floats
    judgement: Judgement

    @property
    def score(self) -> FaceScore:
        """What the verdict hangs on."""
        judgement = self.judgement
        return FaceScore(
            judgement.fake_probability,
            quad_side(self.quad),
            judgement.disputed,
            judgement.covered,
            eyes_apart(self.place.landmarks),
        )


@dataclass
class Examination:
    """The report on one picture, and its pictures, drawn when asked for.

    ``heatmap()`` and ``mask()`` are grey (height, width) and ``annotated()`` is RGB, uint8, all
    in the size of the picture. The heatmap shows every face judged; the mask those called fake, or
    more likely fake than not.
    ``pixels`` holds the decoded picture where it is small enough to be kept; ``appearance`` is the
    number of the one that the report is on (:meth:`unmask.images.Picture.appearances`), of ``ways``
    in which viewers show the picture.
    """

    picture: Picture
    report: Report
    quads: list[Floats] = field(default_factory=list)
    heatmaps: list[Floats] = field(default_factory=list)
    mask_threshold: float = 0.5
    pixels: Pixels | None = field(default=None, repr=False)
    appearance: int = 0
    ways: int = 1

    def heatmap(self) -> Pixels:
        """The model's value for each pixel, 0 to 255; 0 outside every face's frame."""
        canvas = self._blank()
        for quad, heatmap in zip(self.quads, self.heatmaps, strict=True):
            paste_heatmap(canvas, heatmap, quad, heatmap_picture)
        return canvas

    def mask(self) -> Pixels:
        """255 where the heatmap of a face whose region is shown reaches the threshold, else 0."""
        return self._mask

    def annotated(self, language: str = DEFAULT, order: Order = RGB) -> Pixels:
        """The picture with a box and label for each face, the tampered region and a legend; its
        colours in ``order``."""
        return annotate(self.decoded(), self.report, self._mask, language=language, order=order)

    def decoded(self) -> Pixels:
        """The picture as it was judged, RGB; not to be written to."""
        if self.pixels is not None:
            return self.pixels
        return self.picture.pixels(appearance=self.appearance)

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


def write_report(
    picture: Picture,
    faces: Sequence[JudgedFace],
    manifest: Manifest,
    mask_threshold: float,
    warnings: tuple[CodedWarning, ...],
) -> Report:
    """The report on a picture with these faces, judged by the model of ``manifest``."""
    bounds = picture_bounds([face.score for face in faces], manifest)
    entries = tuple(_face(face, bounds, picture, manifest, mask_threshold) for face in faces)
    verdict, probability = picture_verdict(entries)
    return Report(
        sha256=picture.sha256,
        verdict=verdict,
        fake_probability=probability,
        statement=english_statement(entries),
        image=Image(width=picture.width, height=picture.height, format=picture.format),
        faces=entries,
        model=Model(name=manifest.name, version=manifest.version, sha256=manifest.sha256),
        threshold=mask_threshold,
        real_bound=bounds.real,
        fake_bound=bounds.fake,
        warning_codes=warnings,
    )


def _face(
    judged: JudgedFace, bounds: Bounds, picture: Picture, manifest: Manifest, mask_threshold: float
) -> Face:
    judgement = judged.judgement
    ruling = rule(judged.score, bounds, manifest)
    mask = frame_mask(judgement.heatmap, mask_threshold)
    marked = is_marked(ruling.verdict, judgement.fake_probability)
    region = face_region(mask.shape[0])
    x0, y0, x1, y1 = (round(float(value)) for value in judged.place.box)
    return Face(
        box=(x0, y0, min(x1, picture.width) - x0, min(y1, picture.height) - y0),
        landmarks=tuple((float(x), float(y)) for x, y in judged.place.landmarks),
        fake_probability=judgement.fake_probability,
        verdict=ruling.verdict,
        reasons=ruling.reasons,
        judges=judgement.judges,
        tampered_fraction=float(np.mean(mask[region] > 0)) if marked else 0.0,
        outline=_picture_outline(mask, judged.quad, picture) if marked else (),
    )


def frame_mask(heatmap: Floats, threshold: float) -> Pixels:
    """The binary mask of one face's frame, without specks."""
    return without_specks(binary_mask(heatmap, threshold), MIN_PART * heatmap.size)


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
