"""How far ``unmask check`` is above its floor: the time that the two networks themselves take.

``python benchmarks/check.py [--photos 50] [--out]`` checks made-up photographs (a portrait on
backgrounds of 0.8 to 12 megapixels) as the command does, drawing included, and writes
benchmarks/results/check.json. Times are of one run in one process, so that only ratios count.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from skimage.data import astronaut

from unmask.cli.check import check_all
from unmask.cli.sources import find_sources
from unmask.detector.detector import Detector
from unmask.errors import UnmaskError
from unmask.evidence.collect import Collector
from unmask.evidence.credentials.reader import CredentialsReader
from unmask.settings import Settings

RESULT = Path(__file__).parent / "results" / "check.json"
#: Width, height and the portrait's side: a web picture, a press photo, a phone's photo.
SHAPES = ((1024, 768, 512), (1600, 1200, 700), (1280, 960, 400), (4000, 3000, 1800))
#: One in so many is a phone's photo of 12 megapixels.
LARGE_EVERY = 10
TARGET = 1.5


class Recorder:
    """A session that keeps what it was run on, to be run on it again alone."""

    def __init__(self, session: Any) -> None:
        self.session, self.runs = session, list[Any]()

    def run(self, *arguments: Any) -> Any:
        self.runs.append(arguments)
        return self.session.run(*arguments)

    def forget(self) -> None:
        """Forget what it was run on."""
        self.runs.clear()

    def alone(self) -> float:
        """Seconds that the network itself takes for all of it, with nothing beside it."""
        start = time.perf_counter()
        for arguments in self.runs:
            self.session.run(*arguments)
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=50)
    parser.add_argument("--no-pictures", action="store_true", help="reports only, nothing drawn")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photos, out = Path(folder) / "photos", Path(folder) / "out"
        make_photos(photos, options.photos)
        out.mkdir()
        result = measure(photos, None if options.no_pictures else out)
    print(table(result))
    if not options.no_pictures and options.photos >= 50:
        RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def make_photos(folder: Path, count: int) -> None:
    """Write JPEGs of quality 88, each with one portrait somewhere on a smooth background."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    portrait = astronaut()[:, :, ::-1]
    for number in range(count):
        large = number % LARGE_EVERY == LARGE_EVERY - 1
        width, height, side = SHAPES[3] if large else SHAPES[number % 3]
        coarse = rng.integers(40, 216, (5, 7, 3)).astype(np.uint8)
        scene = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        scene = cv2.add(scene, rng.integers(0, 9, scene.shape).astype(np.uint8))
        x, y = int(rng.integers(width - side)), int(rng.integers(height - side))
        scene[y : y + side, x : x + side] = cv2.resize(portrait, (side, side))
        path = folder / f"{number:03}.jpg"
        cv2.imwrite(str(path), scene, [cv2.IMWRITE_JPEG_QUALITY, 88])


def measure(photos: Path, out: Path | None) -> dict[str, Any]:
    """Check the photos once to warm up a few, then all of them, and add up the stages."""
    settings = Settings()
    detector, collector = Detector(settings), Collector(CredentialsReader())
    sources = find_sources([str(photos)])
    list(check_all(sources[:3], detector, collector, settings))
    finder, *judges = recorded(detector)
    stages = dict.fromkeys(("decode", "faces", "model", "draw"), 0.0)
    faces = 0
    start = time.perf_counter()
    for _, report in check_all(sources, detector, collector, settings, out):
        if isinstance(report, UnmaskError):
            raise report
        faces += len(report.faces)
        for stage in stages:
            stages[stage] += getattr(report.timings_ms, stage) / 1000
    total = time.perf_counter() - start
    alone = finder.alone(), sum(judge.alone() for judge in judges)
    floor = sum(alone)
    return {
        "photos": len(sources),
        "faces": faces,
        "pictures_drawn": out is not None,
        "model": f"{detector.manifest.name} {detector.manifest.version}",
        "machine": f"{platform.machine()}, {settings.threads or 'all'} threads",
        "seconds": {"total": round(total, 3), "networks": round(floor, 2)},
        "of_networks": {
            "total": round(total / floor, 3),
            "face_network": round(alone[0] / floor, 3),
            "judges": round(alone[1] / floor, 3),
            **{stage: round(seconds / floor, 3) for stage, seconds in stages.items()},
        },
        "target": TARGET,
    }


def recorded(detector: Detector) -> list[Recorder]:
    """Put a recorder before each network: the face network, and those that judge."""
    network = detector._finder._network
    finder = network._session = Recorder(network._session)
    classifier = detector._classifier
    classifier._session = Recorder(classifier._session)
    judges = [finder, classifier._session]
    clip = classifier._clip
    if clip is not None:
        clip._tower, clip._heads = Recorder(clip._tower), Recorder(clip._heads)
        judges += [clip._tower, clip._heads]
    return judges


def table(result: dict[str, Any]) -> str:
    """The result as lines of text."""
    lines = [f"{result['photos']} photos, {result['faces']} faces; in units of the networks' time"]
    lines += [f"  {name:13}{value:6.2f}" for name, value in result["of_networks"].items()]
    return "\n".join([*lines, f"  target       {result['target']:6.2f} for the total"])


if __name__ == "__main__":
    main()
