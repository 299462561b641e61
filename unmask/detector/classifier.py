"""Judges aligned faces: a DenseNet121 with a heatmap decoder and, where there is one, CLIP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unmask.detector.align import Floats, Pixels
from unmask.detector.clip import ClipJudge
from unmask.detector.joining import (
    calibrated,
    face_logit,
    joined_heatmap,
    joined_logit,
    raw_probability,
)
from unmask.detector.manifest import load_manifest
from unmask.detector.preprocess import prepare
from unmask.detector.session import open_session

#: Most faces in one run of the networks: more costs memory and gains no time.
MAX_BATCH = 8


@dataclass(frozen=True)
class Opinion:
    """What one judge alone thinks of a face. ``clears`` is whether it would find nothing in it."""

    judge: str
    fake_probability: float
    clears: bool


@dataclass(frozen=True)
class Judgement:
    """What is thought of one aligned face: calibrated fake probability, the heatmap (k, k) of
    float32 in [0, 1], the probability that each pixel of the frame was tampered with, and each
    judge's own opinion."""

    fake_probability: float
    heatmap: Floats
    opinions: tuple[Opinion, ...] = ()


@dataclass(frozen=True)
class Answers:
    """What the judges say of n faces, before it is joined: ``families`` (n, judges, heads) are
    logits, ``heatmaps`` (n, judges, k, k) in [0, 1]."""

    families: Floats
    heatmaps: Floats


class Classifier:
    """The detector's model as its manifest describes it; safe to use from several threads."""

    def __init__(self, manifest_path: Path, threads: int = 0) -> None:
        self.manifest = load_manifest(manifest_path)
        folder = manifest_path.parent
        self._session = open_session(folder / self.manifest.file, self.manifest.sha256, threads)
        clip = self.manifest.clip
        self._clip = None if clip is None else ClipJudge(folder, clip, threads)

    def judge(self, crops: Sequence[Pixels]) -> list[Judgement]:
        """Judge aligned RGB faces, each (224, 224, 3) of uint8, in the order given."""
        judged: list[Judgement] = []
        for start in range(0, len(crops), MAX_BATCH):
            batch = prepare(crops[start : start + MAX_BATCH], self.manifest.denoise)
            judged += self._joined(self.answers(batch))
        return judged

    def answers(self, images: Floats) -> Answers:
        """What each judge says of faces (n, 224, 224, 3), RGB in [-1, 1]."""
        families, heatmaps = self._session.run(["families", "heatmap"], {"image": images})
        by_judge, maps = [families], [heatmaps[..., 0]]
        if self._clip is not None:
            families, heatmaps = self._clip.judge(images)
            by_judge.append(families)
            maps.append(heatmaps)
        return Answers(np.stack(by_judge, axis=1), np.stack(maps, axis=1))

    def _joined(self, answers: Answers) -> list[Judgement]:
        manifest = self.manifest
        judges, joining = manifest.judges, manifest.joining
        raw = raw_probability(joined_logit(answers.families, judges, joining))
        probabilities = calibrated(raw, manifest.calibration)
        heatmaps = joined_heatmap(answers.heatmaps, judges, joining)
        opinions = self._opinions(answers.families)
        return [
            Judgement(float(probability), heatmap, opinion)
            for probability, heatmap, opinion in zip(probabilities, heatmaps, opinions, strict=True)
        ]

    def _opinions(self, families: Floats) -> list[tuple[Opinion, ...]]:
        """Each judge's own word on each face; none where the manifest gives it no meaning."""
        columns = []
        for index, judge in enumerate(self.manifest.judges):
            scale = self.manifest.opinions.get(judge)
            if scale is None:
                continue
            raw = raw_probability(face_logit(families[:, index], self.manifest.joining.any_weight))
            own = calibrated(raw, scale.calibration)
            columns.append([Opinion(judge, float(p), float(p) < scale.real) for p in own])
        return list(zip(*columns, strict=True)) if columns else [()] * len(families)
