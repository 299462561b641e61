"""Holds the model against its goals: a row each, with count, 95 % interval, met or missed.

Thresholds come from the manifest or are fixed here on validation. Figures that the evaluation and
the robustness run have already are taken from their files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from model_training.dataset.data import of_split, read_dataset
from model_training.evaluation import tables
from model_training.evaluation.conditions import HALF_JPEG_60
from model_training.evaluation.evaluate import METRICS_FILE
from model_training.evaluation.metrics import (
    Doubles,
    Indices,
    bootstrap,
    calibration_error,
    class_weights,
    jsonable,
    reliability,
    write_json,
)
from model_training.evaluation.predict import predict
from model_training.evaluation.robustness import ROBUSTNESS_FILE
from model_training.evaluation.tables import Judged, Table, wide_enough
from unmask.detector.manifest import load_manifest

GOALS_FILE = "goals.json"
#: The sources whose fakes are told from reals of the same source, from all reals otherwise.
PAPERS, SWAPS, COLLECTOR, UNSEEN, DIFFUSION, BY_HAND = (
    "ffhq_stylegan",
    "ffpp",
    "web_portraits",
    "stylegan3",
    "sd21",
    "retouch",
)


@dataclass(frozen=True)
class Goal:
    """A figure wanted: at least ``target`` if ``more``, else at most; ``peers`` is what the paper
    or the best others reach, on their own pictures."""

    name: str
    target: float
    more: bool
    peers: str = ""
    percent: bool = False


@dataclass(frozen=True)
class Result:
    """What came: the figure with its interval, of how many pictures, and what else to know."""

    goal: Goal
    value: float | None
    interval: tuple[float | None, float | None]
    count: str
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the figure itself reaches the goal; None where it could not be measured."""
        if self.value is None or np.isnan(self.value):
            return None
        wanted, got = self.goal.target, self.value
        return got >= wanted if self.goal.more else got <= wanted


def measure(
    data_dir: Path,
    manifest_path: Path,
    out_dir: Path,
    *,
    cache: Path | None = None,
    repeats: int = 1000,
) -> Table:
    """Write goals.json beside the metrics.json and robustness.json of ``out_dir``; return it.

    Goals whose pictures a data set does not hold are left out. Raises ValueError where one of the
    two files is missing or tells of another model or split.
    """
    manifest = load_manifest(manifest_path)
    metrics, robustness = (_read(out_dir / name) for name in (METRICS_FILE, ROBUSTNESS_FILE))
    for found in (metrics, robustness):
        if found["model"]["sha256"] != manifest.sha256 or found["split"] != "test":
            raise ValueError(f"{out_dir} was measured with another model, or on another split")
    everything = read_dataset(data_dir)
    judged: dict[str, Judged] = {}
    for split in ("val", "test"):
        rows = of_split(everything, split)
        said = predict(rows, manifest_path, cache=cache)
        judged[split] = tables.judge(rows, said, said.largest, manifest)
    results = [
        *_ranks(metrics, judged["val"], judged["test"], repeats),
        *_masks(metrics),
        *_alarms(metrics),
        *_errors(judged["test"], repeats),
        *_wear(robustness),
    ]
    table: Table = jsonable(
        {
            "version": 1,
            "model": {"version": manifest.version, "sha256": manifest.sha256},
            "rows": [{**asdict(result), "met": result.met} for result in results],
        }
    )
    write_json(out_dir / GOALS_FILE, table)
    return table


