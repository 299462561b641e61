"""Times a model on its engines by the processor time that it takes, which other programs hardly
lengthen."""

from __future__ import annotations

import time
from statistics import median

from unmask.detector.classifier import Classifier
from unmask.detector.engines.selftest import stored_faces
from unmask.detector.preprocess import prepare

ROUNDS = 7


def milliseconds(classifier: Classifier, rounds: int = ROUNDS) -> dict[str, float]:
    """Milliseconds of processor time that each judge takes for one face alone: the median of
    ``rounds`` after one that warms up. Of a GPU's work it shows what the processor has with it."""
    images = prepare(stored_faces()[:1], classifier.manifest.denoise)
    taken: dict[str, list[float]] = {name: [] for name in classifier.judges}
    for _ in range(rounds + 1):
        for name, run in classifier.judges.items():
            start = time.process_time()
            run(images)
            taken[name].append((time.process_time() - start) * 1000)
    return {name: median(values[1:]) for name, values in taken.items()}
