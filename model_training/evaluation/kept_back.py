"""Measures the model on collections kept back: gathered by people who are in no list that it was
trained, tuned or chosen with.

Nothing is ever fitted on them, and no choice is made by what they show: they say what the figures
of the test split are worth elsewhere. Each collection is judged as it came and as a copy that a
messenger would pass on.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from model_training.dataset.data import Folders, Row, read_dataset, split_of
from model_training.evaluation import tables
from model_training.evaluation.conditions import LONG_SIDE, conditions
from model_training.evaluation.metrics import jsonable, write_json
from model_training.evaluation.predict import Degradation, predict
from model_training.evaluation.robustness import compare
from model_training.evaluation.tables import Judged, Table
from unmask.detector.manifest import load_manifest
from unmask.report import Verdict

KEPT_BACK_FILE = "kept-back.json"
#: Beside a folder's faces.csv: where each picture is from.
ORIGINS = "origins.csv"
AS_IS, RESIZED = "as it is", f"long side {LONG_SIDE}, JPEG 60"


def measure(
    data_dir: Folders,
    manifest_path: Path,
    out_dir: Path,
    *,
    split: str = "test",
    cache: Path | None = None,
    repeats: int = 1000,
) -> Table:
    """Write kept-back.json for a split; return it.

    Each picture's largest face is judged by the manifest's bounds. The sources in the data are the
    collections; where the pictures are from is read from origins.csv (file, repository, licence,
    generator) of each folder that has one. Raises ValueError for an empty split.
    """
    rows = split_of(read_dataset(data_dir), split)
    manifest = load_manifest(manifest_path)
    resized = next(copy for copy in conditions() if copy.name == RESIZED)

    def seen(copy: Degradation | None) -> Judged:
        answers = predict(rows, manifest_path, cache=cache, degradation=copy)
        return tables.judge(rows, answers, answers.largest, manifest)

    copies = {AS_IS: seen(None), RESIZED: seen(resized)}
    result: Table = jsonable(
        {
            "version": 1,
            "split": split,
            "model": {"version": manifest.version, "sha256": manifest.sha256},
            "counts": tables.counts(copies[AS_IS]),
            "copies": {name: _figures(judged, repeats) for name, judged in copies.items()},
            "flips": compare(copies[AS_IS], copies[RESIZED], repeats)["flips"],
            "origins": _origins(rows, [data_dir] if isinstance(data_dir, Path) else data_dir),
        }
    )
    write_json(out_dir / KEPT_BACK_FILE, result)
    return result


def _figures(judged: Judged, repeats: int) -> Table:
    """The verdicts over all pictures and on each collection. A collection's fakes are told from the
    real pictures of all of them."""
    real = judged.label == 0
    by_collection: Table = {}
    for name in np.unique(judged.source):
        own = judged.source == name
        row = _verdicts(judged.where(own), repeats)
        if (own & ~real).any() and real.any():
            row["auc"] = tables.separation(judged.where(own & ~real | real), repeats)["auc"]
        by_collection[str(name)] = row
    overall = _verdicts(judged, repeats)
    if real.any() and not real.all():
        overall["auc"] = tables.separation(judged, repeats)["auc"]
    return {"all": overall, "collections": by_collection}


def _verdicts(judged: Judged, repeats: int) -> Table:
    table: Table = {}
    for label, word in enumerate(("real", "fake")):
        part = judged.where(judged.label == label)
        if len(part):
            table[word] = {
                **tables.verdict_shares(part),
                "called_fake": tables.share_called(part, repeats),
                "cleared": tables.share(part.verdict == Verdict.REAL, part.group, repeats),
            }
    return table


def _origins(rows: Sequence[Row], folders: Iterable[Path]) -> Table:
    """For each collection the repositories with their licences, pictures and generators."""
    known: dict[Path, dict[str, str]] = {}
    for folder in folders:
        path = folder / ORIGINS
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as lines:
                known |= {folder / record["file"]: record for record in csv.DictReader(lines)}
    table: Table = {}
    for source in sorted({row.source for row in rows}):
        found = [known[row.path] for row in rows if row.source == source and row.path in known]
        counted = Counter((one["repository"], one["licence"]) for one in found)
        table[source] = {
            "repositories": [
                {"repository": repository, "licence": licence, "pictures": number}
                for (repository, licence), number in sorted(counted.items())
            ],
            "generators": sorted({one["generator"] for one in found if one["generator"]}),
        }
    return table
