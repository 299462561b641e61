"""Compares ways to use the judges' answers, on validation: each judge, each join.

The tables of experiments.md that need no training come from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from model_training.dataset.data import Folders, Row, read_dataset, split_of
from model_training.dataset.families import FAMILIES
from model_training.evaluation.bounds import Aims, fake_bound
from model_training.evaluation.metrics import Doubles, jsonable, roc_auc, write_json
from model_training.evaluation.predict import Predictions, predict
from model_training.evaluation.tables import Table
from unmask.detector.joining import face_logit, family_logits
from unmask.detector.manifest import CLIP, DENSENET, Joining, Manifest, load_manifest

#: CLIP's shares in the logits, and weights of the head over all fakes, that are tried.
CLIP_SHARES = (0.5, 2 / 3, 0.75, 0.8)
ANY_WEIGHTS = (0.0, 0.25, 0.5, 1.0)


JOINS_FILE = "joins.json"


def compare(
    data_dir: Folders, manifest_path: Path, out_dir: Path, *, cache: Path | None = None
) -> Table:
    """Write joins.json; return it: for each score the area under the curve over all pictures, and,
    at the bound for "fake" that calibration would set for it, the shares of reals called fake and
    of fakes found, over all and by family.

    Pictures without a face count as least suspicious. Raises ValueError for an empty split.
    """
    rows = split_of(read_dataset(data_dir), "val")
    manifest = load_manifest(manifest_path)
    answers = predict(rows, manifest_path, cache=cache)
    columns = {
        name: _by_picture(rows, answers, score) for name, score in _scores(answers, manifest)
    }
    labels = np.array([row.label for row in rows])
    result: Table = jsonable(
        {
            "version": 1,
            "split": "val",
            "model": {"version": manifest.version, "sha256": manifest.sha256},
            "counts": {"real": int((labels == 0).sum()), "fake": int((labels == 1).sum())},
            "scores": {name: _figures(rows, column) for name, column in columns.items()},
        }
    )
    write_json(out_dir / JOINS_FILE, result)
    return result


def _scores(answers: Predictions, manifest: Manifest) -> Iterator[tuple[str, Doubles]]:
    """The scores (m,) of all faces by name; the one that serves comes first."""
    judges, joining = manifest.judges, manifest.joining
    yield "as served", _face(answers, judges, joining)
    for index, judge in enumerate(judges):
        own = answers.families[:, index]
        yield f"{judge}: most suspicious family", _double(face_logit(own, joining.any_weight))
        yield f"{judge}: head over all fakes", _double(own[:, 0])
    for weight in ANY_WEIGHTS:
        changed = joining.model_copy(update={"any_weight": weight})
        yield f"head over all fakes times {weight:g}", _face(answers, judges, changed)
    for share in CLIP_SHARES if len(judges) > 1 else ():
        weights = {DENSENET: 1 - share, CLIP: share}
        changed = joining.model_copy(update={"weights": weights})
        yield f"{CLIP}'s share {share:.2f}", _face(answers, judges, changed)


def _face(answers: Predictions, judges: tuple[str, ...], joining: Joining) -> Doubles:
    return _double(face_logit(family_logits(answers.families, judges, joining), joining.any_weight))


def _double(values: object) -> Doubles:
    return np.asarray(values, np.float64)


def _figures(rows: list[Row], score: Doubles) -> Table:
    labels = np.array([row.label for row in rows])
    sources = np.array([row.source for row in rows])
    own = np.array([FAMILIES.get(row.kind, "") if row.label else "" for row in rows])
    bound = fake_bound(score[labels == 0], sources[labels == 0], Aims()).threshold
    called = score >= bound
    return {
        "auc": roc_auc(labels, score),
        "reals_called_fake": float(called[labels == 0].mean()),
        "fakes_found": float(called[labels == 1].mean()),
        "by_family": {
            family: float(called[own == family].mean())
            for family in sorted(set(FAMILIES.values()))
            if (own == family).any()
        },
    }


def _by_picture(rows: list[Row], answers: Predictions, score: Doubles) -> Doubles:
    """Each picture's score (n,) as a probability: that of its largest face, the least of all where
    none is."""
    faces = answers.largest
    chances = 1 / (1 + np.exp(-score))
    values = np.full(len(rows), chances.min() if len(chances) else 0.0)
    values[faces >= 0] = chances[faces[faces >= 0]]
    return values
