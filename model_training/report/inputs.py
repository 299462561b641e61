"""Everything that was measured of a model, as the files say it: what the pages are written from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_training.evaluation.ablate import ABLATIONS_FILES
from model_training.evaluation.compare import JOINS_FILE
from model_training.evaluation.evaluate import METRICS_FILE
from model_training.evaluation.goals import GOALS_FILE
from model_training.evaluation.heads import HEADS_FILE
from model_training.evaluation.kept_back import KEPT_BACK_FILE
from model_training.evaluation.left_out import LEFT_OUT_FILE
from model_training.evaluation.multi_face import CROWDS_FILE
from model_training.evaluation.noise import NOISE_FILE
from model_training.evaluation.robustness import ROBUSTNESS_FILE
from model_training.evaluation.views import VIEWS_FILE
from model_training.evaluation.whole import WHOLE_FILE
from unmask.detector.manifest import Manifest, load_manifest

Table = dict[str, Any]
#: What people saw in the gallery, and what training cost: written by hand, unlike the others.
SEEN_FILE = "seen.json"
GALLERY_FILE = "gallery.json"
COST = Path(__file__).parents[1] / "cost.json"


@dataclass(frozen=True)
class Records:
    """The manifest and what was measured; None for what was not. ``seen`` is a model's version with
    what its wrong verdicts have in common; ``cost`` lists the training runs."""

    manifest: Manifest
    metrics: Table
    noise: Table | None = None
    robustness: Table | None = None
    crowds: Table | None = None
    goals: Table | None = None
    ablations: tuple[Table, ...] = ()
    gallery: Table | None = None
    seen: Table | None = None
    cost: Table | None = None
    left_out: Table | None = None
    joins: Table | None = None
    views: Table | None = None
    heads: Table | None = None
    kept_back: Table | None = None
    whole: Table | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where a file was measured with another model."""
        measured = (
            self.robustness,
            self.crowds,
            self.goals,
            self.noise,
            self.gallery,
            self.joins,
            self.views,
            self.kept_back,
        )
        for found in (self.metrics, *measured):
            model = found["model"] if found else self.manifest.sha256
            if (model if isinstance(model, str) else model["sha256"]) != self.manifest.sha256:
                raise ValueError("the metrics were measured with another model than the manifest's")


def read_records(folder: Path, manifest_path: Path, cost: Path = COST) -> Records:
    """What ``folder`` holds, as evaluate and the commands beside it wrote it.

    Raises OSError where there is no metrics.json, ValueError where a file is of another model.
    """
    manifest = load_manifest(manifest_path)
    metrics: Table = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
    return Records(
        manifest,
        metrics,
        _optional(folder / NOISE_FILE),
        _optional(folder / ROBUSTNESS_FILE),
        _optional(folder / CROWDS_FILE),
        _optional(folder / GOALS_FILE),
        tuple(json.loads(path.read_text("utf-8")) for path in _series_files(folder)),
        _optional(folder / GALLERY_FILE),
        _optional(folder / SEEN_FILE),
        _optional(cost),
        _optional(folder / LEFT_OUT_FILE),
        _optional(folder / JOINS_FILE),
        _optional(folder / VIEWS_FILE),
        _optional(folder / HEADS_FILE),
        _optional(folder / KEPT_BACK_FILE),
        _optional(folder / WHOLE_FILE),
    )


def _series_files(folder: Path) -> list[Path]:
    """The files of ablations, the main one first."""
    return sorted(folder.glob(ABLATIONS_FILES), key=lambda path: path.stem)


def _optional(path: Path) -> Table | None:
    found: Table | None = json.loads(path.read_text("utf-8")) if path.is_file() else None
    return found
