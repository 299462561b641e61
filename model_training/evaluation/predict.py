"""Runs what serves over dataset pictures: faces, frames, network; and keeps what it said.

The predictions hold the network's raw probability, so that calibration and thresholds can be
fixed and tried afterwards without running it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from rich.progress import track

from model_training.dataset.data import Row
from model_training.dataset.landmarks import read_pixels
from unmask.detector.align import Floats, Pixels, align_face, eyes_apart, frame_quad
from unmask.detector.classifier import Classifier
from unmask.detector.faces import FaceFinder
from unmask.detector.joining import joined_heatmap, joined_logit, raw_probability
from unmask.detector.manifest import Manifest, load_manifest
from unmask.detector.preprocess import Denoise, prepare

#: Faces in one run of the network.
BATCH = 8


@dataclass(frozen=True)
class Degradation:
    """What is done to a picture before it is examined, under a name that tells it from others.

    ``apply`` takes and gives RGB (h, w, 3) of uint8 and is the same each time for one picture.
    """

    name: str
    apply: Callable[[Pixels], Pixels]


@dataclass(frozen=True)
class Predictions:
    """What the network said of n pictures with m faces.

    ``sizes`` (n, 2) are width and height in pixels. The faces of all pictures stand one after
    the other: ``owner`` (m,) is the index of the picture, and in a picture the largest face comes
    first. ``raw`` (m,) is the uncalibrated probability, ``quads`` (m, 4, 2) the frames,
    ``heatmaps`` (m, k, k) in [0, 1] and ``activations`` (m, a, a) the network's maps, in half
    precision, which moves no value of a heatmap by more than 0.0003. ``families`` (m, judges,
    heads) are the logits that ``raw`` was joined from. ``covered`` (m,) is the share of a face that
    is hidden, ``eyes_apart`` (m,) how far its eyes lie apart, in distances from eyes to mouth.
    """

    sizes: npt.NDArray[np.int32]
    owner: npt.NDArray[np.int32]
    raw: Floats
    quads: Floats
    heatmaps: npt.NDArray[np.float16]
    activations: npt.NDArray[np.float16]
    families: Floats
    covered: Floats
    eyes_apart: Floats

    @property
    def faces(self) -> npt.NDArray[np.intp]:
        """How many faces each picture has (n,)."""
        return np.bincount(self.owner, minlength=len(self.sizes))

    @property
    def largest(self) -> npt.NDArray[np.intp]:
        """The index of each picture's largest face (n,), -1 where none was found."""
        first = np.searchsorted(self.owner, np.arange(len(self.sizes)))
        return np.where(self.faces > 0, first, -1)

    @property
    def suspicious(self) -> npt.NDArray[np.intp]:
        """The index of each picture's most suspicious face (n,), -1 where none was found."""
        best = np.full(len(self.sizes), -1)
        for face, picture in enumerate(self.owner):
            if best[picture] < 0 or self.raw[face] > self.raw[best[picture]]:
                best[picture] = face
        return best

    def take(self, pictures: Sequence[int] | npt.NDArray[np.intp]) -> Predictions:
        """The predictions for some of the pictures, in the order given."""
        faces = [np.flatnonzero(self.owner == index) for index in pictures]
        kept = np.concatenate([*faces, np.empty(0, np.intp)]).astype(np.intp)
        owner = np.repeat(np.arange(len(faces)), [len(found) for found in faces])
        return Predictions(
            self.sizes[np.asarray(pictures, np.intp)],
            owner.astype(np.int32),
            self.raw[kept],
            self.quads[kept],
            self.heatmaps[kept],
            self.activations[kept],
            self.families[kept],
            self.covered[kept],
            self.eyes_apart[kept],
        )

    def joined(self, manifest: Manifest) -> Predictions:
        """The same with ``raw`` joined as ``manifest`` says."""
        logits = joined_logit(self.families, manifest.judges, manifest.joining)
        return replace(self, raw=raw_probability(logits))


def predict(
    rows: Sequence[Row],
    manifest_path: Path,
    *,
    cache: Path | None = None,
    degradation: Degradation | None = None,
    denoise: Denoise | None = None,
    threads: int = 0,
) -> Predictions:
    """What the model of ``manifest_path`` says of ``rows``.

    ``cache`` is a folder in which the answer is kept, by model, pictures (their bytes, not only
    their names), degradation and noise removal. ``denoise`` replaces the manifest's noise removal.
    Raises UnmaskError for a bad model, ValueError for a picture that cannot be decoded.
    """
    manifest = load_manifest(manifest_path)
    method = manifest.denoise if denoise is None else denoise
    kept = None
    if cache is not None:
        kept = cache / f"{_key(rows, _identity(manifest), method, degradation)}.npz"
        if kept.is_file():
            with np.load(kept) as stored:
                return Predictions(**stored).joined(manifest)
    judges = Classifier(manifest_path, threads)
    found = _run(rows, judges, method, degradation, threads)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")  # one broken off is never taken for an answer
        with part.open("wb") as file:
            np.savez_compressed(file, **asdict(found))
        part.replace(kept)
    return found.joined(manifest)


