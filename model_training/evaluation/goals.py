"""Holds the model against its goals: a row each, with count, 95 % interval, met or missed.

Thresholds come from the manifest or are fixed here on validation. Figures that the evaluation and
the robustness run have already are taken from their files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from model_training.dataset.data import Folders, Row, of_split, read_dataset
from model_training.evaluation import tables
from model_training.evaluation.bounds import MIN_SOURCE
from model_training.evaluation.conditions import HALF_JPEG_60
from model_training.evaluation.evaluate import METRICS_FILE
from model_training.evaluation.left_out import LEFT_OUT_FILE
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
from model_training.evaluation.predict import Predictions, predict
from model_training.evaluation.robustness import ROBUSTNESS_FILE
from model_training.evaluation.tables import Judged, Strings, Table, wide_enough
from unmask.detector.joining import face_logit, raw_probability
from unmask.detector.manifest import DENSENET, Manifest, load_manifest
from unmask.report import Verdict

GOALS_FILE = "goals.json"
#: Sources of the paper's own task: FFHQ photographs and StyleGAN faces, in two forms.
PAPERS = ("ffhq_stylegan", "ffhq_stylegan_k")
#: Sources with swaps of one making, whose fakes are told from their own reals.
SWAPS, DFDC, BY_HAND = "ffpp", "dfdc", "retouch"
#: A generator that no network was trained on.
UNSEEN = "stylegan3"
#: Folders, by their names, that goals are set for; a set of one folder is held against the first.
FIRST, MODERN = "faces", "modern"


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
    data_dir: Folders,
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
    folders: dict[str, Strings] = {}
    alone: dict[str, Judged] = {}
    for split in ("val", "test"):
        rows = of_split(everything, split)
        answers = predict(rows, manifest_path, cache=cache)
        judged[split] = tables.judge(rows, answers, answers.largest, manifest)
        alone[split] = replace(judged[split], chance=densenet_chance(answers, manifest))
        folders[split] = np.array([folder_of(row) for row in rows])
    first = judged["test"].where(folders["test"] == FIRST)
    results = [
        *_ranks(first, judged["val"], repeats),
        *_paper(judged, alone, repeats),
        *_modern(judged["test"].where(folders["test"] == MODERN), repeats),
        *_swaps(judged["test"], metrics, repeats),
        *_verdicts(first, repeats),
        *_masks(metrics),
        *_alarms(metrics),
        *_left_out(out_dir),
        *_source_left_out(manifest),
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


def folder_of(row: Row) -> str:
    """The folder of the set that a row is from; the first one's name where there is one alone."""
    folder, slash, _ = row.name.partition("/")
    return folder if slash and folder not in {"images", "train", "test", "valid"} else FIRST


def densenet_chance(answers: Predictions, manifest: Manifest) -> Doubles:
    """What the DenseNet121 alone thinks of each picture's largest face (n,), by its own logit as a
    probability; 0 where no face was found."""
    faces = answers.largest
    chances = np.zeros(len(faces))
    index = manifest.judges.index(DENSENET)
    logits = face_logit(answers.families[:, index], manifest.joining.any_weight)
    chances[faces >= 0] = raw_probability(logits)[faces[faces >= 0]]
    return chances


def _ranks(first: Judged, val: Judged, repeats: int) -> Iterator[Result]:
    """How well fakes are told from real pictures, over all and within sources."""
    if not _paired(first):
        return
    yield _area(Goal("AUC over all", 0.985, True), first, repeats)
    for source, target in ((PAPERS[0], 0.990), (SWAPS, 0.95), ("web_portraits", 0.99)):
        own = first.where(first.source == source)
        if _paired(own):
            yield _area(Goal(f"AUC within {source}", target, True), own, repeats)
    unseen = first.where((first.source == UNSEEN) | (first.label == 0))
    if _paired(unseen):
        goal = Goal(f"AUC of {UNSEEN} against all reals", 0.985, True)
        yield _area(goal, unseen, repeats, "never trained on")
    own = val.where(val.source == BY_HAND)
    if _paired(own):
        note = "validation rows: never trained on, but weights and bounds were chosen with them"
        yield _area(Goal(f"AUC of {BY_HAND}, hand-made", 0.85, True), own, repeats, note)


def _paper(judged: dict[str, Judged], alone: dict[str, Judged], repeats: int) -> Iterator[Result]:
    """Accuracy on the paper's task, by the bound that is best on validation."""
    for scored, name, target in (
        (judged, "accuracy on the paper's task", 0.9943),
        (alone, "the same, DenseNet121 alone", 0.99),
    ):
        own, tuning = (
            scored[split].where(np.isin(scored[split].source, PAPERS)) for split in ("test", "val")
        )
        if _paired(own) and _paired(tuning):
            goal = Goal(name, target, True, "99.43 % on its own 20,000", True)
            yield _accuracy(goal, own, best_threshold(tuning), repeats)


def _modern(modern: Judged, repeats: int) -> Iterator[Result]:
    """Today's generators and photographs from many cameras."""
    if not _paired(modern):
        return
    yield _area(Goal(f"AUC over {MODERN}", 0.985, True), modern, repeats)
    goal = Goal(f"fakes of {MODERN} called fake", 0.85, True, percent=True)
    yield _share(goal, modern.where(modern.label == 1), Verdict.FAKE, repeats)
    goal = Goal(f"reals of {MODERN} called fake", 0.01, False, percent=True)
    yield _share(goal, modern.where(modern.label == 0), Verdict.FAKE, repeats)


