"""Whether one judge may be spared where the other is sure: what that would save, and what it costs.

    python -m benchmarks.cascade DATA ... [--cache runs/cache]

DATA are folders of labelled faces. On their validation split, the judge that is asked first may
decide alone below one bound ("real") and above another ("fake"); both bounds are the widest with
which the verdicts stay the same on SAME of the pictures, weighed as in a newsroom, where most are
real. The bounds are fitted where they are measured, so that the savings are the most that there
could be.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.service import RESULTS
from unmask.detector.align import Floats
from unmask.detector.joining import (
    are_disputed,
    calibrated,
    joined_logit,
    own_probabilities,
    raw_probability,
)
from unmask.detector.manifest import Manifest, load_manifest
from unmask.settings import SHIPPED_MODEL

RESULT = RESULTS / "cascade.json"
#: Verdicts that may differ, and the share of fakes in what a newsroom sends.
DIFFER, FAKES = 0.002, (0.05, 0.2)
REAL, UNSURE, FAKE = range(3)


def main() -> None:
    from model_training.dataset.data import of_split, read_dataset
    from model_training.evaluation.predict import predict

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    options = parser.parse_args()
    rows = of_split(read_dataset(options.data), "val")
    said = predict(rows, SHIPPED_MODEL, cache=options.cache)
    faces = said.largest[said.largest >= 0]
    labels = np.array([row.label for row in rows])[said.largest >= 0]
    result = savings(said.families[faces], labels, load_manifest(SHIPPED_MODEL))
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(RESULT.read_text(encoding="utf-8"))


def savings(families: Floats, labels: npt.NDArray[Any], manifest: Manifest) -> dict[str, Any]:
    """For each judge that is asked first, the share of faces for which the other is spared, by the
    share of fakes; ``families`` are logits (n, judges, heads)."""
    verdicts, own = _verdicts(families, manifest)
    result: dict[str, Any] = {"faces": len(labels), "fakes": int(labels.sum())}
    for share in FAKES:
        weights = np.where(labels == 1, share / labels.sum(), (1 - share) / (labels == 0).sum())
        result[f"{share:.0%} fakes"] = {
            f"{judge} first": _spared(own[judge], verdicts, weights) for judge in manifest.judges
        }
    return result


def _verdicts(
    families: Floats, manifest: Manifest
) -> tuple[npt.NDArray[np.intp], dict[str, Floats]]:
    """The verdict on each face with both judges (n,), and each judge's own probability."""
    raw = raw_probability(joined_logit(families, manifest.judges, manifest.joining))
    joined = calibrated(raw, manifest.calibration)
    own = own_probabilities(families, manifest)
    is_fake = (joined >= manifest.thresholds.fake) & ~are_disputed(own, len(joined), manifest)
    is_real = joined < manifest.thresholds.real
    return np.where(is_real, REAL, np.where(is_fake, FAKE, UNSURE)), own


def _spared(
    own: Floats, verdicts: npt.NDArray[np.intp], weights: npt.NDArray[Any]
) -> dict[str, float]:
    """The widest bounds on one judge's probability with which few verdicts differ."""
    best = {"spared": 0.0}
    for low in np.quantile(own, np.linspace(0, 1, 400)):
        below = own < low
        wrong = float(weights[below & (verdicts != REAL)].sum())
        if wrong > DIFFER:
            break
        for high in np.quantile(own, np.linspace(1, 0.3, 200)):
            above = (own >= high) & ~below
            differ = wrong + float(weights[above & (verdicts != FAKE)].sum())
            if differ > DIFFER:
                break
            spared = float(weights[below | above].sum())
            if spared > best["spared"]:
                best = {"spared": spared, "real_below": float(low), "fake_from": float(high)}
                best["differ"] = differ
    return {name: round(value, 4) for name, value in best.items()}


if __name__ == "__main__":
    main()
