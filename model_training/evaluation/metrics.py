"""The figures that a detector is judged by.

Everywhere ``truth`` is 1 for a fake and 0 for a real picture, and ``score`` is higher the more
suspicious a picture is. A figure that the data cannot give (an AUC without both classes, a
precision when nothing was called fake) is nan, which :func:`jsonable` writes as null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn.metrics

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

NAN = float("nan")
#: Bins of the expected calibration error.
BINS = 15


@dataclass(frozen=True)
class Confusion:
    """Counts of a yes-or-no question, with "fake" (or "tampered") as yes."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int

    @property
    def total(self) -> int:
        """How many were counted."""
        fakes = self.true_positive + self.false_negative
        return fakes + self.true_negative + self.false_positive

    @property
    def accuracy(self) -> float:
        """The share answered rightly."""
        return _ratio(self.true_positive + self.true_negative, self.total)

    @property
    def precision(self) -> float:
        """The share of those called fake that are."""
        return _ratio(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        """The share of fakes called fake."""
        return _ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def false_positive_rate(self) -> float:
        """The share of reals called fake."""
        return _ratio(self.false_positive, self.false_positive + self.true_negative)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        wrong = self.false_positive + self.false_negative
        return _ratio(2 * self.true_positive, 2 * self.true_positive + wrong)

    @property
    def iou(self) -> float:
        """Intersection over union, the usual figure for masks."""
        wrong = self.false_positive + self.false_negative
        return _ratio(self.true_positive, self.true_positive + wrong)


def confusion(truth: npt.ArrayLike, called: npt.ArrayLike) -> Confusion:
    """Count ``called`` against ``truth``, both 0 or 1 (or boolean), of any one shape.

    For two masks this counts pixels.
    """
    real, said = np.asarray(truth, bool), np.asarray(called, bool)
    if real.shape != said.shape:
        raise ValueError(f"truth has the shape {real.shape}, the answers have {said.shape}")
    both = int(np.count_nonzero(real & said))
    fakes, marked = int(np.count_nonzero(real)), int(np.count_nonzero(said))
    return Confusion(both, marked - both, real.size - fakes - marked + both, fakes - both)


def roc_curve(truth: npt.ArrayLike, score: npt.ArrayLike) -> tuple[Doubles, Doubles, Doubles]:
    """False and true positive rates and the thresholds they belong to, from (0, 0) to (1, 1).

    A picture is called fake at or above the threshold; equal scores move as one. Without both
    classes all three are a single nan.
    """
    labels, scores = _pair(truth, score)
    if len(np.unique(labels)) < 2:
        nothing = np.array([NAN])
        return nothing, nothing, nothing
    false_rate, true_rate, bounds = sklearn.metrics.roc_curve(
        labels, scores, drop_intermediate=False
    )
    return false_rate, true_rate, bounds


def roc_auc(truth: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """The chance that a fake scores above a real picture, a tie counting half."""
    labels, scores = _pair(truth, score)
    if len(np.unique(labels)) < 2:
        return NAN
    return float(sklearn.metrics.roc_auc_score(labels, scores))


def recall_at(truth: npt.ArrayLike, score: npt.ArrayLike, false_rate: float = 0.01) -> float:
    """The most fakes found by any threshold that calls at most ``false_rate`` of reals fake."""
    false, true, _ = roc_curve(truth, score)
    return (
        NAN
        if np.isnan(false).any() or np.isnan(true).any()
        else float(true[false <= false_rate].max())
    )


def brier(truth: npt.ArrayLike, probability: npt.ArrayLike) -> float:
    """The mean squared error of the probabilities. Brier, "Verification of forecasts" (1950)."""
    labels, chances = _pair(truth, probability)
    if not len(labels):
        return NAN
    return float(sklearn.metrics.brier_score_loss(labels, chances, pos_label=1))


@dataclass(frozen=True)
class Bin:
    """Pictures of like probability: mean probability, share of fakes, number, share of weight."""

    probability: float
    fakes: float
    count: int
    weight: float


def reliability(
    truth: npt.ArrayLike,
    probability: npt.ArrayLike,
    bins: int = BINS,
    equal_mass: bool = False,
    weights: npt.ArrayLike | None = None,
) -> list[Bin]:
    """The non-empty bins: of equal width over [0, 1], or each with as many pictures.

    ``weights`` (n,) count some pictures more than others, as for classes made equal.
    """
    labels, chances = _pair(truth, probability)
    weight = np.ones(len(labels)) if weights is None else np.asarray(weights, np.float64)
    order = np.argsort(chances, kind="stable")
    if equal_mass:
        parts = np.array_split(order, bins)
    else:
        place = np.minimum((chances[order] * bins).astype(int), bins - 1)
        parts = [order[place == index] for index in range(bins)]
    return [
        Bin(
            float(np.average(chances[part], weights=weight[part])),
            float(np.average(labels[part], weights=weight[part])),
            len(part),
            float(weight[part].sum() / weight.sum()),
        )
        for part in parts
        if len(part)
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error: the bins' mean gap between probability and share of fakes.

    Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning" (2015).
    """
    gaps = (part.weight * abs(part.probability - part.fakes) for part in bins)
    return sum(gaps) if bins else NAN


def class_weights(truth: npt.ArrayLike) -> Doubles:
    """Weights (n,) of mean 1 under which both classes count alike."""
    labels = np.asarray(truth, int).reshape(-1)
    totals = np.bincount(labels, minlength=2)
    return np.asarray(len(labels) / np.maximum(totals, 1)[labels] / np.count_nonzero(totals))


def bootstrap(
    statistic: Callable[[Indices], npt.ArrayLike],
    groups: Sequence[str] | npt.NDArray[Any],
    repeats: int = 1000,
    seed: int = 0,
) -> Doubles:
    """95 % intervals (k, 2) of the ``k`` figures that ``statistic`` gives for picture indices.

    Whole groups are drawn with replacement, since pictures of one clip or person are no
    independent evidence; the interval is from the 2.5th to the 97.5th percentile, over the draws
    that give the figure at all. Efron, "Bootstrap Methods: Another Look at the Jackknife" (1979).
    """
    _, place = np.unique(np.asarray(groups), return_inverse=True)
    members = np.split(np.argsort(place, kind="stable"), np.cumsum(np.bincount(place))[:-1])
    random = np.random.default_rng(seed)
    draws = []
    for _ in range(repeats):
        drawn = random.integers(len(members), size=len(members))
        draws.append(np.atleast_1d(statistic(np.concatenate([members[i] for i in drawn]))))
    values = np.asarray(draws, np.float64)
    intervals = np.full((values.shape[1], 2), NAN)
    for column, interval in zip(values.T, intervals, strict=True):
        known = column[~np.isnan(column)]
        if len(known):
            interval[:] = np.percentile(known, [2.5, 97.5])
    return intervals


def exact_span(value: float, units: int) -> Doubles:
    """The 95 % interval (2,) of a share that was 0 or 1 in all of ``units`` independent trials.

    Drawing again from answers that are all alike shows no spread, which says nothing about how
    sure they are. Clopper and Pearson, "The use of confidence or fiducial limits illustrated in
    the case of the binomial" (1934).
    """
    if not units:
        return np.array([NAN, NAN])
    reach = 1 - 0.025 ** (1 / units)
    return np.array([0.0, reach] if value == 0 else [1 - reach, 1.0])


def jsonable(value: Any, digits: int = 6) -> Any:
    """``value`` as JSON values: ``digits`` decimals kept, nan and infinity as null."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [jsonable(item, digits) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return round(float(value), digits) if math.isfinite(value) else None
    return value


def write_json(path: Path, table: Any) -> None:
    """Write what :func:`jsonable` gave, in a folder that is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(table, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else NAN


def _pair(truth: npt.ArrayLike, score: npt.ArrayLike) -> tuple[Doubles, Doubles]:
    labels = np.asarray(truth, np.float64).reshape(-1)
    scores = np.asarray(score, np.float64).reshape(-1)
    if labels.shape != scores.shape:
        raise ValueError(f"{len(labels)} labels, but {len(scores)} scores")
    if np.isnan(scores).any():
        raise ValueError("a score is nan")
    return labels, scores
