"""The bounds on the probability, as they follow from what validation pictures were given.

:mod:`model_training.evaluation.calibrate` fixes them and writes them into the manifest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model_training.evaluation.metrics import Doubles
from unmask.detector.manifest import FamilyWise, Thresholds

#: Real sources with fewer validation faces say too little about themselves to have a bound.
MIN_SOURCE = 50
#: The share of the real pictures, the most suspicious, whose logits tell how they fall off.
TAIL = 0.1
#: The same within one source, which has fewer.
SOURCE_TAIL = 0.15
#: Numbers of people for which the bound for "real" is tested, and the rises that are tried.
PEOPLE, REAL_SCALES = range(2, 33), np.round(np.arange(0, 1.01, 0.05), 2)


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


def _just_above(value: float) -> float:
    """The next number that a single-precision probability can take: at or above means above."""
    return float(min(np.nextafter(np.float32(value), np.float32(2)), 1.0))
