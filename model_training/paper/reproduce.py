"""Runs the paper's recipe, and sets its table beside the paper's and beside the shipped model's."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from model_training.dataset.data import Row
from model_training.evaluation import plots, tables
from model_training.evaluation.markdown import count, figure, plain, table
from model_training.evaluation.metrics import jsonable, write_json
from model_training.evaluation.predict import predict
from model_training.evaluation.tables import Judged, Table
from model_training.paper.paper import Recipe, Reproduction
from unmask.detector.manifest import load_manifest
from unmask.report import Verdict

RESULTS_FILE = "results.json"
#: What the paper prints; precision, recall and F1 are named there, but their values are not.
PAPER = {"accuracy": 0.9943, "pictures": 20_000}
RATES = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "F1"}
CELLS = {
    "true_positive": "fakes called fake",
    "false_negative": "fakes called real",
    "true_negative": "reals called real",
    "false_positive": "reals called fake",
}


def reproduce(
    recipe: Recipe, manifest_path: Path, *, cache: Path | None = None, repeats: int = 1000
) -> str:
    """Train, test, write; returns the table as Markdown.

    ``recipe.out`` gets results.json, history.csv, history.png and confusion.png. The shipped model
    judges the same test pictures, at one half too; a picture in which it finds no face counts as
    called real. ``cache`` keeps what it says.
    """
    run = Reproduction(recipe)
    history = run.train()
    run.take_best()
    rows = run.rows["test"]
    own = judged_at_half(rows, run.logits(rows))
    manifest = load_manifest(manifest_path)
    said = predict(rows, manifest_path, cache=cache)
    shipped = tables.judge(rows, said, said.largest, manifest)
    results: Table = jsonable(
        {
            "version": 1,
            "pictures": {split: len(part) for split, part in run.rows.items()},
            "paper": PAPER,
            "recipe": tables.overall(own, repeats),
            "unmask": {"version": manifest.version, **tables.overall(shipped, repeats)},
            "history": history,
        }
    )
    write_json(recipe.out / RESULTS_FILE, results)
    with (recipe.out / "history.csv").open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, list(history[0]))
        writer.writeheader()
        writer.writerows(history)
    plots.history(history, recipe.out / "history.png")
    plots.confusion_matrix(results["recipe"], recipe.out / "confusion.png")
    return render(results)


def judged_at_half(rows: list[Row], logits: np.typing.NDArray[np.float32]) -> Judged:
    """Whole pictures as the paper judges them: fake from one half on, never unsure."""
    chance = 1 / (1 + np.exp(-logits.astype(np.float64)))
    return Judged(
        np.array([row.label for row in rows], np.int64),
        np.array([row.source for row in rows], str),
        np.array([row.kind for row in rows], str),
        np.array([row.group for row in rows], str),
        np.ones(len(rows), bool),
        chance,
        np.where(chance >= 0.5, str(Verdict.FAKE), str(Verdict.REAL)),
    )


def render(results: Table) -> str:
    """The table: the paper's figures, this run's and the shipped model's, with counts."""
    columns = [results["recipe"], results["unmask"]]
    tested = results["pictures"]["test"]
    lines = [["test pictures", count(results["paper"]["pictures"]), count(tested), count(tested)]]
    for key, name in RATES.items():
        paper = f"{100 * results['paper'][key]:.2f} %" if key in results["paper"] else "not printed"
        lines.append([name, paper, *(figure(column["at_half"][key]) for column in columns)])
    lines.append(["AUC", "not printed", *(figure(column["auc"], plain) for column in columns)])
    for key, name in CELLS.items():
        cells = (count(column["at_half"]["confusion"][key]) for column in columns)
        lines.append([name, "not printed", *cells])
    head = ["", "the paper", "this run of its recipe", f"Unmask {results['unmask']['version']}"]
    pictures = results["pictures"]
    return (
        f"{table(head, lines)}\n\n"
        f"Trained on {count(pictures['train'])} pictures, {count(pictures['val'])} to validate; "
        f"epochs: {len(results['history'])}. Fake from one half on; brackets are 95 % intervals."
    )
