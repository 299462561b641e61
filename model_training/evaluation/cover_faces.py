"""Faces with known covers over them, and what CLIP's tower makes of them: kept as it is made."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from rich.progress import track

from model_training.dataset import occlusions
from model_training.dataset.data import Row
from model_training.dataset.fakes.regions import Rng, place, pose, scale_of
from model_training.evaluation.predict import fingerprint, read_rgb
from unmask.detector.align import Floats, Pixels, align_face, frame_matrix, frame_quad
from unmask.detector.clip import FACES, ClipJudge
from unmask.detector.cover import DEPTH
from unmask.detector.faces import FaceFinder
from unmask.detector.preprocess import prepare

#: Patches of a frame along one side, and pixels of one.
GRID, PATCH = 14, 16
#: Faces of one file of the cache.
CHUNK = 48
SEED = 150_001

Draw = Callable[[Rng, Pixels, Floats], tuple[Pixels, Floats]]


def thing(rng: Rng, pixels: Pixels, landmarks: Floats) -> tuple[Pixels, Floats]:
    """A part of the same picture's surroundings, turned and tinted, before the face: cloth, hair,
    walls and leaves, in a rounded shape."""
    matrix, scale = pose(landmarks), scale_of(pose(landmarks))
    spot = place([[float(rng.uniform(0.25, 0.75)), float(rng.uniform(0.35, 0.95))]], matrix)[0]
    height, width = pixels.shape[:2]
    cover = np.zeros((height, width), np.float32)
    axes = tuple(float(scale * value) for value in rng.uniform(0.2, 0.5, 2))
    turn = float(rng.uniform(0, 180))
    cv2.ellipse(cover, ((float(spot[0]), float(spot[1])), axes, turn), 1.0, -1, cv2.LINE_AA)
    corner = pixels[: max(height // 4, 2), : max(width // 4, 2)]
    corner = np.rot90(corner, int(rng.integers(4)))
    stuff = cv2.resize(np.ascontiguousarray(corner), (width, height), interpolation=cv2.INTER_CUBIC)
    tinted = stuff.astype(np.float32) * rng.uniform(0.5, 1.3, 3).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.5, 2))), np.float32)
    mixed = pixels + (np.clip(tinted, 0, 255) - pixels) * soft[:, :, None]
    return np.round(mixed).astype(np.uint8), soft


#: What is laid over a face, by the name that the record has for it.
KINDS: dict[str, Draw] = {
    "text bar": occlusions.text_bar,
    "sticker": occlusions.sticker,
    "face mask": occlusions.face_cover,
    "dark glasses": occlusions.glasses,
    "hand": occlusions.hand,
    "thing": thing,
}
CLEAN = ""


def covered_picture(pixels: Pixels, landmarks: Floats, kind: str) -> tuple[Pixels, Floats]:
    """The picture with a cover of this kind, the same each time, and where it is (h, w)."""
    if kind == CLEAN:
        return pixels, np.zeros(pixels.shape[:2], np.float32)
    rng = np.random.default_rng([SEED, zlib.crc32(pixels.tobytes()), list(KINDS).index(kind)])
    return KINDS[kind](rng, pixels, landmarks)


@dataclass(frozen=True)
class CoverFaces:
    """Faces with what covers them: ``tokens`` (n, 1 + patches, width) at the head's depth,
    ``covers`` (n, g, g), the covered share of each patch, ``kinds`` (n,) and ``rows`` (n,), indices
    of their pictures."""

    tokens: npt.NDArray[np.float16]
    covers: Floats
    kinds: npt.NDArray[np.str_]
    rows: npt.NDArray[np.int64]


def cover_faces(
    rows: Sequence[Row],
    jobs: Sequence[tuple[int, str]],
    judge: ClipJudge,
    tower: str,
    cache: Path,
) -> Iterator[CoverFaces]:
    """The faces of ``jobs`` (a row's index and a kind of cover), a chunk at a time.

    Each chunk is kept in ``cache``, by the ``tower``'s sha256 and the pictures' bytes: a run that
    was stopped goes on where it stood. A picture in which no face is found is left out.
    """
    finder = FaceFinder(1)
    for start in track(range(0, len(jobs), CHUNK), description="Covering faces"):
        part = jobs[start : start + CHUNK]
        key = "\n".join([tower, fingerprint([rows[index] for index, _ in part]), repr(part)])
        path = cache / f"cover-{hashlib.sha256(key.encode()).hexdigest()[:24]}.npz"
        if not path.is_file():
            _write(path, _chunk(rows, part, judge, finder))
        with np.load(path) as stored:
            yield CoverFaces(**stored)


def _chunk(
    rows: Sequence[Row], jobs: Sequence[tuple[int, str]], judge: ClipJudge, finder: FaceFinder
) -> CoverFaces:
    crops, covers, kept = [], [], []
    for index, kind in jobs:
        pixels = read_rgb(rows[index].path)
        faces = finder.find(pixels)
        if not faces:
            continue
        quad = frame_quad(faces[0].landmarks)
        shown, cover = covered_picture(pixels, faces[0].landmarks, kind)
        crops.append(align_face(shown, quad))
        size = GRID * PATCH
        aligned = cv2.warpAffine(cover, frame_matrix(quad), (size, size))
        covers.append(aligned.reshape(GRID, PATCH, GRID, PATCH).mean(axis=(1, 3)))
        kept.append((index, kind))
    tokens = [
        judge.tokens(prepare(crops[start : start + FACES]))[DEPTH]
        for start in range(0, len(crops), FACES)
    ]
    return CoverFaces(
        np.concatenate(tokens).astype(np.float16),
        np.stack(covers).astype(np.float32),
        np.array([kind for _, kind in kept], str),
        np.array([index for index, _ in kept]),
    )


def _write(path: Path, faces: CoverFaces) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")  # one broken off is never taken for an answer
    with part.open("wb") as file:
        np.savez(file, tokens=faces.tokens, covers=faces.covers, kinds=faces.kinds, rows=faces.rows)
    part.replace(path)
