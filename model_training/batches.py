"""Batches made by several processes, in an order that depends on the seed alone."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import cv2
import numpy as np

from model_training.data import Row
from model_training.landmarks import Landmarks
from model_training.samples import Mix, Sample, Sampler, Scene, finish
from unmask.detector.align import Floats, Pixels
from unmask.detector.preprocess import Denoise, normalise, remove_noise


@dataclass(frozen=True)
class Batch:
    """Network input ``image`` (n, 224, 224, 3) in [-1, 1], ``label`` (n, 1), and ``heatmap``
    (n, 112, 112, 2): the mask in [0, 1] and, alike for each pixel, its weight."""

    image: Floats
    label: Floats
    heatmap: Floats


@dataclass(frozen=True)
class Packed:
    """A batch in bytes, as it travels between processes: RGB crops (n, 224, 224, 3), masks
    (n, 112, 112), labels and mask weights (n,)."""

    crops: Pixels
    labels: Floats
    masks: Pixels
    weights: Floats


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
    ) -> None:
        count = processes or max((os.cpu_count() or 1), 1)
        self._size, self._seed, self._next, self._denoise = size, seed, first, denoise
        # spawned, not forked: a fork would copy the run time of TensorFlow or CUDA mid-flight
        self._pool = ProcessPoolExecutor(
            count, get_context("spawn"), _start, (tuple(rows), dict(landmarks), mix)
        )
        self._unpacker = ThreadPoolExecutor(2)
        self._waiting: deque[Future[Batch]] = deque()
        self._ahead = count + 4

    def __iter__(self) -> Iterator[Batch]:
        while True:
            while len(self._waiting) < self._ahead:
                packed = self._pool.submit(_make, self._seed, self._next, self._size, self._denoise)
                self._waiting.append(self._unpacker.submit(_unpacked, packed))
                self._next += 1
            yield self._waiting.popleft().result()

    def close(self) -> None:
        """End the processes."""
        self._unpacker.shutdown(wait=False, cancel_futures=True)
        self._pool.shutdown(wait=False, cancel_futures=True)


def validation_batches(
    rows: Sequence[Row],
    landmarks: Landmarks,
    size: int,
    denoise: Denoise = Denoise.NONE,
    degraded: bool = True,
) -> list[Packed]:
    """The validation pictures, each aligned as serving does; with ``degraded``, each once more
    after a chain of degradations that is the same in every run."""
    sampler = Sampler(rows, landmarks)
    scenes = [sampler.scene_of(row) for row in rows if landmarks.get(row.name) is not None]
    samples = [finish(np.random.default_rng(0), scene, 0.0) for scene in scenes]
    if degraded:
        samples += [_worn(number, scene) for number, scene in enumerate(scenes)]
    return [_pack(samples[start : start + size], denoise) for start in range(0, len(samples), size)]


def unpack(packed: Packed) -> Batch:
    """Packed bytes as the network's numbers."""
    masks = packed.masks.astype(np.float32) / np.float32(255)
    weights = np.broadcast_to(packed.weights[:, None, None], masks.shape)
    return Batch(
        normalise(packed.crops), packed.labels[:, None], np.stack([masks, weights], axis=3)
    )


def _unpacked(packed: Future[Packed]) -> Batch:
    return unpack(packed.result())


def _worn(number: int, scene: Scene) -> Sample:
    return finish(np.random.default_rng(number), scene, 1.0)


_sampler: Sampler | None = None


def _start(rows: Sequence[Row], landmarks: Landmarks, mix: Mix | None) -> None:
    global _sampler  # noqa: PLW0603 - one sampler a process, made when the process starts
    cv2.setNumThreads(1)
    _sampler = Sampler(rows, landmarks, mix)


def _make(seed: int, number: int, size: int, denoise: Denoise) -> Packed:
    if _sampler is None:
        raise RuntimeError("the process has no sampler")
    rng = np.random.default_rng([seed, number])
    return _pack([_sampler.draw(rng) for _ in range(size)], denoise)


def _pack(samples: Sequence[Sample], denoise: Denoise) -> Packed:
    return Packed(
        np.stack([remove_noise(sample.crop, denoise) for sample in samples]),
        np.array([sample.label for sample in samples], np.float32),
        np.stack([sample.mask for sample in samples]),
        np.array([sample.mask_weight for sample in samples], np.float32),
    )
