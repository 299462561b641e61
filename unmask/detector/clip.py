"""CLIP's image tower judges along: its tokens of several depths, read by heads of our own.

The tower's file is the one that was published, int8, in another graph; what training changed in it
are small vectors in a file beside it. ``model_training.networks.clip`` has the sources.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np

from unmask.detector.align import Floats
from unmask.detector.cover import DEPTH, CoverHead
from unmask.detector.engines.onnxruntime import offered_runtime
from unmask.detector.engines.protocol import Engine, NetworkFile
from unmask.detector.manifest import ClipFiles
from unmask.detector.session import read_checked

#: Faces in one run of the tower on a processor: more take memory (50 MB each) and gain no time.
FACES = 2
#: The tower's outputs: the tokens after these blocks.
TOKENS = ("tokens_3", "tokens_6", "tokens_9", "tokens_12")


class JudgeAnswers(NamedTuple):
    """What one judge says of n faces: the logits by family (n, heads), the heatmaps (n, k, k) in
    [0, 1], and, as far as it can tell, the share of each face that is covered (n,)."""

    families: Floats
    heatmaps: Floats
    covered: Floats


class ClipJudge:
    """The tower with its heads; safe to use from several threads."""

    def __init__(
        self, folder: Path, files: ClipFiles, threads: int = 0, engine: Engine | None = None
    ) -> None:
        """Without an ``engine`` ONNX Runtime runs it, with up to ``threads`` threads."""
        engine = engine or offered_runtime(threads)
        tuned = read_checked(folder / files.tuned.file, files.tuned.sha256)
        with np.load(io.BytesIO(tuned)) as stored:
            weights = {name: stored[name] for name in stored.files}
        tower, heads = files.tower, files.heads
        cover = files.cover
        self._cover = (
            None if cover is None else CoverHead(read_checked(folder / cover.file, cover.sha256))
        )
        self._tower = engine.open(NetworkFile(folder / tower.file, tower.sha256, weights))
        self._faces = engine.faces if engine.on_device else FACES
        self._heads = engine.open(NetworkFile(folder / heads.file, heads.sha256))

    def judge(self, images: Floats) -> JudgeAnswers:
        """What CLIP says of aligned faces (n, 224, 224, 3), RGB in [-1, 1]."""
        starts = range(0, len(images), self._faces)
        parts = [self._run(images[start : start + self._faces]) for start in starts]
        return JudgeAnswers(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def tokens(self, images: Floats) -> dict[str, Floats]:
        """The tokens (n, 1 + patches, width) of faces after some of the tower's blocks."""
        return dict(zip(TOKENS, self._tower.run(list(TOKENS), {"image": images}), strict=True))

    def _run(self, images: Floats) -> JudgeAnswers:
        feed = self.tokens(images)
        families, heatmaps = self._heads.run(["families", "heatmap"], feed)
        covered = np.zeros(len(images), np.float32)
        if self._cover is not None:
            covered = self._cover.shares(feed[DEPTH])
        return JudgeAnswers(families, heatmaps[..., 0], covered)
