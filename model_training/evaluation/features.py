"""Features of CLIP's tower, written down once, for heads that are fitted to find something out.

What is shipped was trained end to end; a line on written features is fitted in seconds and shows
what a part of the recipe is worth.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from model_training.dataset.data import Row
from model_training.dataset.degrade import degrade
from model_training.dataset.landmarks import landmarks_of, read_pixels
from model_training.dataset.samples import scaled
from model_training.evaluation.metrics import Flags
from model_training.evaluation.predict import fingerprint
from model_training.evaluation.tables import Strings
from unmask.detector.align import Floats, align_face, frame_quad
from unmask.detector.clip import TOKENS
from unmask.detector.manifest import ClipFiles, load_manifest
from unmask.detector.preprocess import prepare
from unmask.detector.session import open_session, read_checked


@dataclass(frozen=True)
class Look:
    """How a tower sees a picture: the tower as it was published or as it was ``tuned``, with the
    FFHQ frame's side times ``frame``, and the picture as it is (``worn`` 0) or in the copy of that
    number, degraded as training does it, the same each time."""

    tuned: bool = False
    frame: float = 1.0
    worn: int = 0


PLAIN = Look()


@dataclass(frozen=True)
class Written:
    """Features (n, k) of pictures with what is true of them."""

    rows: list[Row]
    features: Floats

    @property
    def labels(self) -> Flags:
        """Which are fake."""
        return np.array([row.label == 1 for row in self.rows])

    @property
    def kinds(self) -> Strings:
        """The kind of each fake, and "camera"."""
        return np.array([row.kind if row.label else "camera" for row in self.rows])

    @property
    def sources(self) -> Strings:
        """Where each picture is from."""
        return np.array([row.source for row in self.rows])

    def where(self, kept: Flags) -> Written:
        """Some of the pictures."""
        return Written(
            [row for row, k in zip(self.rows, kept, strict=True) if k], self.features[kept]
        )

    def joined(self, other: Written) -> Written:
        """These pictures and then the others."""
        return Written([*self.rows, *other.rows], np.concatenate([self.features, other.features]))

    def beside(self, other: Written) -> Written:
        """The same pictures, the other's features after these."""
        return Written(self.rows, np.concatenate([self.features, other.features], axis=1))


def write_features(
    rows: Sequence[Row], manifest_path: Path, cache: Path, threads: int = 0, look: Look = PLAIN
) -> Written:
    """A tower's class tokens and mean patch tokens of all depths, (n, 6144), of the pictures in
    which a face is found; kept in ``cache``. Raises ValueError where the model has no CLIP."""
    manifest = load_manifest(manifest_path)
    if manifest.clip is None:
        raise ValueError(f"{manifest_path} has no CLIP")
    pictures = fingerprint(rows)
    known = landmarks_of(rows, cache / f"landmarks-{pictures}.csv")
    usable = [(row, points) for row in rows if (points := known[row.name]) is not None]
    kept = [row for row, _ in usable]
    path = cache / f"features-{_key(manifest.clip, look, pictures)}.npy"
    if path.is_file():
        return Written(kept, np.load(path).astype(np.float32))
    session = open_tower(manifest_path.parent, manifest.clip, look.tuned, threads)
    features = [
        tower_tokens(session, _crop(row, points, look))
        for row, points in track(usable, description="Reading tokens")
    ]
    values = np.stack(features) if features else np.zeros((0, 1), np.float32)
    half = values.astype(np.float16)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, half)
    return Written(kept, half.astype(np.float32))


def _key(files: ClipFiles, look: Look, pictures: str) -> str:
    tower = files.tower.sha256 + (files.tuned.sha256 if look.tuned else "")
    parts = (tower, f"{look.frame:g}", str(look.worn), pictures)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def open_tower(folder: Path, files: ClipFiles, tuned: bool = False, threads: int = 0) -> Any:
    """A session of CLIP's tower, as it was published or as it was ``tuned``."""
    weights = None
    if tuned:
        data = read_checked(folder / files.tuned.file, files.tuned.sha256)
        with np.load(io.BytesIO(data)) as stored:
            weights = {name: stored[name] for name in stored.files}
    return open_session(folder / files.tower.file, files.tower.sha256, threads, weights)


def tower_tokens(session: Any, image: Floats) -> Floats:
    """A tower's class tokens and mean patch tokens of all depths (6144,) for the network's input
    (1, 224, 224, 3)."""
    depths = session.run(list(TOKENS), {"image": image})
    parts = [part for tokens in depths for part in (tokens[0, 0], tokens[0, 1:].mean(axis=0))]
    return np.concatenate(parts).astype(np.float32)


def _crop(row: Row, landmarks: Floats, look: Look) -> Floats:
    pixels = np.ascontiguousarray(read_pixels(row.path)[:, :, ::-1])
    quad = scaled(frame_quad(landmarks), look.frame)
    if look.worn:
        rng = np.random.default_rng([look.worn, zlib.crc32(row.name.encode())])
        before = pixels.shape[:2]
        pixels = degrade(rng, pixels)
        height, width = (a / b for a, b in zip(pixels.shape[:2], before, strict=True))
        quad = quad * np.array([width, height], np.float32)
    return prepare([align_face(pixels, quad)])