def _swaps(test: Judged, metrics: Table, repeats: int) -> Iterator[Result]:
    own = test.where(test.source == DFDC)
    if _paired(own):
        yield _area(Goal(f"AUC within {DFDC}", 0.93, True), own, repeats)
    methods = (metrics["localisation"] or {}).get("methods", {})
    ours, rival = methods.get("unmask"), methods.get("same_place")
    if ours and rival:
        gap = ours["iou"]["value"] - rival["iou"]["value"]
        goal = Goal("mask IoU over the same region on every face", 0.10, True)
        note = f"{ours['iou']['value']:.3f} against {rival['iou']['value']:.3f}"
        yield Result(goal, gap, (None, None), f"{ours['iou']['count']:,} fakes", note)


def _verdicts(first: Judged, repeats: int) -> Iterator[Result]:
    """What is said of all pictures of the first folder."""
    fakes, reals = (first.where(first.label == label) for label in (1, 0))
    for part, verdict, name, target, more in (
        (fakes, Verdict.FAKE, "fakes called fake", 0.85, True),
        (fakes, Verdict.REAL, "fakes cleared", 0.04, False),
        (reals, Verdict.FAKE, "reals called fake", 0.01, False),
        (reals, Verdict.REAL, "reals cleared", 0.92, True),
    ):
        if len(part):
            yield _share(Goal(name, target, more, percent=True), part, verdict, repeats)


def _share(goal: Goal, judged: Judged, verdict: Verdict, repeats: int) -> Result:
    """The share of the pictures of which ``verdict`` is said."""
    such = judged.verdict == verdict
    value = float(such.mean())
    span = bootstrap(lambda drawn: float(such[drawn].mean()), judged.group, repeats)[0]
    count = f"{len(judged):,} pictures, {int(such.sum()):,} {verdict}"
    return Result(goal, value, _pair(wide_enough(value, span, judged.group)), count)


def _left_out(out_dir: Path) -> Iterator[Result]:
    """Families that the fitting never saw, where that was measured."""
    path = out_dir / LEFT_OUT_FILE
    if not path.is_file():
        return
    found = json.loads(path.read_text(encoding="utf-8"))
    areas = [row["auc"] for row in found["families"].values()]
    note = found["about"]
    count = f"{len(areas)} families"
    none = (None, None)
    yield Result(
        Goal("mean AUC of a family left out", 0.92, True), float(np.mean(areas)), none, count, note
    )
    worst = min(found["families"], key=lambda name: float(found["families"][name]["auc"]))
    yield Result(
        Goal("worst AUC of a family left out", 0.80, True), min(areas), none, f"{worst}", note
    )


def _source_left_out(manifest: Manifest) -> Iterator[Result]:
    """The real source that fares worst where the bound is fixed without it, on validation."""
    rows = manifest.metrics.get("validation", {}).get("left_out")
    if not rows:
        return
    source = max(rows, key=lambda name: float(rows[name]["called_fake"]))
    goal = Goal("most reals called fake of a source left out", 0.02, False, percent=True)
    note = "validation; the bound was fixed without it, the networks had seen others of it"
    count = f"{source}, {rows[source]['count']:,} reals"
    yield Result(goal, rows[source]["called_fake"], (None, None), count, note)


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
    sets = {
        "true masks": metrics["localisation"],
        "self-made fakes": made and made["localisation"],
    }
    for name, found in sets.items():
        if not found:
            continue
        ours, rival = found["methods"]["unmask"], found["methods"].get("same_place")
        for key, word, target in (("iou", "mask IoU", 0.70), ("pixel_f1", "pixel F1", 0.80)):
            goal = Goal(f"{word} on {name}", target, True)
            note = f"{bound}; the same region on every face: {rival[key]['value']:.3f}"
            yield _given(goal, ours[key], f"{ours[key]['count']:,} fakes", note if rival else bound)
    if metrics["localisation"]:
        shown = metrics["localisation"]["methods"]["unmask"]["false_area_shown"]
        goal = Goal("area marked on reals, as people see it", 0.01, False, "TruFor 1.78 %", True)
        yield _given(goal, shown, f"{shown['count']:,} reals", bound)


def _alarms(metrics: Table) -> Iterator[Result]:
    """Reals called fake, over all and in each source."""
    bound = metrics["overall"]["at_bound"]
    count, wrong = metrics["overall"]["counts"]["real"], bound["confusion"]["false_positive"]
    peers = "a peer flagged 4 of 10 FFHQ pictures"
    goal = Goal("real faces called fake, whole set", 0.01, False, peers, True)
    yield _given(goal, bound["false_alarms"], f"{count:,} reals, {wrong:,} called fake")
    for source, row in metrics["reals_by_source"].items():
        if row["count"] < MIN_SOURCE:
            continue
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
    flips = conditions[HALF_JPEG_60]["flips"]
    goal = Goal(f"verdicts that flip: {HALF_JPEG_60}", 0.01, False, "users' second wish", True)
    count = f"{flips['of']:,} pictures sure before and after, {flips['count']:,} flipped"
    yield _given(goal, flips, count)


def _given(goal: Goal, found: Table, count: str, note: str = "") -> Result:
    return Result(goal, found["value"], _pair(found["interval"]), count, note)


def _pair(span: Doubles | list[float | None]) -> tuple[float | None, float | None]:
    low, high = span
    return low, high
