"""Measures what the model still sees after a picture was re-compressed, scaled, blurred or cropped.

Every copy goes the whole way of a checked picture: faces are found again in it. Bounds are the
manifest's; nothing is fixed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model_training.dataset.data import Folders, capped, read_dataset, split_of
from model_training.evaluation import plots, tables
from model_training.evaluation.conditions import conditions, turns
from model_training.evaluation.metrics import (
    Doubles,
    Flags,
    Indices,
    bootstrap,
    jsonable,
    roc_auc,
    write_json,
)
from model_training.evaluation.predict import Degradation, predict
from model_training.evaluation.tables import Judged, Table, figure, wide_enough
from unmask.detector.manifest import load_manifest
from unmask.report import Verdict

ROBUSTNESS_FILE, TURNED_FILE = "robustness.json", "turned.json"


def measure(
    data_dir: Folders,
    manifest_path: Path,
    out_dir: Path,
    *,
    split: str = "test",
    cache: Path | None = None,
    repeats: int = 1000,
    most: int | None = None,
) -> Table:
    """Write robustness.json and robustness.png for a split; returns the former.

    ``most`` bounds the pictures of each source and class, for there are many copies. Raises
    ValueError for an empty split.
    """
    result = _measured(data_dir, manifest_path, conditions(), split, cache, repeats, most)
    write_json(out_dir / ROBUSTNESS_FILE, result)
    plots.robustness(result, out_dir / "robustness.png")
    return result


def measure_turned(
    data_dir: Folders,
    manifest_path: Path,
    out_dir: Path,
    *,
    split: str = "val",
    cache: Path | None = None,
    repeats: int = 1000,
    most: int | None = None,
) -> Table:
    """Write turned.json, the same for pictures that lie on a side or stand on their heads."""
    result = _measured(data_dir, manifest_path, turns(), split, cache, repeats, most)
    write_json(out_dir / TURNED_FILE, result)
    return result


def _measured(
    data_dir: Folders,
    manifest_path: Path,
    copies: Sequence[Degradation],
    split: str,
    cache: Path | None,
    repeats: int,
    most: int | None,
) -> Table:
    rows = split_of(read_dataset(data_dir), split)
    rows = rows if most is None else capped(rows, most)
    manifest = load_manifest(manifest_path)
    found = predict(rows, manifest_path, cache=cache)
    before = tables.judge(rows, found, found.largest, manifest)
    measured = {}
    for condition in copies:
        copy = predict(rows, manifest_path, cache=cache, degradation=condition)
        after = tables.judge(rows, copy, copy.largest, manifest)
        measured[condition.name] = compare(before, after, repeats)
    result: Table = jsonable(
        {
            "version": 1,
            "split": split,
            "model": {"version": manifest.version, "sha256": manifest.sha256},
            "counts": tables.counts(before),
            "sources": tables.sources_of(rows),
            "most": most,
            "as_it_is": compare(before, before, repeats),
            "conditions": measured,
        }
    )
    return result


def compare(before: Judged, after: Judged, repeats: int) -> Table:
    """What changes between the pictures and their copies, each figure with its interval.

    ``auc`` and ``auc_loss`` are over all pictures and, under ``within``, over each source that
    holds both classes. ``flips`` are verdicts that turn from fake to real or back, as a share of
    the pictures that are called one of the two before and after: ``unsure`` is no flip. The areas
    of ``fake_sources`` are those of each source's fakes against all reals.
    """
    parts = {"all": np.ones(len(before), bool), **tables.paired_sources(before)}
    decided = _decided(before) & _decided(after)
    flipped = decided & (before.verdict != after.verdict)
    shares = {
        "flips": _Share(flipped, decided),
        "reals_called_fake": _Share(after.called, after.label == 0),
        "fakes_called_fake": _Share(after.called, after.label == 1),
    }
    spans = iter(bootstrap(_again(before, after, parts, shares), before.group, repeats))
    separation = {}
    for name, own in parts.items():
        old, new = (roc_auc(part.label[own], part.chance[own]) for part in (before, after))
        separation[name] = {
            "real": int((own & (before.label == 0)).sum()),
            "fake": int((own & (before.label == 1)).sum()),
            "auc": figure(new, next(spans)),
            "auc_loss": figure(old - new, next(spans)),
        }
    table: Table = {**separation.pop("all"), "within": separation}
    for name, share in shares.items():
        value = share.of(slice(None))
        span = wide_enough(value, next(spans), before.group[share.whole])
        count = {"count": int(share.part[share.whole].sum()), "of": int(share.whole.sum())}
        table[name] = {**count, **figure(value, span)}
    table["no_face"] = int((~after.found).sum())
    table["fake_sources"] = _against_all(after)
    return table


def _against_all(judged: Judged) -> dict[str, float]:
    """The area under the curve of each source's fakes against all reals."""
    real = judged.label == 0
    areas = {}
    for name in np.unique(judged.source[~real]):
        own = real | (judged.source == name)
        areas[str(name)] = roc_auc(judged.label[own], judged.chance[own])
    return areas


@dataclass(frozen=True)
class _Share:
    """A share of pictures: ``part`` (n,) among ``whole`` (n,)."""

    part: Flags
    whole: Flags

    def of(self, drawn: Indices | slice) -> float:
        chosen = self.part[drawn][self.whole[drawn]]
        return float(chosen.mean()) if len(chosen) else float("nan")


def _again(
    before: Judged, after: Judged, parts: dict[str, Flags], shares: dict[str, _Share]
) -> tables.Statistic:
    """All figures of a comparison for the pictures drawn: AUC and loss by part, then the shares."""

    def statistic(drawn: Indices) -> Doubles:
        values = []
        for own in parts.values():
            chosen = drawn[own[drawn]]
            old, new = (roc_auc(j.label[chosen], j.chance[chosen]) for j in (before, after))
            values += [new, old - new]
        return np.array([*values, *(share.of(drawn) for share in shares.values())])

    return statistic


def _decided(judged: Judged) -> Flags:
    return np.isin(judged.verdict, [str(Verdict.FAKE), str(Verdict.REAL)])
