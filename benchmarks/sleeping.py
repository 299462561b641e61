"""A worker that sleeps in place of the networks: ``python -m benchmarks.sleeping BATCH PICTURE``.

It takes, begins, stores and ends as every worker does; a batch of n pictures takes BATCH + n x
PICTURE seconds. So the queue can be measured where the networks would take the processor.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from unmask.detector.engines.protocol import Status
from unmask.detector.examination import Examination, write_report
from unmask.detector.manifest import load_manifest
from unmask.errors import UnmaskError
from unmask.images import Picture
from unmask.settings import Settings
from worker.main import run


class Sleeper:
    """A detector that finds no face, after a time that is known."""

    engine = Status("sleeping", "none")

    def __init__(self, settings: Settings, batch: float, picture: float) -> None:
        self._manifest: Any = load_manifest(settings.model)
        self._batch, self._picture = batch, picture

    def examine(
        self, pictures: Sequence[Picture], on_decoded: object = None, on_prepared: object = None
    ) -> list[Examination | UnmaskError]:
        time.sleep(self._batch + self._picture * len(pictures))
        return [
            Examination(picture, write_report(picture, [], self._manifest, 0.5, ()))
            for picture in pictures
        ]


if __name__ == "__main__":
    settings = Settings()
    run(settings, Sleeper(settings, float(sys.argv[1]), float(sys.argv[2])))
