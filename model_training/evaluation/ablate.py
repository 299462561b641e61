"""Compares training runs that differ in one thing, on validation and, at the end, on test.

A run is a folder with ``plan.json`` and ``best.npz``. Faces are cut out by known landmarks and
judged by Keras on any backend, so that this runs where the runs were trained. What a run said is
kept in its folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.progress import track

from model_training.dataset.data import Folders, Row, of_split, read_dataset
from model_training.dataset.landmarks import Landmarks, landmarks_of, read_pixels
from model_training.dataset.samples import scaled
from model_training.evaluation.metrics import (
    Flags,
    Indices,
    bootstrap,
    confusion,
    jsonable,
    roc_auc,
    write_json,
)
from model_training.export.record import without_paths
from model_training.networks.architectures import Network
from unmask.detector.align import Floats, Pixels, align_face, frame_quad
from unmask.detector.joining import face_logit
from unmask.detector.manifest import Joining
from unmask.detector.preprocess import Denoise, normalise, remove_noise

Table = dict[str, Any]
Labels = npt.NDArray[np.int64]
Names = npt.NDArray[np.str_]
#: What a compared run's network says of faces (n, 224, 224, 3) in [-1, 1]: logits (n,) of the
#: served score and of the head over all fakes, and heatmaps (n, k, k) in [0, 1] or None.
Judge = Callable[[Floats], tuple[Floats, Floats, Floats | None]]

#: Every series of runs has a file of its own, ablations.json or ablations-NAME.json.
ABLATIONS_FILES = "ablations*.json"
BATCH = 32
#: Bounds tried on the heatmap, and the most of a real face's frame that may be marked on average.
BOUNDS, MAX_FALSE_AREA = np.round(np.arange(0.1, 0.96, 0.05), 2), 0.05


@dataclass(frozen=True)
class Said:
    """What a run said of n faces: ``score`` and ``logit`` (n,), ``heatmap`` (n, k, k) in half
    precision, of no pixels where the run has no decoder."""

    score: Floats
    logit: Floats
    heatmap: npt.NDArray[np.float16]


def ablate(
    data_dir: Folders,
    runs: Mapping[str, Path],
    out_dir: Path,
    *,
    landmarks_csv: Path,
    series: str = "",
    about: str = "",
    final: bool = False,
    repeats: int = 1000,
) -> Table:
    """Write the file of a ``series`` of runs by name; return what it holds. ``about`` says what
    the runs have in common, ``final`` measures on test as well.

    The first run is what the others are compared with. The bound on the heatmap is fixed for each
    run on validation. Raises ValueError for a folder that is no run.
    """
    plans = {name: read_plan(folder) for name, folder in runs.items()}
    rows = read_dataset(data_dir)
    splits = ("val", "test") if final else ("val",)
    chosen = {split: of_split(rows, split) for split in splits}
    known = landmarks_of([row for part in chosen.values() for row in part], landmarks_csv)
    seen = {
        split: [row for row in part if known[row.name] is not None]
        for split, part in chosen.items()
    }
    table: dict[str, Table] = {}
    first: dict[str, Said] = {}
    for name, folder in runs.items():
        bound = None
        table[name] = {"plan": plans[name]}
        for split, part in seen.items():
            said = _said(folder, plans[name], part, known, split)
            truths = _truths(part, known, plans[name], said.heatmap.shape[1])
            bound = choose_bound(said, part, truths) if bound is None else bound
            found = measure(said, part, truths, bound, repeats)
            if split in first:
                found["auc_gain"] = gain(first[split], said, part, repeats)
            first.setdefault(split, said)
            table[name][split] = found
    counts = {
        split: {
            "real": sum(row.label == 0 for row in part),
            "fake": sum(row.label == 1 for row in part),
        }
        for split, part in seen.items()
    }
    result: Table = jsonable({"version": 1, "about": about, "counts": counts, "runs": table})
    write_json(ablations_path(out_dir, series), result)
    return result


def ablations_path(out_dir: Path, series: str) -> Path:
    """The file of a series of runs; that of the main one ("") bears no name."""
    return out_dir / ABLATIONS_FILES.replace("*", f"-{series}" if series else "")


def read_plan(folder: Path) -> Table:
    """What a run was to do, without the paths of the machine that did it."""
    if not (folder / "plan.json").is_file() or not (folder / "best.npz").is_file():
        raise ValueError(f"{folder} is no training run: it lacks plan.json or best.npz")
    plan: Table = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    return without_paths(plan)


def measure(
    said: Said, rows: Sequence[Row], truths: Mapping[int, Pixels], bound: float, repeats: int
) -> Table:
    """The figures of one run on one split, each with its 95 % interval and count.

    ``auc``, ``auc_logit`` (the face's own output alone), ``auc_without_retouch``, the areas
    within the paired sources, the mask's mean intersection over union in the frame, and the mean
    share of a real face's frame that is marked at ``bound``.
    """
    labels = np.array([row.label for row in rows])
    sources = np.array([row.source for row in rows])
    groups = np.array([row.group for row in rows])
    everything = np.ones(len(rows), bool)
    parts = {
        "auc": (everything, said.score),
        "auc_logit": (everything, said.logit),
        "auc_without_retouch": (sources != "retouch", said.score),
    }
    for name in np.unique(sources):
        own = sources == name
        if len(set(labels[own].tolist())) > 1:
            parts[f"within_{name}"] = (own, said.score)
    table: Table = {}
    for name, (own, score) in parts.items():
        table[name] = _area(labels[own], score[own], groups[own], repeats)
    if said.heatmap.shape[1]:
        masked = np.array(sorted(truths))
        reals = np.flatnonzero(labels == 0)
        overlaps = np.array([_overlap(truths[i], said.heatmap[i], bound) for i in masked])
        areas = np.array([(said.heatmap[i] >= bound).mean() for i in reals])
        table["mask_bound"] = bound
        table["mask_iou"] = _mean(overlaps, groups[masked] if len(masked) else groups[:0], repeats)
        table["false_area"] = _mean(areas, groups[reals], repeats)
    return table


def gain(first: Said, said: Said, rows: Sequence[Row], repeats: int) -> Table:
    """How much larger the area under the curve is than the first run's, on the same pictures: the
    interval is that of the difference."""
    labels = np.array([row.label for row in rows])

    def difference(drawn: Indices) -> float:
        old, new = (roc_auc(labels[drawn], run.score[drawn]) for run in (first, said))
        return new - old

    span = bootstrap(difference, [row.group for row in rows], repeats)[0]
    return {"value": difference(np.arange(len(rows))), "interval": span}


def choose_bound(said: Said, rows: Sequence[Row], truths: Mapping[int, Pixels]) -> float:
    """The bound on the heatmap with the highest mean overlap among those that mark at most
    MAX_FALSE_AREA of real faces on average; the highest bound where none does."""
    if not said.heatmap.shape[1] or not truths:
        return 0.5
    reals = said.heatmap[[index for index, row in enumerate(rows) if row.label == 0]]
    allowed = [float(b) for b in BOUNDS if (reals >= b).mean() <= MAX_FALSE_AREA]

    def overlap(bound: float) -> float:
        return float(np.mean([_overlap(t, said.heatmap[i], bound) for i, t in truths.items()]))

    return max(allowed, key=overlap) if allowed else float(BOUNDS[-1])


def _said(folder: Path, plan: Table, rows: Sequence[Row], known: Landmarks, split: str) -> Said:
    """What the run says of the rows' faces; read from its folder if it was asked before."""
    kept = folder / f"ablate-{split}.npz"
    names = np.array([row.name for row in rows])
    if kept.is_file() and kept.stat().st_mtime >= (folder / "best.npz").stat().st_mtime:
        with np.load(kept) as stored:
            if np.array_equal(stored["names"], names):
                return Said(stored["score"], stored["logit"], stored["heatmap"])
    judge = load_judge(folder / "best.npz", plan)
    parts: list[tuple[Floats, ...]] = []
    starts = range(0, len(rows), BATCH)
    for start in track(starts, description=f"Judging with {folder.name}"):
        crops = list(_crops(rows[start : start + BATCH], known, plan))
        # one shape for all, as a compiling backend would compile each again
        filled = np.resize(np.stack(crops), (BATCH, *crops[0].shape))
        score, logit, heatmap = judge(normalise(filled))
        maps = np.zeros((BATCH, 0, 0), np.float32) if heatmap is None else heatmap
        parts.append(tuple(values[: len(crops)] for values in (score, logit, maps)))
    score, logit, maps = (np.concatenate(part) for part in zip(*parts, strict=True))
    said = Said(score, logit, maps.astype(np.float16))
    part = kept.with_suffix(".part")  # one broken off is never taken for an answer
    with part.open("wb") as file:
        np.savez_compressed(file, names=names, score=score, logit=logit, heatmap=said.heatmap)
    part.replace(kept)
    return said


def load_judge(weights: Path, plan: Table) -> Judge:
    """A run's network as a function of faces; Keras is imported only here."""
    import keras

    from model_training.networks.model import build_model, load_all, read_weights, serving_model

    if plan.get("network", Network.DENSENET) != Network.DENSENET:
        raise ValueError(f"{weights.parent} is a run of {plan['network']}: densenet121 is compared")
    decoder = bool(plan.get("decoder", True))
    model = build_model(decoder=decoder)
    load_all(model, read_weights(weights))
    outputs = {"families": model.output["families"]}
    if decoder:
        outputs["heatmap"] = serving_model(model).output["heatmap"]
    network = keras.Model(model.input, outputs)

    def judge(image: Floats) -> tuple[Floats, Floats, Floats | None]:
        answer = {name: np.asarray(v) for name, v in network.predict_on_batch(image).items()}
        families = answer["families"]
        joined = face_logit(families, Joining().any_weight)
        return joined, families[:, 0], answer["heatmap"][..., 0] if decoder else None

    return judge


def _crops(rows: Sequence[Row], known: Landmarks, plan: Table) -> Iterator[Pixels]:
    """The faces as the run was trained to see them: its frame, its noise removal."""
    for row in rows:
        pixels = np.ascontiguousarray(read_pixels(row.path)[:, :, ::-1])
        crop = align_face(pixels, _quad(known, row, plan))
        yield remove_noise(crop, Denoise(plan.get("denoise", Denoise.NONE)))


def _truths(rows: Sequence[Row], known: Landmarks, plan: Table, side: int) -> dict[int, Pixels]:
    """The true masks by row, in the run's frame, (side, side)."""
    truths = {}
    for index, row in enumerate(rows):
        if row.mask is not None and side:
            mask = read_pixels(row.mask)
            shown = align_face(mask, _quad(known, row, plan), side, (0, 0, 0))[:, :, 0]
            if (shown >= 128).any():
                truths[index] = np.where(shown >= 128, 255, 0).astype(np.uint8)
    return truths


def _quad(known: Landmarks, row: Row, plan: Table) -> Floats:
    """The frame (4, 2) that the run cuts out: the served one times its plan's ``frame``."""
    landmarks = known[row.name]
    if landmarks is None:
        raise ValueError(f"no face was found in {row.name}")
    return scaled(frame_quad(landmarks), plan.get("frame", 1.0))


def _area(labels: Labels, score: Floats, groups: Names, repeats: int) -> Table:
    def again(drawn: Indices) -> float:
        return roc_auc(labels[drawn], score[drawn])

    reals = int((labels == 0).sum())
    return {
        "value": roc_auc(labels, score),
        "interval": bootstrap(again, groups, repeats)[0],
        "real": reals,
        "fake": len(labels) - reals,
    }


def _mean(values: npt.NDArray[np.float64], groups: Names, repeats: int) -> Table | None:
    if not len(values):
        return None
    span = bootstrap(lambda drawn: values[drawn].mean(), groups, repeats)[0]
    return {"value": float(values.mean()), "interval": span, "count": len(values)}


def _overlap(truth: Pixels, heatmap: npt.NDArray[np.float16], bound: float) -> float:
    """Intersection over union of a true mask and a heatmap's, both in the frame."""
    marked: Flags = heatmap >= bound
    return confusion(truth > 0, marked).iou
