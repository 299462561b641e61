"""Where the processor time of a check goes, on each engine.

``python -m benchmarks.stages [--photos 9]`` examines made-up photographs with one face each, as
benchmarks/check.py makes them, one at a time and with one thread, and writes
benchmarks/results/stages.json: milliseconds of processor time a picture, by stage, and what each
engine saves. Engines take turns on each picture.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import mean
from types import SimpleNamespace
from typing import Any

from benchmarks.check import make_photos
from unmask.detector import detector as module
from unmask.detector.detector import Detector
from unmask.detector.encoding import BGR, encode_jpeg, encode_png
from unmask.detector.engines.processor import described
from unmask.errors import UnmaskError
from unmask.images import open_picture
from unmask.settings import Settings

RESULT = Path(__file__).parent / "results" / "stages.json"
ENGINES = ("onnxruntime", "auto", "openvino")
STAGES = ("decode", "faces", "model", "draw")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=9)
    options = parser.parse_args()
    # the detector's stopwatch then tells processor time, also that of the run times' threads
    module.time = SimpleNamespace(perf_counter=time.process_time)  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        make_photos(photos, options.photos)
        result = measured([path.read_bytes() for path in sorted(photos.iterdir())])
    print(json.dumps(result, indent=2))
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def measured(photos: list[bytes]) -> dict[str, Any]:
    """The mean time of each stage by engine; the first photo warms up and does not count."""
    settings = {name: Settings(engine=name, threads=1) for name in ENGINES}
    detectors = {name: Detector(own) for name, own in settings.items()}
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in ENGINES}
    for data in photos:
        for name, detector in detectors.items():
            taken[name].append(stages(detector, data, settings[name]))
    by_engine = {
        name: {stage: round(mean(run[stage] for run in runs[1:]), 1) for stage in STAGES}
        for name, runs in taken.items()
    }
    whole = {name: sum(times.values()) for name, times in by_engine.items()}
    return {
        "processor": described(),
        "photos": len(photos) - 1,
        "engines": {name: detector.engine.name for name, detector in detectors.items()},
        "ms_of_processor_time": by_engine,
        "faster": {name: round(whole["onnxruntime"] / value, 2) for name, value in whole.items()},
    }


def stages(detector: Detector, data: bytes, settings: Settings) -> dict[str, float]:
    """Milliseconds that one check takes by stage; ``draw`` is all that is made of the findings."""
    picture = open_picture(data, settings)
    (examination,) = detector.examine([picture])
    if isinstance(examination, UnmaskError):
        raise examination
    times = examination.report.timings_ms
    start = time.process_time()
    encode_jpeg(examination.annotated(order=BGR), BGR)
    encode_png(examination.mask())
    encode_png(examination.heatmap())
    draw = times.draw + (time.process_time() - start) * 1000
    return {"decode": times.decode, "faces": times.faces, "model": times.model, "draw": draw}


if __name__ == "__main__":
    main()