def best_threshold(judged: Judged) -> float:
    """The probability that parts reals from fakes with the fewest errors: the middle one of those
    between neighbouring probabilities that err as little as any."""
    values = np.unique(judged.chance)
    between = np.concatenate([[0.0], (values[1:] + values[:-1]) / 2, [1.0]])
    right = [np.mean((judged.chance >= bound) == (judged.label == 1)) for bound in between]
    best = np.flatnonzero(np.asarray(right) == max(right))
    return float(between[best[len(best) // 2]])


def _read(path: Path) -> Table:
    if not path.is_file():
        raise ValueError(f"{path} is not there: run evaluate and robustness first")
    found: Table = json.loads(path.read_text(encoding="utf-8"))
    return found


def _ranks(metrics: Table, val: Judged, test: Judged, repeats: int) -> Iterator[Result]:
    """Accuracy on the paper's kind of faces, and the areas under the curve."""
    own, tuning = test.where(test.source == PAPERS), val.where(val.source == PAPERS)
    if _paired(own) and _paired(tuning):
        goal = Goal(f"accuracy on {PAPERS}", 0.9943, True, "99.43 % on its own 20,000", True)
        yield _accuracy(goal, own, best_threshold(tuning), repeats)
    fakes_of = (
        (UNSEEN, False, 0.98, "held-out engines: TPR 84.5 % at 0.5 % FPR"),
        (COLLECTOR, True, 0.98, "CNNDetection AP 88.8 to 93.2 on such faces"),
        (DIFFUSION, False, 0.98, "usually near chance when unseen"),
        (SWAPS, True, 0.95, "0.96 for Xception trained on the full set"),
    )
    for source, within, target, peers in fakes_of:
        found = metrics["fake_sources"].get(source, {})
        against = found.get("against_within" if within else "against_all")
        if against:
            rivals = "its own reals" if within else "all test reals"
            goal = Goal(f"AUC of {source} against {rivals}", target, True, peers)
            count = f"{found['fake']:,} fakes, {against['real']:,} reals"
            yield _given(goal, against["auc"], count, _seen_before(metrics, source))
    own = val.where(val.source == BY_HAND)
    if _paired(own):
        note = "validation rows: never trained on, but weights and bounds were chosen with them"
        goal = Goal(f"AUC of {BY_HAND}, hand-made", 0.80, True, "people are near chance")
        yield _area(goal, own, repeats, note)


def _seen_before(metrics: Table, source: str) -> str:
    """How many of a source's fakes training had, for peers were asked about unseen ones, and of
    how few groups the test has."""
    entries = [e for e in metrics["data"] if (e["source"], e["label"]) == (source, "fake")]
    trained = sum(entry["train"] for entry in entries)
    row = metrics["fakes_by_source"][source]
    clips = f"; {row['groups']:,} groups" if row["groups"] < row["count"] else ""
    return (f"trained on {trained:,} others" if trained else "never trained on") + clips


def _paired(judged: Judged) -> bool:
    return len(set(judged.label.tolist())) > 1


def _accuracy(goal: Goal, judged: Judged, bound: float, repeats: int) -> Result:
    right = (judged.chance >= bound) == (judged.label == 1)

    def again(drawn: Indices) -> float:
        return float(right[drawn].mean())

    span = wide_enough(
        float(right.mean()), bootstrap(again, judged.group, repeats)[0], judged.group
    )
    wrong = int((~right).sum())
    count = f"{len(judged):,} pictures, {wrong:,} wrong"
    note = f"bound {bound:.3f}, the best on validation"
    return Result(goal, float(right.mean()), _pair(span), count, note)


def _area(goal: Goal, judged: Judged, repeats: int, note: str = "") -> Result:
    found = tables.separation(judged, repeats)["auc"]
    reals = int((judged.label == 0).sum())
    count = f"{len(judged) - reals:,} fakes, {reals:,} reals"
    return Result(goal, found["value"], _pair(found["interval"]), count, note)


def _masks(metrics: Table) -> Iterator[Result]:
    """The mask's overlap on true and on self-made masks, and what it marks on real faces."""
    bound = f"mask bound {metrics['model']['thresholds']['mask']:.2f}"
    made = metrics["self_made"]
    sets = {SWAPS: metrics["localisation"], "self-made fakes": made and made["localisation"]}
    for name, found in sets.items():
        if not found:
            continue
        ours, rival = found["methods"]["unmask"], found["methods"].get("same_place")
        for key, word, target, peer in (
            ("iou", "mask IoU", 0.70, "0.37"),
            ("pixel_f1", "pixel F1", 0.80, "0.50"),
        ):
            peers = f"TruFor {peer} on small local edits" if name == SWAPS else ""
            goal = Goal(f"{word} on {name}", target, True, peers)
            note = f"{bound}; the same region on every face: {rival[key]['value']:.3f}"
            yield _given(goal, ours[key], f"{ours[key]['count']:,} fakes", note if rival else bound)
    if metrics["localisation"]:
        ours = metrics["localisation"]["methods"]["unmask"]
        for key, name in (("false_area", "at all"), ("false_area_shown", "as people see it")):
            goal = Goal(f"area falsely marked on reals, {name}", 0.01, False, "TruFor 1.78 %", True)
            yield _given(goal, ours[key], f"{ours[key]['count']:,} reals", bound)


def _alarms(metrics: Table) -> Iterator[Result]:
    """Reals called fake, over all and in each source."""
    bound = metrics["overall"]["at_bound"]
    count, wrong = metrics["overall"]["counts"]["real"], bound["confusion"]["false_positive"]
    peers = "a peer flagged 4 of 10 FFHQ pictures"
    goal = Goal("real faces called fake", 0.01, False, peers, True)
    yield _given(goal, bound["false_alarms"], f"{count:,} reals, {wrong:,} called fake")
    for source, row in metrics["reals_by_source"].items():
        goal = Goal(f"real faces called fake in {source}", 0.02, False, "", True)
        wrong = round(row["called_fake"]["value"] * row["count"])
        yield _given(goal, row["called_fake"], f"{row['count']:,} reals, {wrong:,} called fake")


def _errors(test: Judged, repeats: int) -> Iterator[Result]:
    """The expected calibration error, classes made equal as it was fitted, and as they are."""
    seen = test.where(test.found)
    for balanced, name in ((True, "classes made equal"), (False, "as in the split")):

        def error(drawn: Indices, balanced: bool = balanced) -> float:
            label, chance = seen.label[drawn], seen.chance[drawn]
            weights = class_weights(label) if balanced else None
            return calibration_error(reliability(label, chance, weights=weights))

        span = bootstrap(error, seen.group, repeats)[0]
        goal = Goal(f"expected calibration error, {name}", 0.02, False, "nobody publishes one")
        note = "15 bins of equal width; drawing again can only raise it"
        count = f"{len(seen):,} pictures"
        yield Result(goal, error(np.arange(len(seen))), _pair(span), count, note)


def _wear(robustness: Table) -> Iterator[Result]:
    """The worst loss of area under the curve over all conditions, and the flips."""
    conditions = robustness["conditions"]
    counts = robustness["counts"]
    of = f"{counts['real'] + counts['fake']:,} pictures, {len(conditions)} conditions"

    def loss(name: str) -> float:
        return float(conditions[name]["auc_loss"]["value"] or 0.0)

    worst = max(conditions, key=loss)
    goal = Goal("worst AUC loss", 0.02, False, "a peer: 90.9 to 85.6 balanced accuracy")
    yield _given(goal, conditions[worst]["auc_loss"], of, f"at {worst}")
    sources = conditions[worst]["within"]
    for source in sources:

        def within(name: str, source: str = source) -> float:
            return float(conditions[name]["within"][source]["auc_loss"]["value"] or 0.0)

        worst = max(conditions, key=within)
        row = conditions[worst]["within"][source]
        goal = Goal(f"worst AUC loss within {source}", 0.02, False)
        count = f"{row['fake']:,} fakes, {row['real']:,} reals"
        yield _given(goal, row["auc_loss"], count, f"at {worst}")
    flips = conditions[HALF_JPEG_60]["flips"]
    goal = Goal(f"verdicts that flip: {HALF_JPEG_60}", 0.01, False, "users' second wish", True)
    count = f"{flips['of']:,} pictures sure before and after, {flips['count']:,} flipped"
    yield _given(goal, flips, count)


def _given(goal: Goal, found: Table, count: str, note: str = "") -> Result:
    return Result(goal, found["value"], _pair(found["interval"]), count, note)


def _pair(span: Doubles | list[float | None]) -> tuple[float | None, float | None]:
    low, high = span
    return low, high