def _identity(manifest: Manifest) -> str:
    """What tells a model's answers from another's: its files, and how heatmaps are joined. How
    logits are joined is not kept, but done each time."""
    clip = manifest.clip
    files = [manifest.sha256]
    if clip is not None:
        files += [clip.tower.sha256, clip.tuned.sha256, clip.heads.sha256]
        files += [clip.cover.sha256] if clip.cover else []
        files += [f"{name} {share}" for name, share in sorted(manifest.joining.heatmap.items())]
    return "\n".join(files)


def face_crops(rows: Sequence[Row], limit: int, threads: int = 0) -> list[Pixels]:
    """The aligned largest faces, (224, 224, 3) RGB, of up to ``limit`` pictures across ``rows``."""
    finder = FaceFinder(threads)
    chosen = np.linspace(0, len(rows) - 1, min(limit, len(rows))).astype(int)
    crops = []
    for index in chosen:
        pixels = read_rgb(rows[index].path)
        for face in finder.find(pixels)[:1]:
            crops.append(align_face(pixels, frame_quad(face.landmarks)))
    return crops


def read_rgb(path: Path) -> Pixels:
    """A dataset picture as RGB (h, w, 3), uint8. Raises ValueError where it cannot be decoded."""
    return np.asarray(cv2.cvtColor(read_pixels(path), cv2.COLOR_BGR2RGB), np.uint8)


@dataclass(frozen=True)
class _Sighting:
    picture: int
    quad: Floats
    crop: Pixels
    eyes_apart: float


def _run(
    rows: Sequence[Row],
    judges: Classifier,
    denoise: Denoise,
    degradation: Degradation | None,
    threads: int,
) -> Predictions:
    sizes = np.zeros((len(rows), 2), np.int32)
    sightings = _sightings(rows, degradation, FaceFinder(threads), sizes)
    manifest = judges.manifest
    owner: list[int] = []
    parts: list[tuple[npt.NDArray[Any], ...]] = []
    for batch in _batches(sightings):
        image = prepare([face.crop for face in batch], denoise)
        answers = judges.answers(image, activations=True)
        heatmaps = joined_heatmap(answers.heatmaps, manifest.judges, manifest.joining)
        owner += [face.picture for face in batch]
        quads = np.stack([face.quad for face in batch])
        maps = (np.asarray(part, np.float16) for part in (heatmaps, answers.activations))
        eyes = np.array([face.eyes_apart for face in batch])
        parts.append((quads, *maps, answers.families, answers.covered, eyes))
    if not parts:
        shapes = ((0, 4, 2), (0, 1, 1), (0, 1, 1), (0, len(manifest.judges), 1), (0,), (0,))
        parts = [tuple(np.zeros(shape) for shape in shapes)]
    quads, heatmaps, activations, families, covered, apart = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    return Predictions(
        sizes,
        np.asarray(owner, np.int32),
        np.zeros(len(quads), np.float32),
        quads.astype(np.float32),
        heatmaps.astype(np.float16),
        activations.astype(np.float16),
        families.astype(np.float32),
        covered.astype(np.float32),
        apart.astype(np.float32),
    )


def _sightings(
    rows: Sequence[Row],
    degradation: Degradation | None,
    finder: FaceFinder,
    sizes: npt.NDArray[np.int32],
) -> Iterator[_Sighting]:
    """Every face of every picture, as it is met; fills in ``sizes``."""
    condition = f", {degradation.name}" if degradation else ""
    for index, row in enumerate(track(rows, description=f"Examining pictures{condition}")):
        pixels = read_rgb(row.path)
        if degradation is not None:
            pixels = degradation.apply(pixels)
        sizes[index] = pixels.shape[1], pixels.shape[0]
        for face in finder.find(pixels):
            quad = frame_quad(face.landmarks)
            apart = eyes_apart(face.landmarks)
            yield _Sighting(index, quad, align_face(pixels, quad), apart)


def _batches(sightings: Iterator[_Sighting]) -> Iterator[list[_Sighting]]:
    batch: list[_Sighting] = []
    for sighting in sightings:
        batch.append(sighting)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def fingerprint(rows: Sequence[Row]) -> str:
    """What tells pictures from all others: two folders may hold other pictures by one name."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(f"{row.name}\n".encode() + hashlib.sha256(row.path.read_bytes()).digest())
    return digest.hexdigest()[:24]


def _key(rows: Sequence[Row], model: str, denoise: Denoise, degradation: Degradation | None) -> str:
    parts = [model, denoise, _trace(degradation), fingerprint(rows)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def _trace(degradation: Degradation | None) -> str:
    """A degradation's name with what it makes of one picture, for a name may come to mean more."""
    if degradation is None:
        return ""
    sample = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    changed = degradation.apply(cv2.GaussianBlur(sample, (0, 0), 2.0).astype(np.uint8))
    return f"{degradation.name} {hashlib.sha256(changed.tobytes()).hexdigest()}"
