"""What CLIP's tower makes of whole pictures: generated ones against photographs of all kinds.

The tower stays as it was published; its tokens of each picture are written down, once of the
picture scaled down and once of a part of its middle in full size, and a line is fitted on them.
What counts is a source that neither the line nor its bound saw: each source of photographs and each
kind of generated pictures is left out in turn. The bound lets at most one photograph in two hundred
alarm; it is set on scores by lines that were fitted without the photograph's group.

Ojha et al., "Towards Universal Fake Image Detectors that Generalize Across Generative Models"
(2023) fit a linear head on frozen CLIP.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from model_training.dataset.data import Folders, Row, capped, read_dataset
from model_training.dataset.landmarks import read_pixels
from model_training.evaluation.features import Written, open_tower, tower_tokens
from model_training.evaluation.metrics import Doubles, jsonable, roc_auc, write_json
from model_training.evaluation.predict import fingerprint
from model_training.evaluation.tables import Strings, Table
from unmask.detector.align import Pixels
from unmask.detector.manifest import ClipFiles, load_manifest
from unmask.detector.preprocess import prepare

WHOLE_FILE = "whole.json"
#: Of so many photographs at most one may alarm; the note is worth showing where so many of the
#: generated pictures of a kind that was left out are told.
PHOTOGRAPHS_AN_ALARM, USEFUL = 200, 0.5
#: Most pictures of each source and class.
MOST = 320
#: Parts that the groups are split into, for scores of pictures that a line was not fitted on.
FOLDS = 3
#: As in ``left_out``: the inverse of the regularisation's strength, and the most steps.
STRENGTH, MAX_STEPS = 3e-3, 100
#: A source or kind with fewer pictures says too little by itself.
LEAST = 15
SIDE = 224


def resized(pixels: Pixels) -> Pixels:
    """The middle square of a picture (h, w, 3), as (224, 224, 3)."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    square = _middle(pixels, side)
    scaled = cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(scaled, np.uint8)


def middle(pixels: Pixels) -> Pixels:
    """The 224 x 224 pixels in the middle of a picture, in full size."""
    return resized(pixels) if min(pixels.shape[:2]) < SIDE else _middle(pixels, SIDE)


def _middle(pixels: Pixels, side: int) -> Pixels:
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


#: How the tower sees a picture.
VIEWS: dict[str, Callable[[Pixels], Pixels]] = {"scaled down": resized, "middle": middle}


def measure(
    data_dir: Folders,
    manifest_path: Path,
    out_dir: Path,
    *,
    cache: Path,
    threads: int = 1,
    most: int = MOST,
) -> Table:
    """Write whole.json; return it. ``cache`` is a folder for the features.

    Every split is taken: groups are held apart here. Raises ValueError where the model has no CLIP
    or a class is missing.
    """
    rows = capped(read_dataset(data_dir), most)
    if {row.label for row in rows} != {0, 1}:
        raise ValueError("whole pictures of both classes are needed")
    seen = {name: _features(rows, name, manifest_path, cache, threads) for name in VIEWS}
    first, second = seen.values()
    seen["both"] = first.beside(second)
    labels, sources, kinds = first.labels, first.sources, first.kinds
    table: Table = {
        "version": 1,
        "photographs_an_alarm": PHOTOGRAPHS_AN_ALARM,
        "useful": USEFUL,
        "photographs": _counts(sources[~labels]),
        "generated": _counts(kinds[labels]),
        "views": {name: _view(written) for name, written in seen.items()},
    }
    table["is_met"] = {name: _is_met(view) for name, view in table["views"].items()}
    jsoned: Table = jsonable(table)
    write_json(out_dir / WHOLE_FILE, jsoned)
    return jsoned


def _features(
    rows: list[Row], view: str, manifest_path: Path, cache: Path, threads: int
) -> Written:
    manifest = load_manifest(manifest_path)
    if manifest.clip is None:
        raise ValueError(f"{manifest_path} has no CLIP")
    path = cache / f"whole-{_key(manifest.clip, view, rows)}.npy"
    if path.is_file():
        return Written(rows, np.load(path).astype(np.float32))
    session = open_tower(manifest_path.parent, manifest.clip, threads=threads)
    tokens = [
        tower_tokens(session, prepare([VIEWS[view](_rgb(row.path))]))
        for row in track(rows, description=f"Reading tokens, {view}")
    ]
    half = np.stack(tokens).astype(np.float16)
    cache.mkdir(parents=True, exist_ok=True)
    np.save(path, half)
    return Written(rows, half.astype(np.float32))


