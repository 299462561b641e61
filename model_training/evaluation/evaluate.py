"""Measures a model on a split: a folder with metrics.json and the plots.

Every bound comes from the manifest or, for the rival ways of marking, from the validation split;
nothing is fixed on the split that is measured.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model_training.dataset.data import Folders, Row, of_split, read_dataset, split_of
from model_training.evaluation import plots, selfmade, tables
from model_training.evaluation.mask_scores import Examined, localisation, rivals_of, sheet
from model_training.evaluation.metrics import confusion, jsonable, write_json
from model_training.evaluation.predict import Predictions, predict
from model_training.evaluation.tables import Table
from unmask.detector.manifest import Manifest, load_manifest
from unmask.detector.preprocess import Denoise

METRICS_FILE = "metrics.json"


def evaluate(
    data_dir: Folders,
    manifest_path: Path,
    out_dir: Path,
    *,
    split: str = "test",
    history_csv: Path | None = None,
    cache: Path | None = None,
    threads: int = 0,
    repeats: int = 1000,
    denoise: Denoise | None = None,
) -> Table:
    """Measure the manifest's model on a split; write metrics.json and PNG plots; return the former.

    The judged face of a picture is its largest; what the most suspicious one would change is
    reported beside it. ``history_csv`` has the columns epoch, loss, accuracy, val_loss and
    val_accuracy. ``repeats`` draws make each interval. ``denoise`` as for
    :func:`model_training.evaluation.predict.predict`. The sheet of masks shows pictures of the data
    set: its terms apply to it. Raises ValueError for an empty split.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    everything = read_dataset(data_dir)
    rows = split_of(everything, split)
    manifest = load_manifest(manifest_path)

    def run(chosen: list[Row]) -> Predictions:
        return predict(chosen, manifest_path, cache=cache, denoise=denoise, threads=threads)

    found = run(rows)
    judged = tables.judge(rows, found, found.largest, manifest)
    this = Examined(rows, found, judged, manifest, repeats)
    tuning = [row for row in of_split(everything, "val") if row.mask]
    rivals = rivals_of(tuning, run(tuning)) if tuning else {}
    masks, pairs = localisation(this, rivals)
    result: Table = jsonable(
        {
            "version": 1,
            "split": split,
            "condition": {"denoise": denoise or manifest.denoise},
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
            "self_made": selfmade.measure(of_split(everything, "val"), this, run, cache),
            "history": _history(history_csv),
        }
    )
    write_json(out_dir / METRICS_FILE, result)
    _draw(out_dir, result, this, history_csv, sheet(this, rivals, pairs))
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


def _most_suspicious(this: Examined) -> Table:
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
    if not epochs:
        return None
    # as training chooses the weights that are shipped
    best = max(epochs, key=lambda epoch: epoch.get("val_auc", epoch["epoch"]))
    return {"epochs": len(epochs), "first": epochs[0], "best": best, "last": epochs[-1]}


def _draw(
    out_dir: Path,
    result: Table,
    this: Examined,
    history_csv: Path | None,
    rows: list[plots.SheetRow],
) -> None:
    if history_csv:
        plots.history(read_history(history_csv), out_dir / "history.png")
    plots.roc_curves(this.judged, out_dir / "roc.png")
    plots.confusion_matrix(result["overall"], out_dir / "confusion.png")
    plots.reliability(result["calibration"], out_dir / "reliability.png")
    plots.scores(this.judged, this.manifest.thresholds, out_dir / "scores.png")
    plots.verdicts(result, out_dir / "verdicts.png")
    if rows:
        plots.mask_sheet(rows, out_dir / "masks.png")
