"""Fixes, on the validation split only, what the network's figures mean: probability and verdict.

Everything that is fixed here goes into the manifest, together with what it was fixed on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model_training.dataset.data import Folders, Row, of_split, read_dataset
from model_training.evaluation.bounds import (
    Aims,
    fake_bound,
    family_bounds,
    left_out,
    real_bound,
    trade_off,
)
from model_training.evaluation.localisation import (
    choose_heatmaps,
    face_view,
    mean_false_area,
    true_mask,
)
from model_training.evaluation.metrics import Doubles, Flags, jsonable
from model_training.evaluation.predict import Predictions, predict
from model_training.export.manifests import write_manifest
from unmask.detector.joining import calibrated, face_logit, raw_probability
from unmask.detector.manifest import (
    Calibration,
    Joining,
    Manifest,
    OpinionScale,
    Thresholds,
    load_manifest,
)
from unmask.report import MARKED_FROM

#: Other shares of a real face's frame that might be marked on average, for the record.
FALSE_AREAS = (0.005, 0.01, 0.02, 0.04, 0.08)


def calibrate(
    data_dir: Folders,
    manifest_path: Path,
    *,
    aims: Aims | None = None,
    cache: Path | None = None,
    threads: int = 0,
) -> Manifest:
    """Set calibration and thresholds of a manifest, in place, from the validation split.

    Pictures without a found face take no part: nothing is said of them. The probability is fitted
    on each picture's largest face; the thresholds on its most suspicious one, which decides the
    picture's verdict. Raises ValueError where real or fake faces are missing.
    """
    wanted = aims or Aims()
    manifest = load_manifest(manifest_path)
    rows = of_split(read_dataset(data_dir), "val")
    found = predict(rows, manifest_path, cache=cache, threads=threads)
    seen = np.flatnonzero(found.faces > 0)
    rows, found = [rows[index] for index in seen], found.take(seen)
    labels = np.array([row.label for row in rows], int)
    sources = np.array([row.source for row in rows])
    if len(set(labels.tolist())) < 2:
        raise ValueError("the validation split must hold both real and fake faces")
    weights = balanced_weights(labels, sources)
    scaling = fit_platt(found.raw[found.largest], labels, weights)
    chances = calibrated(found.raw[found.suspicious], scaling).astype(np.float64)
    bound = fake_bound(chances[labels == 0], sources[labels == 0], wanted)
    fake = bound.threshold
    fakes = weights[labels == 1]
    real = real_bound(chances[labels == 1], wanted.missed, fake, fakes)
    family = family_bounds(chances, labels, real, wanted)
    mask = mask_bound(rows, found, chances >= min(fake, MARKED_FROM), wanted.false_area)
    mask_threshold = mask["threshold"] if mask else 0.5
    thresholds = Thresholds(fake=fake, real=real, mask=mask_threshold, family=family)
    record = {
        "aims": asdict(wanted),
        "pictures": {"real": int((labels == 0).sum()), "fake": int((labels == 1).sum())},
        "fake_bound": asdict(bound),
        "left_out": left_out(chances[labels == 0], sources[labels == 0], wanted),
        "verdicts": verdict_shares(labels, sources, chances, thresholds),
        "trade_off": trade_off(labels, chances, fake, fakes),
        "mask": mask,
    }
    changed = manifest.model_copy(
        update={
            "calibration": scaling,
            "opinions": opinion_scales(manifest, found, labels, weights),
            "thresholds": thresholds,
            "metrics": {**manifest.metrics, "validation": jsonable(record)},
        }
    )
    write_manifest(changed, manifest_path)
    return changed


#: Share of the fakes, all sources alike, that a judge alone may clear and still be heard.
OWN_MISSED = 0.05


def opinion_scales(
    manifest: Manifest, found: Predictions, labels: npt.NDArray[np.int64], weights: Doubles
) -> dict[str, OpinionScale]:
    """What each judge's own word means: nothing where there is one judge alone.

    ``found`` are the predictions for pictures of which each has a face, with their ``labels`` and
    ``weights`` (n,).
    """
    if len(manifest.judges) < 2:
        return {}
    families = found.families[found.largest]
    scales = {}
    for index, judge in enumerate(manifest.judges):
        raw = raw_probability(face_logit(families[:, index], manifest.joining.any_weight))
        scaling = fit_platt(raw, labels, weights)
        fakes = calibrated(raw[labels == 1], scaling)
        order = np.argsort(fakes)
        below = np.cumsum(weights[labels == 1][order]) / weights[labels == 1].sum()
        real = float(fakes[order][np.searchsorted(below, OWN_MISSED)])
        scales[judge] = OpinionScale(calibration=scaling, real=real)
    return scales


def densenet_alone(manifest_path: Path, out: Path) -> None:
    """Write the manifest of the DenseNet121 alone, to be calibrated, beside that of all judges."""
    manifest = load_manifest(manifest_path)
    alone = manifest.model_copy(
        update={
            "name": "unmask-densenet121",
            "version": f"{manifest.version}-densenet121",
            "clip": None,
            "joining": Joining(),
            "opinions": {},
            "metrics": {},
            "export": {key: value for key, value in manifest.export.items() if key != "clip"},
            "training": {key: value for key, value in manifest.training.items() if key != "clip"},
        }
    )
    write_manifest(alone, out)


def balanced_weights(labels: npt.ArrayLike, sources: npt.ArrayLike) -> Doubles:
    """Weights (n,) under which both classes count alike and, within one, all its sources.

    The probability then answers for a face of which nothing is known, real or fake being as
    likely, and does not lean to whichever source happens to hold the most pictures.
    """
    classes, names = np.asarray(labels, int), np.asarray(sources)
    weights = np.zeros(len(classes))
    for label in (0, 1):
        present = np.unique(names[classes == label])
        for name in present:
            part = (classes == label) & (names == name)
            weights[part] = 0.5 / len(present) / part.sum()
    return weights * len(classes)


def fit_platt(raw: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike) -> Calibration:
    """Scale and offset of the logit that minimise the weighted cross-entropy.

    The targets are drawn in from 0 and 1, as Platt, "Probabilistic outputs for support vector
    machines" (1999) proposes, which keeps the scale finite where the classes part cleanly. Newton's
    method with halved steps. Raises ValueError where a higher logit does not mean a likelier fake.
    """
    chance = np.clip(np.asarray(raw, np.float64).reshape(-1), 1e-7, 1 - 1e-7)
    logits = np.log(chance / (1 - chance))
    classes, weight = np.asarray(labels, int), np.asarray(weights, np.float64)
    fakes, reals = int((classes == 1).sum()), int((classes == 0).sum())
    target = np.where(classes == 1, (fakes + 1) / (fakes + 2), 1 / (reals + 2))
    design = np.stack([logits, np.ones_like(logits)], axis=1)

    def loss(line: Doubles) -> float:
        value = design @ line
        return float(np.sum(weight * (np.logaddexp(0, value) - target * value)))

    line = np.zeros(2)
    for _ in range(100):
        said = 1 / (1 + np.exp(-design @ line))
        slope = design.T @ (weight * (said - target))
        bend = design.T @ (design * (weight * said * (1 - said))[:, None])
        step = np.linalg.solve(bend + 1e-9 * np.eye(2), slope)
        while loss(line - step) > loss(line) and np.abs(step).max() > 1e-10:
            step = step / 2
        line = line - step
        if np.abs(step).max() < 1e-9:
            break
    if not line[0] > 0:
        raise ValueError("on validation, higher logits do not mean likelier fakes")
    return Calibration(scale=float(line[0]), offset=float(line[1]))


def mask_bound(
    rows: Sequence[Row], found: Predictions, suspect: Flags, max_false_area: float
) -> dict[str, Any] | None:
    """The heatmap's ``threshold`` with what it reaches; None without rows that have true masks.

    ``pictures`` with true masks reach the mean intersection over union ``iou``. Of a real face's
    frame the share ``false_area`` is wrongly marked as people see it, on average over ``reals``:
    only the ``suspect`` (n,) ones are shown a mask. Without that, it would be ``false_area_all``.
    ``trade_off`` lists what other aims would have meant.
    """
    masked = [index for index, row in enumerate(rows) if row.mask]
    views = [view for index in masked if (view := face_view(rows[index], found, index))]
    if not views:
        return None
    truths = [
        true_mask(rows[index], view.pixels.shape) for index, view in zip(masked, views, strict=True)
    ]
    real = np.array([row.label == 0 for row in rows])
    heatmaps = [found.heatmaps[face].astype(np.float32) for face in found.largest]
    reals = [heatmaps[index] for index in np.flatnonzero(real)]
    shown = [h if s else np.zeros_like(h) for h, s in zip(reals, suspect[real], strict=True)]
    aims = (max_false_area, *FALSE_AREAS)
    choice, *others = choose_heatmaps(views, truths, shown, aims)
    return {
        "threshold": choice.threshold,
        "pictures": len(views),
        "iou": choice.validation_iou,
        "false_area": choice.validation_false_area,
        "false_area_all": mean_false_area(reals, choice.threshold),
        "reals": len(reals),
        "suspect": int(suspect[real].sum()),
        "trade_off": [
            {
                "aim": aim,
                "threshold": other.threshold,
                "iou": other.validation_iou,
                "false_area": other.validation_false_area,
            }
            for aim, other in zip(FALSE_AREAS, others, strict=True)
        ],
    }


def verdict_shares(
    labels: npt.ArrayLike, sources: npt.ArrayLike, chances: npt.ArrayLike, bounds: Thresholds
) -> dict[str, dict[str, float]]:
    """The share of each verdict, by class and source ("real all", "real congress", ...)."""
    classes, names = np.asarray(labels, int), np.asarray(sources)
    values = np.asarray(chances, np.float64)
    table: dict[str, dict[str, float]] = {}
    for label, word in ((0, "real"), (1, "fake")):
        for name in ("all", *np.unique(names[classes == label])):
            part = values[(classes == label) & ((names == name) | (name == "all"))]
            if len(part):
                table[f"{word} {name}"] = {
                    "count": len(part),
                    "real": float(np.mean(part < bounds.real)),
                    "fake": float(np.mean(part >= bounds.fake)),
                }
    return table
