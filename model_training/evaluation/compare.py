"""Compares ways to use the network's outputs, on validation: which score, and a mirrored view.

The tables of experiments.md that need no training come from here.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model_training.dataset.data import Row, read_dataset, split_of
from model_training.evaluation import tables
from model_training.evaluation.markdown import figure, percent, plain, table
from model_training.evaluation.metrics import Doubles, recall_at, roc_auc
from model_training.evaluation.predict import Degradation, Predictions, predict
from model_training.evaluation.tables import Judged, paired_sources, separation
from model_training.networks.architectures import SECOND_SHARE
from unmask.detector.manifest import load_manifest

#: Shares of a heatmap that are tried as its peak.
SHARES = (0.005, 0.02, 0.05, 0.10)
BEST_SHARE = 0.05


def compare(
    data_dir: Path, manifest_path: Path, *, cache: Path | None = None, repeats: int = 1000
) -> str:
    """A table in Markdown: the area under the curve of each score, over all pictures, without hand
    retouching and within the paired sources, and the fakes found at 1 % false alarms.

    Pictures without a face count as least suspicious. Raises ValueError for an empty split.
    """
    rows = split_of(read_dataset(data_dir), "val")
    manifest = load_manifest(manifest_path)
    found = predict(rows, manifest_path, cache=cache)
    turned = Degradation("mirrored", lambda pixels: np.ascontiguousarray(pixels[:, ::-1]))
    mirrored = predict(rows, manifest_path, cache=cache, degradation=turned)
    judged = tables.judge(rows, found, found.largest, manifest)
    served, logit = _logit(found.raw), _face_logit(found)
    scores = {
        "as served": (found, served),
        "the face's logit": (found, logit),
        "the heatmap's mean": (found, _peak_logit(found, 1.0)),
        **{f"the heatmap's highest {percent(s)}": (found, _peak_logit(found, s)) for s in SHARES},
        "face's logit and highest 5 %, mean": (
            found,
            (logit + _peak_logit(found, BEST_SHARE)) / 2,
        ),
        "as served, mirrored": (mirrored, _logit(mirrored.raw)),
    }
    if "ensemble" in manifest.training:
        scores["the second network's logit"] = (found, _second_logit(found))
    columns = {name: _by_picture(rows, said, score) for name, (said, score) in scores.items()}
    both = [columns["as served"], columns["as served, mirrored"]]
    columns["as served and mirrored, mean"] = np.mean(both, axis=0)
    sources = list(paired_sources(judged))
    head = ["score", "AUC", "found at 1 % false alarms", "AUC without retouch"]
    head += [f"within {name}" for name in sources]
    lines = [[name, *_figures(judged, column, repeats)] for name, column in columns.items()]
    return table(head, lines)


def _figures(judged: Judged, score: Doubles, repeats: int) -> list[str]:
    scored = replace(judged, chance=score)
    kept = judged.source != "retouch"
    found = separation(scored, repeats)["auc"]
    return [
        figure(found, plain),
        percent(recall_at(judged.label, score)),
        plain(roc_auc(judged.label[kept], score[kept])),
        *(plain(roc_auc(judged.label[own], score[own])) for own in paired_sources(judged).values()),
    ]


def _by_picture(rows: list[Row], found: Predictions, score: Doubles) -> Doubles:
    """Each picture's score (n,): that of its largest face, the least of all where none is."""
    faces = found.largest
    values = np.full(len(rows), score.min() if len(score) else 0.0)
    values[faces >= 0] = score[faces[faces >= 0]]
    return values


def _face_logit(found: Predictions) -> Doubles:
    """The mean of the class-activation map: what the face's own output gives."""
    return np.asarray(found.activations.astype(np.float64).mean(axis=(1, 2)))


def _peak_logit(found: Predictions, share: float) -> Doubles:
    """The logit of the mean of each heatmap's highest ``share``."""
    flat = found.heatmaps.reshape(len(found.heatmaps), -1).astype(np.float64)
    count = max(round(flat.shape[1] * share), 1)
    return _logit(np.partition(flat, -count, axis=1)[:, -count:].mean(axis=1))


def _second_logit(found: Predictions) -> Doubles:
    """What an ensemble's second network said, from what both said together."""
    first = (1 - SECOND_SHARE) * _face_logit(found)
    return np.asarray((_logit(found.raw) - first) / SECOND_SHARE)


def _logit(chance: npt.NDArray[np.floating]) -> Doubles:
    safe = np.clip(chance.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(safe / (1 - safe)))
