"""Whether an engine may serve by itself: what changes on labelled pictures when judges run on it.

Each judge is asked on ONNX Runtime and on the other engine, on the same crops. A third variant
tells what such differences are worth: ONNX Runtime itself, on crops a millionth brighter.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.progress import track

from model_training.dataset.data import Folders, Row, read_dataset, split_of
from model_training.evaluation.metrics import jsonable, roc_auc, write_json
from model_training.evaluation.predict import read_rgb
from unmask.detector.align import Floats, Pixels, align_face, frame_quad
from unmask.detector.centerface import FoundFace
from unmask.detector.classifier import Answers, Classifier, Judgement
from unmask.detector.clip import JudgeAnswers
from unmask.detector.engines.cache import Cache
from unmask.detector.engines.choice import MAKERS
from unmask.detector.engines.onnxruntime import on_cpu
from unmask.detector.engines.processor import described
from unmask.detector.engines.protocol import Engines
from unmask.detector.examination import JudgedFace, frame_mask
from unmask.detector.faces import FaceFinder
from unmask.detector.manifest import CLIP, DENSENET, Manifest
from unmask.detector.preprocess import prepare
from unmask.detector.verdict import picture_bounds, rule
from unmask.report import Verdict, is_marked

ENGINES_FILE = "engines.json"
#: What may change for an engine to serve unasked: verdicts, as a share of the pictures; the area
#: under the curve; the masks' mean overlap.
MOST_VERDICTS, MOST_AUC, MOST_MASK = 0.002, 0.001, 0.01
#: What the crops of the third variant are multiplied by: far less than any camera could tell.
BRIGHTER = np.float32(1 + 1e-6)
#: Faces in one run, as CLIP's tower takes them.
BATCH = 2
#: Normal quantile of a two-sided interval of 95 %.
NORMAL = 1.96

Ask = Callable[[Floats], JudgeAnswers]


@dataclass
class _Picture:
    """A picture on its way: its faces, and what each variant thinks of them."""

    label: int
    places: list[FoundFace]
    crops: list[Pixels]
    judgements: dict[str, list[Judgement]] = field(default_factory=dict)


def measure_engine(
    data_dir: Folders,
    manifest_path: Path,
    out_dir: Path,
    *,
    engine: str = "openvino",
    judges: Sequence[str] = (DENSENET, CLIP),
    split: str = "test",
    every: int = 1,
) -> dict[str, Any]:
    """Run one of ``every`` pictures of the split on ONNX Runtime and, of the named ``judges`` each
    alone, on ``engine``; write what changes into engines.json and return it.

    One thread. Entries of the file for other judges stay if they are of the same model. Raises
    ValueError for an empty split.
    """
    rows = split_of(read_dataset(data_dir), split)[::every]
    plain = Classifier(manifest_path, 1, Engines.same(on_cpu(1)))
    other = Classifier(manifest_path, 1, Engines.same(MAKERS[engine](1, Cache())))
    asked = _Asked(plain, other, engine, judges)
    pictures = list(_judged(rows, asked))
    manifest = plain.manifest
    entries = {
        name: _compared(pictures, name, manifest) for name in asked.variants if name != PLAIN
    }
    path = out_dir / ENGINES_FILE
    table: dict[str, Any] = {
        "version": 1,
        "split": split,
        "model": {"version": manifest.version, "sha256": manifest.sha256},
        "processor": described(),
        "allowed": {"verdicts": MOST_VERDICTS, "auc": MOST_AUC, "mask_overlap": MOST_MASK},
        "variants": _earlier(path, manifest) | entries,
        "ms_a_face": _earlier_times(path, manifest) | asked.times(),
    }
    write_json(path, jsonable(table))
    return table


#: The variant that the others are held against, and the one of slightly brighter crops.
PLAIN, NUDGED = "onnxruntime", "onnxruntime, crops brighter by a millionth"


class _Asked:
    """Asks each judge on each engine, and joins the answers of each variant."""

    def __init__(
        self, plain: Classifier, other: Classifier, engine: str, judges: Sequence[str]
    ) -> None:
        self._plain = plain
        asks: dict[str, dict[str, Ask]] = {PLAIN: plain.judges}
        for judge in judges:
            asks[f"{judge} on {engine}"] = {judge: other.judges[judge]}
        if len(judges) > 1:
            asks[f"all on {engine}"] = {}
        if CLIP in judges:
            asks[NUDGED] = {name: _nudged(ask) for name, ask in plain.judges.items()}
        self.variants, self._asks, self._engine = tuple(asks), asks, engine
        self._taken: dict[str, list[float]] = {}

    def answers(self, images: Floats) -> dict[str, list[Judgement]]:
        """What each variant thinks of the faces."""
        found = {
            variant: {judge: self._timed(variant, judge, ask, images) for judge, ask in by.items()}
            for variant, by in self._asks.items()
        }
        everything = f"all on {self._engine}"
        if everything in found:
            own = [by for name, by in found.items() if name.endswith(f" on {self._engine}")]
            found[everything] = {judge: said for by in own for judge, said in by.items()}
        return {name: self._joined(found[PLAIN] | by) for name, by in found.items()}

    def times(self) -> dict[str, float]:
        """Milliseconds of processor time for a face: the median run of each judge and engine."""
        return {name: round(median(values), 2) for name, values in self._taken.items()}

    def _timed(self, variant: str, judge: str, ask: Ask, images: Floats) -> JudgeAnswers:
        start = time.process_time()
        said = ask(images)
        passed = (time.process_time() - start) * 1000 / len(images)
        name = f"{judge} on {PLAIN}" if variant == PLAIN else variant
        if variant != NUDGED:
            self._taken.setdefault(name, []).append(passed)
        return said

    def _joined(self, said: dict[str, JudgeAnswers]) -> list[Judgement]:
        own = [said[judge] for judge in self._plain.manifest.judges]
        return self._plain.joined(
            Answers(
                np.stack([one.families for one in own], axis=1),
                np.stack([one.heatmaps for one in own], axis=1),
                own[-1].covered,
            )
        )


def _nudged(ask: Ask) -> Ask:
    return lambda images: ask(images * BRIGHTER)


def _judged(rows: Sequence[Row], asked: _Asked) -> Iterator[_Picture]:
    finder = FaceFinder(1)
    for row in track(rows, description="Asking both engines"):
        pixels = read_rgb(row.path)
        places = finder.find(pixels)
        crops = [align_face(pixels, frame_quad(place.landmarks)) for place in places]
        picture = _Picture(row.label, places, crops)
        for start in range(0, len(crops), BATCH):
            for name, said in asked.answers(prepare(crops[start : start + BATCH])).items():
                picture.judgements.setdefault(name, []).extend(said)
        if crops:
            yield picture


def _compared(pictures: Sequence[_Picture], name: str, manifest: Manifest) -> dict[str, Any]:
    """How a variant's findings differ from those of ONNX Runtime."""
    labels = [picture.label for picture in pictures]
    own, plain = ([_found(each, key, manifest) for each in pictures] for key in (name, PLAIN))
    changed = sum(a.verdict != b.verdict for a, b in zip(own, plain, strict=True))
    overlaps = np.array([_overlap(a, b) for a, b in zip(own, plain, strict=True) if b.masks])
    auc = [roc_auc(labels, [found.probability for found in one]) for one in (plain, own)]
    moved = np.abs([a.probability - b.probability for a, b in zip(own, plain, strict=True)])
    low, high = _interval(changed, len(pictures))
    return {
        "pictures": len(pictures),
        "verdicts_changed": changed,
        "verdicts_changed_share": changed / len(pictures),
        "verdicts_changed_interval": [low, high],
        "auc": auc[1],
        "auc_fall": auc[0] - auc[1],
        "probability_moved": {"mean": moved.mean(), "most": moved.max()},
        "masks": len(overlaps),
        "mask_overlap": overlaps.mean() if len(overlaps) else 1.0,
        "may_serve_unasked": bool(
            changed / len(pictures) < MOST_VERDICTS
            and auc[0] - auc[1] < MOST_AUC
            and (not len(overlaps) or 1 - overlaps.mean() < MOST_MASK)
        ),
    }


