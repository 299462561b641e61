"""Measures whether the paper's noise removal helps, on the validation split.

It is put before a network that was trained without it, which shows what the step takes away or
mends; what a network trained with it would reach is another question.
"""

from __future__ import annotations

from pathlib import Path

from model_training.dataset.data import Folders, of_split, read_dataset
from model_training.evaluation import tables
from model_training.evaluation.metrics import jsonable, recall_at, roc_auc, write_json
from model_training.evaluation.predict import predict
from model_training.evaluation.tables import Table
from unmask.detector.manifest import load_manifest
from unmask.detector.preprocess import Denoise

NOISE_FILE = "denoise.json"


def compare_denoising(
    data_dir: Folders, manifest_path: Path, out_dir: Path, *, cache: Path | None = None
) -> Table:
    """Write denoise.json: for each noise removal the area under the curve, the fakes found at
    1 % false alarms and the area within each source that holds both classes."""
    manifest = load_manifest(manifest_path)
    rows = of_split(read_dataset(data_dir), "val")
    methods: Table = {}
    for method in Denoise:
        found = predict(rows, manifest_path, cache=cache, denoise=method)
        judged = tables.judge(rows, found, found.largest, manifest)
        within = {
            name: roc_auc(judged.label[own], judged.chance[own])
            for name, own in tables.paired_sources(judged).items()
        }
        methods[method.value] = {
            "auc": roc_auc(judged.label, judged.chance),
            "recall_at_1_percent": recall_at(judged.label, judged.chance),
            "auc_within": within,
        }
    counts = {"real": sum(row.label == 0 for row in rows), "fake": sum(row.label for row in rows)}
    result: Table = jsonable(
        {"split": "val", "model": manifest.sha256, "pictures": counts, "methods": methods}
    )
    write_json(out_dir / NOISE_FILE, result)
    return result
