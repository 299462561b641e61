"""Holds an engine's answers on a few stored faces against ONNX Runtime's, before it may serve."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unmask import __version__
from unmask.detector.align import Floats, Pixels
from unmask.detector.classifier import Answers, Classifier
from unmask.detector.manifest import Manifest
from unmask.detector.masks import binary_mask
from unmask.detector.preprocess import prepare

#: Faces of our own with what ONNX Runtime says of them; ``references.py`` writes it.
STORED = Path(__file__).parents[1] / "models" / "self-test.npz"
#: Most that a face's probability, and a logit of one judge on average, may differ.
PROBABILITY, LOGIT = 0.1, 0.6
#: Least overlap (intersection over union) of the masks.
OVERLAP = 0.85
#: Masks are compared of faces with at least this probability.
MARKED = 0.5


@dataclass(frozen=True)
class Departure:
    """How far an engine's answers are from the reference: the largest difference of a face's
    probability, the mean difference of the logits of the judge that differs most, and the least
    overlap of a face's masks."""

    probability: float
    logit: float
    overlap: float

    @property
    def is_too_far(self) -> bool:
        """Whether the engine must not serve."""
        return not (
            self.probability <= PROBABILITY and self.logit <= LOGIT and self.overlap >= OVERLAP
        )

    def __str__(self) -> str:
        return (
            f"probability off by {self.probability:.3f}, logits by {self.logit:.2f}, "
            f"masks overlap by {self.overlap:.2f}"
        )


def departure(classifier: Classifier, reference: Answers) -> Departure:
    """How far a classifier is from ``reference``, the answers on the stored faces."""
    answers = classifier.answers(prepare(stored_faces(), classifier.manifest.denoise))
    own, wanted = classifier.joined(answers), classifier.joined(reference)
    bound = classifier.manifest.thresholds.mask
    pairs = list(zip(own, wanted, strict=True))
    # a mask is shown of faces that are more likely fake than not
    marked = [pair for pair in pairs if pair[1].fake_probability >= MARKED]
    logits = np.abs(answers.families - reference.families).mean(axis=(0, 2))
    return Departure(
        float(np.max([abs(a.fake_probability - b.fake_probability) for a, b in pairs])),
        float(np.max(logits)),
        min((_overlap(a.heatmap, b.heatmap, bound) for a, b in marked), default=1.0),
    )


def reference_answers(manifest: Manifest, ask: Callable[[], Classifier]) -> Answers:
    """ONNX Runtime's answers on the stored faces: those that are stored, if they are of this
    model or of the one that it is the 8-bit form of, else those of the classifier that ``ask``
    opens on it."""
    with np.load(STORED) as stored:
        if str(stored["model"]) == identity(in_single_precision(manifest)):
            return Answers(
                stored["families"], stored["heatmaps"].astype(np.float32), stored["covered"]
            )
    return ask().answers(prepare(stored_faces(), manifest.denoise))


def stored_faces() -> list[Pixels]:
    """The stored faces, each (224, 224, 3) RGB of uint8, then all of them mirrored."""
    with np.load(STORED) as stored:
        faces = stored["faces"]
    return [*faces, *np.ascontiguousarray(faces[:, :, ::-1])]


def identity(manifest: Manifest) -> str:
    """What tells a model's answers from another's: its files."""
    files = [manifest.sha256]
    clip = manifest.clip
    if clip is not None:
        files += [clip.tower.sha256, clip.tuned.sha256, clip.heads.sha256]
        files += [clip.cover.sha256] if clip.cover else []
    return " ".join(files)


def in_single_precision(manifest: Manifest) -> Manifest:
    """The manifest with the network that an 8-bit one was made of; any other as it is."""
    if manifest.quantised is None:
        return manifest
    return manifest.model_copy(update={"sha256": manifest.quantised.of, "quantised": None})


def version_of_test() -> str:
    """What tells this test from one of other faces, other bounds or another version's code."""
    faces = hashlib.sha256(STORED.read_bytes()).hexdigest()
    return f"{__version__} {faces} {PROBABILITY} {LOGIT} {OVERLAP} {MARKED}"


def _overlap(heatmap: Floats, other: Floats, bound: float) -> float:
    """Intersection over union of two heatmaps' masks; 1 where both are empty, and 0 where a heatmap
    is no number."""
    if not np.isfinite(heatmap).all():
        return 0.0
    one, two = (binary_mask(each, bound) > 0 for each in (heatmap, other))
    union = float((one | two).mean())
    return float((one & two).mean()) / union if union else 1.0
