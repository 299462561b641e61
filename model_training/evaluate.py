"""Measures a model on a split: a folder with metrics.json and the plots.

Every bound comes from the manifest or, for the rival ways of marking, from the validation split;
nothing is fixed on the split that is measured.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model_training import plots, tables
from model_training.data import Row, of_split, read_dataset
from model_training.localise import (
    Choice,
    FaceView,
    choose_baselines,
    face_view,
    heatmap_marks,
    marked_share,
    true_mask,
)
from model_training.metrics import Flags, confusion, jsonable
from model_training.predict import Degradation, Predictions, predict
from model_training.tables import Judged, Table, mean_figure
from unmask.detector.manifest import Manifest, load_manifest
from unmask.detector.preprocess import Denoise
from unmask.report import Verdict

METRICS_FILE = "metrics.json"
#: Pictures on the sheet of masks.
SHEET_ROWS = 8


@dataclass(frozen=True)
class _Run:
    """What all sections of an evaluation share."""

    rows: list[Row]
    found: Predictions
    judged: Judged
    manifest: Manifest
    repeats: int
    degradation: Degradation | None


def evaluate(
    data_dir: Path,
    manifest_path: Path,
    out_dir: Path,
    *,
    split: str = "test",
    history_csv: Path | None = None,
    cache: Path | None = None,
    threads: int = 0,
    repeats: int = 1000,
    degradation: Degradation | None = None,
    denoise: Denoise | None = None,
) -> Table:
    """Measure the manifest's model on a split; write metrics.json and PNG plots; return the former.

    The judged face of a picture is its largest; what the most suspicious one would change is
    reported beside it. ``history_csv`` has the columns epoch, loss, accuracy, val_loss and
    val_accuracy. ``repeats`` draws make each interval. ``degradation`` and ``denoise`` as for
    :func:`model_training.predict.predict`. The sheet of masks shows pictures of the data set:
    its terms apply to it. Raises ValueError for an empty split.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    everything = read_dataset(data_dir)
    rows = of_split(everything, split)
    if not rows:
        raise ValueError(f"the split {split!r} of {data_dir} is empty")
    manifest = load_manifest(manifest_path)

    def run(chosen: list[Row], changed: Degradation | None) -> Predictions:
        return predict(
            chosen,
            manifest_path,
            cache=cache,
            degradation=changed,
            denoise=denoise,
            threads=threads,
        )

    found = run(rows, degradation)
    judged = tables.judge(rows, found, found.largest, manifest)
    this = _Run(rows, found, judged, manifest, repeats, degradation)
    tuning = [row for row in of_split(everything, "val") if row.mask]
    rivals = _rivals(tuning, run(tuning, None)) if tuning else {}
    masks, sheet = _localisation(this, rivals)
    result: Table = jsonable(
        {
            "version": 1,
            "split": split,
            "condition": {
                "degradation": degradation.name if degradation else None,
                "denoise": denoise or manifest.denoise,
            },
            "model": _model(manifest),
            "data": data_counts(everything),
            "overall": tables.overall(judged, repeats),
            "most_suspicious": _most_suspicious(this),
            "fakes_by_source": tables.by_part(judged, judged.source, 1, repeats),
            "fakes_by_kind": tables.by_part(judged, judged.kind, 1, repeats),
            "reals_by_source": tables.by_part(judged, judged.source, 0, repeats),
            "fake_sources": tables.fake_sources(judged, repeats),
            "calibration": tables.calibration(judged),
            "localisation": masks,
            "history": _history(history_csv),
        }
    )
    text = json.dumps(result, indent=2, ensure_ascii=False)
    (out_dir / METRICS_FILE).write_text(text + "\n", encoding="utf-8")
    _draw(out_dir, result, this, history_csv, sheet)
    return result


def data_counts(rows: Sequence[Row]) -> list[Table]:
    """Pictures and groups by source, class and split, and how many have a true mask."""
    found: list[Table] = []
    for source, label in sorted({(row.source, row.label) for row in rows}):
        own = [row for row in rows if (row.source, row.label) == (source, label)]
        splits = Counter(row.split for row in own)
        found.append(
            {
                "source": source,
                "label": "fake" if label else "real",
                **{split: splits[split] for split in ("train", "val", "test")},
                "groups": len({row.group for row in own}),
                "masks": sum(1 for row in own if row.mask),
            }
        )
    return found


def _model(manifest: Manifest) -> Table:
    return {
        "name": manifest.name,
        "version": manifest.version,
        "sha256": manifest.sha256,
        "thresholds": manifest.thresholds.model_dump(),
        "calibration": manifest.calibration.model_dump(),
    }


def _most_suspicious(this: _Run) -> Table:
    """What changes when a picture's verdict is that of its most suspicious face, as served."""
    other = tables.judge(this.rows, this.found, this.found.suspicious, this.manifest)
    answers = confusion(other.label, other.called)
    return {
        "pictures_with_several_faces": int((this.found.faces > 1).sum()),
        "pictures_where_it_is_not_the_largest": int(
            (this.found.largest != this.found.suspicious).sum()
        ),
        "verdicts_changed": int((other.verdict != this.judged.verdict).sum()),
        "accuracy": answers.accuracy,
        "recall": answers.recall,
        "false_alarms": answers.false_positive_rate,
    }


def _rivals(rows: list[Row], found: Predictions) -> dict[str, Choice]:
    """The rival methods as validation chooses them; none where no face was found there."""
    views, truths = [], []
    for index, row in enumerate(rows):
        view = face_view(row, found, index)
        if view:
            views.append(view)
            truths.append(true_mask(row, view.pixels.shape))
    return choose_baselines(views, truths) if views else {}


