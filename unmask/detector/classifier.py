"""Judges aligned faces: a DenseNet121 with a heatmap decoder and, where there is one, CLIP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unmask.detector.align import Floats, Pixels
from unmask.detector.clip import ClipJudge, JudgeAnswers
from unmask.detector.engines.onnxruntime import offered_runtime
from unmask.detector.engines.protocol import MAX_BATCH, Engines, NetworkFile
from unmask.detector.joining import (
    are_disputed,
    calibrated,
    joined_heatmap,
    joined_logit,
    own_probabilities,
    raw_probability,
)
from unmask.detector.manifest import CLIP, DENSENET, load_manifest
from unmask.detector.preprocess import prepare
from unmask.report import JudgeScore


@dataclass(frozen=True)
class Judgement:
    """What is thought of one aligned face: calibrated fake probability, the heatmap (k, k) of
    float32 in [0, 1], the probability that each pixel of the frame was tampered with, and each
    judge's own score. It is ``disputed`` where one judge alone would find nothing in the face, and
    the share ``covered`` of the face is hidden."""

    fake_probability: float
    heatmap: Floats
    judges: tuple[JudgeScore, ...] = ()
    disputed: bool = False
    covered: float = 0.0


@dataclass(frozen=True)
class Answers:
    """What the judges say of n faces, before it is joined: ``families`` (n, judges, heads) are
    logits, ``heatmaps`` (n, judges, k, k) in [0, 1]; ``covered`` (n,) is the share of each face
    that is hidden, as far as the model can tell; ``activations`` (n, a, a) are the DenseNet121's
    class-activation maps, where they were asked for."""

    families: Floats
    heatmaps: Floats
    covered: Floats
    activations: Floats | None = None


class Classifier:
    """The detector's model as its manifest describes it; safe to use from several threads."""

    def __init__(
        self, manifest_path: Path, threads: int = 0, engines: Engines | None = None
    ) -> None:
        """Without ``engines`` the model runs as it was measured: on ONNX Runtime, with up to
        ``threads`` threads (0: one a core)."""
        manifest = self.manifest = load_manifest(manifest_path)
        folder = manifest_path.parent
        engines = engines or Engines.same(offered_runtime(threads))
        network = NetworkFile(folder / manifest.file, manifest.sha256)
        clip, self._clip = manifest.clip, None
        # run times open networks outside Python's lock, so that both judges open at the same time
        with ThreadPoolExecutor(1) as pool:
            opening = clip and pool.submit(ClipJudge, folder, clip, threads, engines.clip)
            self._session = engines.densenet121.open(network)
            if opening:
                self._clip = opening.result()
        self._faces = engines.densenet121.faces
        self._batch = max(MAX_BATCH, self._faces)

    def judge(self, crops: Sequence[Pixels]) -> list[Judgement]:
        """Judge aligned RGB faces, each (224, 224, 3) of uint8, in the order given."""
        judged: list[Judgement] = []
        for start in range(0, len(crops), self._batch):
            batch = prepare(crops[start : start + self._batch], self.manifest.denoise)
            judged += self.joined(self.answers(batch))
        return judged

    def answers(self, images: Floats, activations: bool = False) -> Answers:
        """What each judge says of faces (n, 224, 224, 3), RGB in [-1, 1]. ``activations`` asks for
        those maps too, which measuring alone has a use for."""
        outputs = ["families", "heatmap", *(["activation"] if activations else [])]
        families, heatmaps, *others = self._run(outputs, images)
        by_judge, maps = [families], [heatmaps[..., 0]]
        covered = np.zeros(len(images), np.float32)
        if self._clip is not None:
            clip = self._clip.judge(images)
            by_judge.append(clip.families)
            maps.append(clip.heatmaps)
            covered = clip.covered
        shown = others[0][..., 0] if others else None
        return Answers(np.stack(by_judge, axis=1), np.stack(maps, axis=1), covered, shown)

    @property
    def judges(self) -> dict[str, Callable[[Floats], JudgeAnswers]]:
        """Each judge by its name, alone: it takes faces as :meth:`answers` does."""
        judges: dict[str, Callable[[Floats], JudgeAnswers]] = {DENSENET: self._densenet}
        if self._clip is not None:
            judges[CLIP] = self._clip.judge
        return judges

    def _densenet(self, images: Floats) -> JudgeAnswers:
        families, heatmaps = self._run(["families", "heatmap"], images)
        return JudgeAnswers(families, heatmaps[..., 0], np.zeros(len(images), np.float32))

    def _run(self, outputs: list[str], images: Floats) -> list[Floats]:
        """The DenseNet121's outputs for all faces, of as many at a time as suit its engine."""
        parts = [
            self._session.run(outputs, {"image": images[start : start + self._faces]})
            for start in range(0, len(images), self._faces)
        ]
        return [np.concatenate(part) for part in zip(*parts, strict=True)]

    def joined(self, answers: Answers) -> list[Judgement]:
        """What follows of the judges' answers for each face."""
        manifest = self.manifest
        judges, joining = manifest.judges, manifest.joining
        raw = raw_probability(joined_logit(answers.families, judges, joining))
        probabilities = calibrated(raw, manifest.calibration)
        heatmaps = joined_heatmap(answers.heatmaps, judges, joining)
        own = own_probabilities(answers.families, manifest)
        disputed = are_disputed(own, len(probabilities), manifest)
        return [
            Judgement(
                fake_probability=float(probabilities[index]),
                heatmap=heatmaps[index],
                judges=tuple(
                    JudgeScore(name=judge, fake_probability=float(values[index]))
                    for judge, values in own.items()
                ),
                disputed=bool(disputed[index]),
                covered=float(answers.covered[index]),
            )
            for index in range(len(probabilities))
        ]
