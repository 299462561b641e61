"""Batches made by several processes, in an order that depends on the seed alone."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import cv2
import numpy as np

from model_training.dataset.data import Row
from model_training.dataset.landmarks import Landmarks
from model_training.dataset.samples import Mix, Sample, Sampler, Scene, finish
from unmask.detector.align import Floats, Pixels
from unmask.detector.preprocess import Denoise, remove_noise


@dataclass(frozen=True)
class Batch:
    """Samples in bytes, as they travel between processes and to a GPU: RGB crops
    (n, 224, 224, 3), masks (n, 112, 112), labels and mask weights (n,), and the index of each
    fake's family in ``HEADS``."""

    crops: Pixels
    labels: Floats
    masks: Pixels
    weights: Floats
    heads: Pixels


class TrainingBatches:
    """Endless training batches; number ``first`` is the first one, for a resumed run."""

    def __init__(
        self,
        rows: Sequence[Row],
        landmarks: Landmarks,
        *,
        size: int,
        seed: int,
        first: int = 0,
        processes: int = 0,
        denoise: Denoise = Denoise.NONE,
        mix: Mix | None = None,
        frame: float = 1.0,
    ) -> None:
        count = processes or max((os.cpu_count() or 1), 1)
        self._size, self._seed, self._next, self._denoise = size, seed, first, denoise
        # spawned, not forked: a fork would copy the run time of TensorFlow or CUDA mid-flight
        self._pool = ProcessPoolExecutor(
            count, get_context("spawn"), _start, (tuple(rows), dict(landmarks), mix, frame)
        )
        self._waiting: deque[Future[Batch]] = deque()
        self._ahead = count + 4

    def __iter__(self) -> Iterator[Batch]:
        while True:
            while len(self._waiting) < self._ahead:
                batch = self._pool.submit(_make, self._seed, self._next, self._size, self._denoise)
                self._waiting.append(batch)
                self._next += 1
            yield self._waiting.popleft().result()

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def validation_batches(
    rows: Sequence[Row],
    landmarks: Landmarks,
    size: int,
    denoise: Denoise = Denoise.NONE,
    degraded: bool = True,
    frame: float = 1.0,
) -> list[Batch]:
    """The validation pictures, each aligned as serving does; with ``degraded``, each once more
    after a chain of degradations that is the same in every run."""
    sampler = Sampler(rows, landmarks)
    scenes = [sampler.scene_of(row) for row in rows if landmarks.get(row.name) is not None]
    samples = [finish(np.random.default_rng(0), scene, 0.0, frame) for scene in scenes]
    if degraded:
        samples += [_worn(number, scene, frame) for number, scene in enumerate(scenes)]
    return [_pack(samples[start : start + size], denoise) for start in range(0, len(samples), size)]


def _worn(number: int, scene: Scene, frame: float) -> Sample:
    return finish(np.random.default_rng(number), scene, 1.0, frame)


_sampler: Sampler | None = None


def _start(rows: Sequence[Row], landmarks: Landmarks, mix: Mix | None, frame: float) -> None:
    global _sampler  # noqa: PLW0603 - one sampler a process, made when the process starts
    cv2.setNumThreads(1)
    _sampler = Sampler(rows, landmarks, mix, frame)


def _make(seed: int, number: int, size: int, denoise: Denoise) -> Batch:
    if _sampler is None:
        raise RuntimeError("the process has no sampler")
    rng = np.random.default_rng([seed, number])
    return _pack([_sampler.draw(rng) for _ in range(size)], denoise)


def _pack(samples: Sequence[Sample], denoise: Denoise) -> Batch:
    return Batch(
        np.stack([remove_noise(sample.crop, denoise) for sample in samples]),
        np.array([sample.label for sample in samples], np.float32),
        np.stack([sample.mask for sample in samples]),
        np.array([sample.mask_weight for sample in samples], np.float32),
        np.array([sample.head for sample in samples], np.uint8),
    )
