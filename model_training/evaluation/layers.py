"""Measures how often a layer of the evidence is highest in the part that was edited.

The pointing game of Zhang et al., "Top-down Neural Attention by Excitation Backprop" (2016): a map
scores where its highest place lies in the true region. Beside the layers stand our own heatmap, the
middle of the picture, where most faces are, and chance: the share of the picture that was edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from model_training.dataset.data import Folders, Row, capped, read_dataset, split_of
from model_training.dataset.landmarks import landmarks_of
from model_training.evaluation import tables
from model_training.evaluation.localisation import face_view, true_mask
from model_training.evaluation.metrics import Flags, jsonable, write_json
from model_training.evaluation.predict import Predictions, predict
from model_training.evaluation.selfmade import QUALITY, write_self_made
from model_training.evaluation.tables import Judged, Table, mean_figure
from unmask.detector.align import Floats
from unmask.detector.manifest import Manifest, load_manifest
from unmask.detector.masks import paste_heatmap
from unmask.evidence.layers.drawing import measure_layer
from unmask.findings import Layer
from unmask.report import Verdict, is_marked

LAYERS_FILE = "layers.json"
#: Most pictures of each source, and photographs of each source that edits are made of.
MOST, PHOTOGRAPHS = 60, 15
#: The side of the square whose mean tells the highest place, of the picture's longer side.
REGION = 1 / 16


def measure(
    data_dir: Folders,
    manifest_path: Path,
    out_dir: Path,
    *,
    split: str = "test",
    cache: Path | None = None,
    most: int = MOST,
    repeats: int = 1000,
) -> Table:
    """Write layers.json: the shares of fakes with true masks on which each map points at the edit,
    for the sources of a split and for edits that are made of its photographs and saved once more.

    Raises ValueError for an empty split.
    """
    rows = split_of(read_dataset(data_dir), split)
    manifest = load_manifest(manifest_path)
    masked = capped([row for row in rows if row.mask is not None], most)
    sets = {
        source: [row for row in masked if row.source == source]
        for source in sorted({row.source for row in masked})
    }
    with TemporaryDirectory() as name:
        photographs = capped([row for row in rows if row.label == 0], PHOTOGRAPHS)
        landmarks = landmarks_of(photographs, Path(name) / "landmarks.csv")
        made = write_self_made(photographs, landmarks, Path(name), most)
        if made:
            sets[made[0].source] = made
        figures = {
            source: _pointing(own, predict(own, manifest_path, cache=cache), manifest, repeats)
            for source, own in sets.items()
        }
    result: Table = jsonable(
        {
            "version": 1,
            "split": split,
            "model": {"version": manifest.version, "sha256": manifest.sha256},
            "most": most,
            "region": REGION,
            "self_made_quality": QUALITY,
            "sets": figures,
        }
    )
    write_json(out_dir / LAYERS_FILE, result)
    return result


def highest(values: Floats) -> tuple[int, int] | None:
    """The row and column of the highest place of a map (h, w); None where the map is flat."""
    side = max(round(max(values.shape) * REGION), 1)
    means = cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)
    if means.max() <= means.min():
        return None
    row, column = np.unravel_index(int(np.argmax(means)), means.shape)
    return int(row), int(column)


def points_at(values: Floats, truth: Flags) -> bool:
    """Whether a map's (h, w) highest place lies in the true region; a flat map's does not."""
    place = highest(values)
    return place is not None and bool(truth[place])


def _pointing(rows: Sequence[Row], found: Predictions, manifest: Manifest, repeats: int) -> Table:
    """The shares of a set's pictures, each with its interval."""
    judged = tables.judge(rows, found, found.largest, manifest)
    hits: dict[str, list[float]] = {}
    for index, row in enumerate(rows):
        for name, hit in _hits(row, index, found, judged).items():
            hits.setdefault(name, []).append(float(hit))
    groups = [row.group for row in rows]
    return {name: mean_figure(values, groups, repeats) for name, values in hits.items()} | {
        "pictures": len(rows)
    }


def _hits(row: Row, index: int, found: Predictions, judged: Judged) -> dict[str, float]:
    brightness = cv2.imdecode(np.fromfile(row.path, np.uint8), cv2.IMREAD_GRAYSCALE)
    if brightness is None:
        raise ValueError(f"{row.path} cannot be decoded")
    grey = np.asarray(brightness, np.uint8)
    truth = true_mask(row, grey.shape)
    height, width = grey.shape
    heatmap = np.zeros(grey.shape, np.float32)
    view = face_view(row, found, index)
    if view is not None:
        paste_heatmap(heatmap, view.heatmap, view.quad)
    ours = points_at(heatmap, truth)
    shown = is_marked(Verdict(str(judged.verdict[index])), float(judged.chance[index]))
    layers: dict[str, float] = {
        layer: points_at(measure_layer(grey, layer), truth) for layer in Layer
    }
    return layers | {
        "heatmap": ours,
        "heatmap_where_a_mask_is_shown": ours and shown,
        "middle": bool(truth[height // 2, width // 2]),
        "chance": float(truth.mean()),
    }


def lines(result: Table) -> list[str]:
    """The figures in lines for a terminal, in per cent."""
    return [
        f"{source} ({figures['pictures']}): "
        + ", ".join(
            f"{name} {100 * figure['value']:.0f}"
            for name, figure in figures.items()
            if name != "pictures"
        )
        for source, figures in result["sets"].items()
    ]