def _localisation(
    this: _Run, rivals: dict[str, Choice]
) -> tuple[Table | None, list[plots.SheetRow]]:
    """Every method on the same pictures: fakes with true masks, and reals; and rows to show."""
    masked = [index for index, row in enumerate(this.rows) if row.mask]
    if not masked:
        return None, []
    bound = this.manifest.thresholds.mask
    methods = {"unmask": Choice(heatmap_marks, "heatmap", bound, float("nan")), **rivals}
    table: Table = {
        "pictures": len(masked),
        "groups": len({this.rows[index].group for index in masked}),
        "no_face": int((~this.judged.found[masked]).sum()),
        "methods": {
            name: {"variant": choice.variant, "threshold": choice.threshold}
            for name, choice in methods.items()
        },
    }
    pairs = _score_fakes(this, masked, methods, table["methods"])
    _score_reals(this, methods, table["methods"])
    return table, _sheet(pairs, methods)


#: A fake with a true mask: its name, face, true mask, and our mask's overlap with it.
_Pair = tuple[str, FaceView, Flags, float]


def _score_fakes(
    this: _Run, masked: list[int], methods: dict[str, Choice], table: dict[str, Table]
) -> list[_Pair]:
    """Overlap with the true masks, in picture pixels, for every face and as people see it.

    A picture without a found face has an empty mask. "Shown" leaves the mask empty as well where
    the verdict is "real", for which the product shows none; the same gate holds for all methods.
    """
    scores: dict[str, list[tuple[float, ...]]] = {name: [] for name in methods}
    pairs: list[_Pair] = []
    for index in masked:
        row = this.rows[index]
        view = face_view(row, this.found, index, this.degradation)
        shown = this.judged.verdict[index] != Verdict.REAL
        truth = true_mask(row, view.pixels.shape if view else tuple(this.found.sizes[index][::-1]))
        for name, choice in methods.items():
            marked = choice.mask(view) if view else np.zeros_like(truth)
            match = confusion(truth, marked)
            gate = float(shown)
            scores[name].append(
                (match.iou, match.f1, match.precision, match.recall, match.iou * gate)
            )
        if view:
            pairs.append((row.source, view, truth, scores["unmask"][-1][0]))
    groups = [this.rows[index].group for index in masked]
    names = ("iou", "pixel_f1", "pixel_precision", "pixel_recall", "iou_shown")
    for method, values in scores.items():
        for name, column in zip(names, zip(*values, strict=True), strict=True):
            table[method][name] = mean_figure(column, groups, this.repeats)
    return pairs


def _score_reals(this: _Run, methods: dict[str, Choice], table: dict[str, Table]) -> None:
    """The share of a real face's frame that each method marks: for all, and for those shown."""
    shares: dict[str, list[float]] = {name: [] for name in methods}
    groups, shown = [], []
    for index in np.flatnonzero((this.judged.label == 0) & this.judged.found):
        view = face_view(this.rows[index], this.found, int(index), this.degradation)
        if view is None:
            continue
        groups.append(this.rows[index].group)
        shown.append(this.judged.verdict[index] != Verdict.REAL)
        for name, choice in methods.items():
            shares[name].append(marked_share(choice.mask(view), view))
    for name, values in shares.items():
        gated = np.asarray(values) * np.asarray(shown, float)
        table[name]["false_area"] = mean_figure(values, groups, this.repeats)
        table[name]["false_area_shown"] = mean_figure(gated.tolist(), groups, this.repeats)


def _sheet(pairs: list[_Pair], methods: dict[str, Choice]) -> list[plots.SheetRow]:
    """Pictures from the best mask to the worst in even steps, so that none is picked by taste."""
    ranked = sorted(pairs, key=lambda pair: -pair[3])
    chosen = np.linspace(0, len(ranked) - 1, min(SHEET_ROWS, len(ranked))).astype(int)
    wanted = ("unmask", "paper", "activation")
    return [
        plots.SheetRow(
            source,
            view.pixels,
            truth,
            {name: methods[name].mask(view) for name in wanted if name in methods},
            overlap,
        )
        for source, view, truth, overlap in (ranked[index] for index in chosen)
    ]


def read_history(history_csv: Path) -> list[dict[str, float]]:
    """A training history as one dict of numbers an epoch; empty and non-numeric cells left out."""
    with history_csv.open(newline="", encoding="utf-8") as lines:
        return [_numbers(record) for record in csv.DictReader(lines)]


def _numbers(record: dict[str, Any]) -> dict[str, float]:
    numbers = {}
    for name, value in record.items():
        try:
            numbers[name] = float(value)
        except (TypeError, ValueError):
            continue
    return numbers


def _history(history_csv: Path | None) -> Table | None:
    epochs = read_history(history_csv) if history_csv else []
    return {"epochs": len(epochs), "first": epochs[0], "last": epochs[-1]} if epochs else None


def _draw(
    out_dir: Path,
    result: Table,
    this: _Run,
    history_csv: Path | None,
    sheet: list[plots.SheetRow],
) -> None:
    if history_csv:
        plots.history(read_history(history_csv), out_dir / "history.png")
    plots.roc_curves(this.judged, out_dir / "roc.png")
    plots.confusion_matrix(result["overall"], out_dir / "confusion.png")
    plots.reliability(result["calibration"], out_dir / "reliability.png")
    plots.scores(this.judged, this.manifest.thresholds, out_dir / "scores.png")
    plots.verdicts(result, out_dir / "verdicts.png")
    if sheet:
        plots.mask_sheet(sheet, out_dir / "masks.png")