def _rgb(path: Path) -> Pixels:
    return np.ascontiguousarray(read_pixels(path)[:, :, ::-1])


def _key(files: ClipFiles, view: str, rows: Sequence[Row]) -> str:
    text = "\n".join((files.tower.sha256, view, fingerprint(rows)))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _view(written: Written) -> Table:
    """What one view tells, of sources that were fitted on and of each that was left out."""
    labels = written.labels
    scores = _held_out(written)
    bound = alarm_bound(scores[~labels])
    makers = {}
    for name in _large(written.kinds[labels]):
        own = labels & (written.kinds == name)
        rest = written.where(~own)
        without = alarm_bound(_held_out(rest)[~rest.labels])
        logits = _line(rest).decision_function(written.features[own])
        makers[name] = {
            "count": int(own.sum()),
            "told": float(np.mean(logits > without)),
            "told_seen": float(np.mean(scores[own] > bound)),
        }
    photographs = {name: _source(written, name) for name in _large(written.sources[~labels])}
    count = sum(row["count"] for row in photographs.values())
    alarms = sum(row["alarms"] for row in photographs.values())
    return {
        "auc": roc_auc(labels, scores),
        "told_seen": float(np.mean(scores[labels] > bound)),
        "makers_left_out": makers,
        "photographs_left_out": photographs,
        "photographs": count,
        "alarms": alarms,
    }


def _source(written: Written, name: str) -> Table:
    """A source of photographs that neither line nor bound saw."""
    own = ~written.labels & (written.sources == name)
    rest = written.where(~own)
    bound = alarm_bound(_held_out(rest)[~rest.labels])
    logits = _line(rest).decision_function(written.features[own])
    return {"count": int(own.sum()), "alarms": int(np.sum(logits > bound))}


def _is_met(view: Table) -> bool:
    """Whether photographs of sources left out alarm rarely enough, and each kind of generated
    pictures left out is told often enough."""
    told = [row["told"] for row in view["makers_left_out"].values()]
    few = view["alarms"] * PHOTOGRAPHS_AN_ALARM <= view["photographs"]
    return bool(few and told and min(told) >= USEFUL)


def alarm_bound(scores: Doubles) -> float:
    """The score that at most one photograph in :data:`PHOTOGRAPHS_AN_ALARM` of these exceeds."""
    allowed = len(scores) // PHOTOGRAPHS_AN_ALARM
    return float(np.sort(scores)[-1 - allowed])


def _held_out(written: Written) -> Doubles:
    """The logit (n,) of each picture by a line that was fitted without its fold's groups."""
    folds = np.array([_fold(row.group) for row in written.rows])
    scores = np.zeros(len(folds))
    for fold in np.unique(folds):
        own = folds == fold
        scores[own] = _line(written.where(~own)).decision_function(written.features[own])
    return scores


def _fold(group: str) -> int:
    return hashlib.sha256(group.encode()).digest()[0] % FOLDS


def _line(written: Written) -> Pipeline:
    """One line for all generated pictures against all photographs; both classes weigh alike, and
    within one its sources by the root of their size."""
    labels = written.labels
    weights = np.zeros(len(labels))
    for label in (False, True):
        mine = labels == label
        for source in np.unique(written.sources[mine]):
            same = mine & (written.sources == source)
            weights[same] = 1 / np.sqrt(same.sum())
        weights[mine] /= weights[mine].sum()
    line = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=MAX_STEPS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        weighted = {"logisticregression__sample_weight": weights * len(labels)}
        return line.fit(written.features, labels, **weighted)


def _large(names: Strings) -> list[str]:
    return [name for name, count in _counts(names).items() if count >= LEAST]


def _counts(names: Strings) -> dict[str, int]:
    values, counts = np.unique(names, return_counts=True)
    return {str(name): int(count) for name, count in zip(values, counts, strict=True)}
