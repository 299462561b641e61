"""Fixes, on the validation split only, what the network's figures mean: probability and verdict.

Everything that is fixed here goes into the manifest, together with what it was fixed on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model_training.dataset.data import Folders, Row, of_split, read_dataset
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
    FamilyWise,
    Joining,
    Manifest,
    OpinionScale,
    Thresholds,
    load_manifest,
)
from unmask.report import MARKED_FROM

#: Real sources with fewer validation faces say too little about themselves to have a bound.
MIN_SOURCE = 50
#: The share of the real pictures, the most suspicious, whose logits tell how they fall off.
TAIL = 0.1
#: The same within one source, which has fewer.
SOURCE_TAIL = 0.15
#: Numbers of people for which the bound for "real" is tested, and the rises that are tried.
PEOPLE, REAL_SCALES = range(2, 33), np.round(np.arange(0, 1.01, 0.05), 2)
#: Other shares of a real face's frame that might be marked on average, for the record.
FALSE_AREAS = (0.005, 0.01, 0.02, 0.04, 0.08)


@dataclass(frozen=True)
class Aims:
    """What the thresholds are to reach on validation, as shares.

    ``false_alarms``: of real pictures called fake. ``source_false_alarms``: the same within any
    one source of :data:`MIN_SOURCE` pictures or more, and of pictures of several people.
    A source that nobody has seen may hold more than any of these, so this aim lies below the two
    per cent that are promised. ``missed``: of fakes of which "no sign was found" is said, all
    sources counting alike. ``false_area``: of a real face's
    frame that is shown as marked, on average.
    """

    false_alarms: float = 0.01
    source_false_alarms: float = 0.015
    missed: float = 0.10
    false_area: float = 0.035


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


@dataclass(frozen=True)
class FakeBound:
    """The bound for "fake" and how it came about.

    ``rank`` of ``reals``: the bound lies just above the real picture of this rank, or higher.
    ``guaranteed`` says whether there were enough real pictures for the promise of
    :func:`fake_bound`; ``raised_by`` names the source that asked for more than that, if any.
    """

    threshold: float
    reals: int
    rank: int
    guaranteed: bool
    raised_by: str = ""


def fake_bound(chances: npt.ArrayLike, sources: npt.ArrayLike, aims: Aims) -> FakeBound:
    """The least bound that keeps false alarms on real pictures as rare as the aims demand.

    ``chances`` (n,) are the calibrated probabilities of real pictures. The bound lies just above
    the ceil((n + 1)(1 - a))-th smallest of them, not above the plain quantile: then a further
    picture drawn like these n is called fake with a chance of at most a, whatever the
    distribution (split conformal prediction: Vovk et al., "Algorithmic Learning in a Random World",
    2005). For a = 1 % this takes 99 pictures at least. It promises nothing about pictures of
    another kind; therefore each larger source keeps its own, looser bound as well, estimated by
    :func:`tail_bound`: among sixty pictures the two per cent that may be called fake are one.
    """
    values, names = np.sort(np.asarray(chances, np.float64)), np.asarray(sources)
    count = len(values)
    rank = math.ceil((count + 1) * (1 - aims.false_alarms))
    highest = values[min(rank, count) - 1]
    raised_by = ""
    for name in np.unique(names):
        own = np.asarray(chances, np.float64)[names == name]
        if len(own) < MIN_SOURCE:
            continue
        bound = tail_bound(own, aims.source_false_alarms)
        if bound > highest:
            highest, raised_by = bound, str(name)
    return FakeBound(_just_above(highest), count, min(rank, count), rank <= count, raised_by)


def left_out(
    chances: npt.ArrayLike, sources: npt.ArrayLike, aims: Aims
) -> dict[str, dict[str, float]]:
    """For each larger real source: its pictures, and the share of them that would be called fake
    if the bound had been fixed without it. ``chances`` (n,) are of real pictures."""
    values, names = np.asarray(chances, np.float64), np.asarray(sources)
    table = {}
    for name in np.unique(names):
        own = names == name
        if own.sum() < MIN_SOURCE or own.all():
            continue
        bound = fake_bound(values[~own], names[~own], aims).threshold
        share = float(np.mean(values[own] >= bound))
        table[str(name)] = {"count": int(own.sum()), "called_fake": share}
    return table


def tail_bound(chances: npt.ArrayLike, share: float) -> float:
    """The probability that a share of pictures like these (n,) exceeds, their highest logits taken
    to fall off exponentially: Davison & Smith, "Models for exceedances over high thresholds"
    (1990), of shape 0. The highest SOURCE_TAIL of them, and at least eight, say how fast."""
    values = np.clip(np.sort(np.asarray(chances, np.float64)), 1e-7, 1 - 1e-7)
    logits = np.log(values / (1 - values))
    most = min(max(round(SOURCE_TAIL * len(logits)), 8), len(logits) - 1)
    start = logits[-most - 1]
    scale = float(np.mean(logits[-most:] - start))
    logit = start + scale * math.log(most / len(logits) / share)
    return float(1 / (1 + math.exp(-logit)))


def family_bounds(
    chances: npt.ArrayLike, labels: npt.ArrayLike, real: float, aims: Aims
) -> FamilyWise:
    """How the bounds rise with the number of faces.

    Of pictures of several real faces no more than ``aims.source_false_alarms`` are expected to be
    called fake, the logits of the highest :data:`TAIL` of the reals being taken to fall off
    exponentially; and of no more than ``aims.missed`` of pictures of real faces and one fake it is
    said that no sign was found, the faces being taken to be judged independently.
    """
    values = np.clip(np.asarray(chances, np.float64), 1e-7, 1 - 1e-7)
    fakes, reals = (values[np.asarray(labels) == label] for label in (1, 0))
    logits = np.log(reals / (1 - reals))
    start = float(np.quantile(logits, 1 - TAIL))
    above = logits[logits > start]
    scale = float(np.mean(above - start)) if len(above) else 0.0
    return FamilyWise(
        offset=start + scale * math.log(TAIL / aims.source_false_alarms),
        scale=scale,
        real_scale=_real_scale(reals, fakes, real, aims.missed),
    )


def _real_scale(reals: Doubles, fakes: Doubles, real: float, missed: float) -> float:
    """The steepest rise of the bound for "real" at which groups with a fake are not missed more
    often than single fakes."""

    def is_kept(scale: float) -> bool:
        family = FamilyWise(offset=0, scale=0, real_scale=scale)
        bounds = Thresholds(fake=1, real=real, mask=0.5, family=family)
        return all(
            np.mean(fakes < bound) * np.mean(reals < bound) ** (people - 1) <= missed
            for people in PEOPLE
            for bound in [bounds.real_among(people)]
        )

    return max((float(scale) for scale in REAL_SCALES if is_kept(scale)), default=0.0)


def real_bound(
    chances: npt.ArrayLike, missed: float, fake: float, weights: npt.ArrayLike | None = None
) -> float:
    """The highest bound, up to ``fake``, with at most a share ``missed`` of the fakes under it.

    ``weights`` (n,) make all sources count alike: otherwise the generators with the most pictures
    would decide how many of the others are cleared.
    """
    values = np.asarray(chances, np.float64)
    shares = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    order = np.argsort(values)
    below = np.cumsum(shares[order]) / shares.sum()
    first = min(int(np.searchsorted(below, missed, side="right")), len(values) - 1)
    return float(min(values[order][first], fake))


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


def trade_off(
    labels: npt.ArrayLike,
    chances: npt.ArrayLike,
    fake: float,
    weights: npt.ArrayLike | None = None,
) -> list[dict[str, float]]:
    """What other shares of missed fakes would have meant: the reason for the one chosen."""
    classes, values = np.asarray(labels, int), np.asarray(chances, np.float64)
    table = []
    for missed in (0.01, 0.02, 0.05, 0.10, 0.20):
        real = real_bound(values[classes == 1], missed, fake, weights)
        unsure = (values >= real) & (values < fake)
        table.append(
            {
                "missed": missed,
                "real": real,
                "reals_cleared": float(np.mean(values[classes == 0] < real)),
                "reals_unsure": float(np.mean(unsure[classes == 0])),
                "fakes_unsure": float(np.mean(unsure[classes == 1])),
            }
        )
    return table


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


def _just_above(value: float) -> float:
    """The next number that a single-precision probability can take: at or above means above."""
    return float(min(np.nextafter(np.float32(value), np.float32(2)), 1.0))
