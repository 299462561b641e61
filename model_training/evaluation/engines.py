"""Whether an engine may serve by itself: what changes on labelled pictures when judges run on it.

Each judge is asked on ONNX Runtime and on the other engine, on the same crops; in the place of the
DenseNet121 an 8-bit form of it can be asked. A third variant tells what such differences are worth:
ONNX Runtime itself, on crops a millionth brighter.
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
from unmask.detector.manifest import CLIP, DENSENET, Manifest, Quantised, load_manifest
from unmask.detector.preprocess import prepare
from unmask.detector.verdict import picture_bounds, rule
from unmask.report import Verdict, is_marked

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


def engines_path(folder: Path, split: str) -> Path:
    """Where in ``folder`` it stands what changes on a split: engines.json for the test split."""
    return folder / ("engines.json" if split == "test" else f"engines-{split}.json")


def measure_engine(
    data_dir: Folders,
    manifest_path: Path,
    out_dir: Path,
    *,
    engine: str | None = None,
    judges: Sequence[str] = (DENSENET, CLIP),
    quantised: Sequence[Path] = (),
    split: str = "test",
    every: int = 1,
) -> dict[str, Any]:
    """Run one of ``every`` pictures of the split on ONNX Runtime and, of the named ``judges`` each
    alone, on ``engine``; write what changes to :func:`engines_path` and return it.

    ``quantised`` are manifests of 8-bit forms of the model; the DenseNet121 of each is asked on the
    engine that it was made for. Without ``engine`` it is OpenVINO or, where there are such forms,
    none but them. One thread. Entries of the file for other variants stay if they are of the same
    model. Raises ValueError for an empty split, and for an 8-bit form of another model.
    """
    rows = split_of(read_dataset(data_dir), split)[::every]
    plain = Classifier(manifest_path, 1, Engines.same(on_cpu(1)))
    asked = _Asked(plain)
    if engine or not quantised:
        asked.add_engine(manifest_path, engine or "openvino", judges)
    for form in quantised:
        asked.add_form(form)
    pictures = list(_judged(rows, asked))
    manifest = plain.manifest
    entries = {
        name: _compared(pictures, name, manifest) | asked.gain(name)
        for name in asked.variants
        if name != PLAIN
    }
    path = engines_path(out_dir, split)
    table: dict[str, Any] = {
        "version": 1,
        "split": split,
        "model": {"version": manifest.version, "sha256": manifest.sha256},
        "processor": described(),
        "allowed": {"verdicts": MOST_VERDICTS, "auc": MOST_AUC, "mask_overlap": MOST_MASK},
        "variants": _earlier(path, manifest) | entries,
        "ms_a_face": _earlier(path, manifest, "ms_a_face") | asked.times(),
    }
    write_json(path, jsonable(table))
    return table


def described_change(table: dict[str, Any]) -> str:
    """What such a table says of each variant, a line each."""
    lines = []
    for name, one in table["variants"].items():
        low, high = one["verdicts_changed_interval"]
        may = "may" if one["may_serve_unasked"] else "must not"
        lines.append(
            f"{name}, {one['pictures']} pictures of {table['split']}: "
            f"{one['verdicts_changed']} verdicts change ({low:.2%} to {high:.2%}), AUC falls by "
            f"{one['auc_fall']:.4f}, masks overlap by {one['mask_overlap']:.3f}; it {may} serve "
            "unasked\n"
        )
    return "".join(lines)


#: The variant that the others are held against, and the one of slightly brighter crops.
PLAIN, NUDGED = "onnxruntime", "onnxruntime, crops brighter by a millionth"


class _Asked:
    """Asks each judge on each engine, and joins the answers of each variant."""

    def __init__(self, plain: Classifier) -> None:
        self._plain = plain
        self._asks: dict[str, dict[str, Ask]] = {PLAIN: plain.judges}
        #: variants in which all judges are on one engine, with those of each judge alone
        self._whole: dict[str, list[str]] = {}
        self._taken: dict[str, list[float]] = {}

    @property
    def variants(self) -> tuple[str, ...]:
        """The names of all variants."""
        return (*self._asks, *self._whole)

    def add_engine(self, path: Path, engine: str, judges: Sequence[str]) -> None:
        """Ask ``judges``, each alone and together, on an engine."""
        other = _opened(path, engine, judges)
        names = {judge: f"{judge} on {engine}" for judge in judges}
        self._asks |= {name: {judge: other.judges[judge]} for judge, name in names.items()}
        if len(judges) > 1:
            self._whole[f"all on {engine}"] = list(names.values())
        if CLIP in judges:
            nudged = {name: _nudged(ask) for name, ask in self._plain.judges.items()}
            self._asks[NUDGED] = nudged

    def add_form(self, path: Path) -> None:
        """Ask the DenseNet121 of an 8-bit form of the model."""
        form = _form_of(self._plain.manifest, path)
        other = _opened(path, form.engine, [DENSENET])
        name = f"{DENSENET} on {form.engine}, 8 bits"
        self._asks[name] = {DENSENET: other.judges[DENSENET]}

    def answers(self, images: Floats) -> dict[str, list[Judgement]]:
        """What each variant thinks of the faces."""
        found = {
            variant: {judge: self._timed(variant, judge, ask, images) for judge, ask in by.items()}
            for variant, by in self._asks.items()
        }
        for name, alone in self._whole.items():
            found[name] = {judge: said for each in alone for judge, said in found[each].items()}
        return {name: self._joined(found[PLAIN] | by) for name, by in found.items()}

    def times(self) -> dict[str, float]:
        """Milliseconds of processor time for a face: the median run of each judge and engine."""
        return {name: round(median(values), 2) for name, values in self._taken.items()}

    def gain(self, variant: str) -> dict[str, float]:
        """How many times faster a judge is in a variant than on ONNX Runtime in the same run; empty
        where all judges are asked in it."""
        taken, (judge, *_) = self.times(), variant.split(" on ")
        if variant not in taken:
            return {}
        return {"times_faster": round(taken[f"{judge} on {PLAIN}"] / taken[variant], 2)}

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


def _opened(path: Path, engine: str, judges: Sequence[str]) -> Classifier:
    """The model with ``judges`` on an engine, the others on ONNX Runtime."""
    made, cpu = MAKERS[engine](1, Cache()), on_cpu(1)
    engines = Engines(*(made if judge in judges else cpu for judge in (DENSENET, CLIP)))
    return Classifier(path, 1, engines)


def _form_of(manifest: Manifest, path: Path) -> Quantised:
    """How the 8-bit network of the manifest at ``path`` was made; raises ValueError where it is
    none of ``manifest``'s network."""
    form = load_manifest(path).quantised
    if form is None or form.of != manifest.sha256:
        raise ValueError(f"{path} is no 8-bit form of {manifest.name} {manifest.version}")
    return form


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
