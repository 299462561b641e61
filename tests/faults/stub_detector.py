"""A detector that stands in for the real one, and a worker process around it.

It is given to ``worker.main.run`` by this script alone: no setting can put it in the place of the
real one. ``python -m tests.faults.stub_detector OPTIONS`` (JSON) runs a worker with it.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unmask.detector.align import Pixels
from unmask.detector.engines.protocol import Status
from unmask.detector.examination import Examination
from unmask.errors import UnmaskError
from unmask.images import Picture
from unmask.report import Face, Image, Model, Report, Verdict, picture_verdict
from unmask.settings import Settings
from unmask.wording.reports import english_statement
from worker.main import run

#: A picture whose first pixel is this red kills its worker, raises, or cannot be decoded.
POISON, RAISES, DAMAGED = 255, 254, 253
#: One that takes the worker ``drawing`` seconds to draw.
SLOW = 252


@dataclass(frozen=True)
class Options:
    """How the stand-in behaves.

    ``seconds`` are slept for each batch, ``drawing`` to draw a slow picture,
    ``log`` gets a line (JSON: process id and the sha256s) for
    each batch, ``file_limit`` bounds the size of every file that the process writes, in bytes. A
    ``device`` judges beside the processor.
    """

    log: str
    seconds: float = 0.0
    drawing: float = 0.0
    file_limit: int = 0
    device: bool = False


class StandIn:
    """Finds one face in every picture, as suspicious as its second pixel is red."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.engine = Status("stand-in", "none", on_device=options.device)

    def examine(
        self,
        pictures: Sequence[Picture],
        on_decoded: object = None,
        on_prepared: Callable[[], object] | None = None,
    ) -> list[Examination | UnmaskError]:
        with Path(self.options.log).open("a") as log:
            log.write(json.dumps([os.getpid(), [picture.sha256 for picture in pictures]]) + "\n")
        if on_prepared is not None and self.options.device:
            on_prepared()
        time.sleep(self.options.seconds)
        if on_prepared is not None:
            on_prepared()
        return [self._examine(picture) for picture in pictures]

    def _examine(self, picture: Picture) -> Examination | UnmaskError:
        pixels = picture.pixels()
        kind = int(pixels[0, 0, 0])
        if kind == POISON:
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == RAISES:
            raise RuntimeError("an unforeseen picture")
        if kind == DAMAGED:
            return UnmaskError("damaged", "The picture is damaged.")
        found = examination(picture, int(pixels[0, 1, 0]) / 255)
        return SlowExamination(self.options.drawing, found) if kind == SLOW else found


class SlowExamination(Examination):
    """An examination that takes its time to be drawn."""

    def __init__(self, seconds: float, found: Examination) -> None:
        super().__init__(found.picture, found.report, found.quads, found.heatmaps)
        self.seconds = seconds

    def heatmap(self) -> Pixels:
        time.sleep(self.seconds)
        return super().heatmap()


def examination(picture: Picture, probability: float) -> Examination:
    """What a detector that found one face would say."""
    verdict = Verdict.FAKE if probability >= 0.5 else Verdict.REAL
    marks = ((4.0, 5.0), (12.0, 5.0), (8.0, 9.0), (5.0, 12.0), (11.0, 12.0))
    face = Face(
        box=(2, 2, 12, 12),
        landmarks=marks,
        fake_probability=probability,
        verdict=verdict,
        tampered_fraction=0.0,
    )
    found, shown = picture_verdict((face,))
    report = Report(
        sha256=picture.sha256,
        verdict=found,
        fake_probability=shown,
        statement=english_statement([face]),
        image=Image(width=picture.width, height=picture.height, format=picture.format),
        faces=(face,),
        model=Model(name="stand-in", version="1.0.0", sha256="a" * 64),
        threshold=0.5,
    )
    quad = np.array([[0, 0], [16, 0], [16, 16], [0, 16]], np.float32)
    heatmap = np.full((16, 16), probability, np.float32)
    return Examination(picture, report, [quad], [heatmap])


def manifest(folder: Path, version: str = "1.0.0") -> Path:
    """The manifest that names the stand-in."""
    path = folder / "manifest.json"
    about: dict[str, Any] = {"name": "stand-in", "version": version, "sha256": "a" * 64}
    path.write_text(json.dumps(about))
    return path


def main() -> None:
    """Run a worker around the stand-in, as the environment sets it."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    options = Options(**json.loads(sys.argv[1]))
    if options.file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.file_limit, options.file_limit))
    run(Settings(), detector=StandIn(options))


if __name__ == "__main__":
    main()