@dataclass(frozen=True)
class _Finding:
    """A picture's verdict and probability, and its faces' masks that are shown."""

    verdict: Verdict
    probability: float
    masks: dict[int, Pixels]


def _found(picture: _Picture, variant: str, manifest: Manifest) -> _Finding:
    faces = [
        JudgedFace(place, frame_quad(place.landmarks), judgement)
        for place, judgement in zip(picture.places, picture.judgements[variant], strict=True)
    ]
    bounds = picture_bounds([face.score for face in faces], manifest)
    verdicts = [rule(face.score, bounds, manifest).verdict for face in faces]
    chances = [face.judgement.fake_probability for face in faces]
    masks = {
        number: frame_mask(face.judgement.heatmap, manifest.thresholds.mask)
        for number, face in enumerate(faces)
        if is_marked(verdicts[number], chances[number])
    }
    return _Finding(min(verdicts, key=list(Verdict).index), max(chances), masks)


def _overlap(own: _Finding, plain: _Finding) -> float:
    """Intersection over union of the masks of all faces that ONNX Runtime marks."""
    shared = either = 0
    for number, mask in plain.masks.items():
        other = own.masks.get(number, np.zeros_like(mask))
        shared += int(((mask > 0) & (other > 0)).sum())
        either += int(((mask > 0) | (other > 0)).sum())
    return shared / either if either else 1.0


def _interval(part: int, whole: int) -> tuple[float, float]:
    """The interval of 95 % of a share: Wilson, "Probable inference" (1927)."""
    share, square = part / whole, NORMAL**2 / whole
    middle = (share + square / 2) / (1 + square)
    half = NORMAL * (share * (1 - share) / whole + square / 4 / whole) ** 0.5 / (1 + square)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _earlier(path: Path, manifest: Manifest, key: str = "variants") -> dict[str, Any]:
    """What the file holds of the same model."""
    if not path.is_file():
        return {}
    table = json.loads(path.read_text(encoding="utf-8"))
    same = table["model"]["sha256"] == manifest.sha256
    return dict(table[key]) if same else {}


def _earlier_times(path: Path, manifest: Manifest) -> dict[str, Any]:
    return _earlier(path, manifest, "ms_a_face")
