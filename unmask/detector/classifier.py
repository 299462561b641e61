"""Judges aligned faces: a DenseNet121 with a heatmap decoder, run by ONNX Runtime in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unmask.detector.align import Floats, Pixels
from unmask.detector.manifest import Calibration, load_manifest
from unmask.detector.preprocess import prepare
from unmask.detector.session import open_session

#: Most faces in one run of the network: more costs memory and gains no time.
MAX_BATCH = 8


@dataclass(frozen=True)
class Judgement:
    """What the network says of one aligned face: calibrated fake probability, and the heatmap
    (k, k) of float32 in [0, 1], the probability that each pixel of the frame was tampered with."""

    fake_probability: float
    heatmap: Floats


class Classifier:
    """The detector's model as its manifest describes it; safe to use from several threads."""

    def __init__(self, manifest_path: Path, threads: int = 0) -> None:
        self.manifest = load_manifest(manifest_path)
        path = manifest_path.parent / self.manifest.file
        self._session = open_session(path, self.manifest.sha256, threads)

    def judge(self, crops: Sequence[Pixels]) -> list[Judgement]:
        """Judge aligned RGB faces, each (224, 224, 3) of uint8, in the order given."""
        found: list[Judgement] = []
        for start in range(0, len(crops), MAX_BATCH):
            batch = prepare(crops[start : start + MAX_BATCH], self.manifest.denoise)
            raw, heatmaps = self._session.run(["probability", "heatmap"], {"image": batch})
            shown = calibrated(raw.reshape(-1), self.manifest.calibration)
            found += [
                Judgement(float(probability), heatmap.reshape(heatmap.shape[:2]))
                for probability, heatmap in zip(shown, heatmaps, strict=True)
            ]
        return found


def calibrated(raw: Floats, calibration: Calibration) -> Floats:
    """The network's raw probabilities (n,) after Platt scaling."""
    safe = np.clip(raw.astype(np.float64), 1e-7, 1 - 1e-7)
    logits = np.log(safe / (1 - safe))
    scaled = calibration.scale * logits + calibration.offset
    return (1 / (1 + np.exp(-scaled))).astype(np.float32)
