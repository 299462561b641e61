"""What a check costs by what is in the picture: a face, large or small, eight, none; from a phone.

    python -m benchmarks.shapes [--repeats 3]

CPU seconds of one thread for the whole of it (opened, examined, drawn, stored), and for the
networks alone on what they were asked. The pictures are made of the portrait of scikit-image.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from PIL import Image

from benchmarks.check import Recorder, recorded
from benchmarks.peers import Kit, put_picture
from benchmarks.service import RESULTS
from unmask.detector.align import Pixels

RESULT = RESULTS / "shapes.json"
PRESS, PHONE = (1600, 1200), (4000, 3000)
STAGES = ("decode", "faces", "model", "draw", "evidence")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    pictures = {
        "1600 x 1200, one face": scene(PRESS, 400, 1),
        "1600 x 1200, one small face": scene(PRESS, 200, 1),
        "1600 x 1200, eight faces": scene(PRESS, 400, 8),
        "1600 x 1200, no face": scene(PRESS, 400, 0),
        "1600 x 1200, no face, coffee": coffee(PRESS),
        "4000 x 3000, one face": scene(PHONE, 1800, 1),
        "4000 x 3000, one small face": scene(PHONE, 400, 1),
        "4000 x 3000, no face": scene(PHONE, 1800, 0),
    }
    with tempfile.TemporaryDirectory(prefix="unmask-bench-") as folder:
        kit = Kit(Path(folder), threads=1)
        kit.examine([put_picture(kit.store, jpeg(pictures["1600 x 1200, one face"], 0))])
        networks = recorded(kit.detector)
        result = {
            name: measure(kit, networks, picture, repeats) for name, picture in pictures.items()
        }
        kit.examiner.close()
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(RESULT.read_text(encoding="utf-8"))


def measure(kit: Kit, networks: list[Recorder], picture: Pixels, repeats: int) -> dict[str, float]:
    """The least CPU seconds of a check, those of its networks, and its stages' shares."""
    seconds, alone = list[float](), list[float]()
    stages = dict.fromkeys(STAGES, 0.0)
    for number in range(repeats):
        for network in networks:
            network.forget()
        data = put_picture(kit.store, jpeg(picture, number + 1))
        start = time.process_time()
        (report,) = kit.examine([data])
        seconds.append(time.process_time() - start)
        start = time.process_time()
        for network in networks:
            network.alone()
        alone.append(time.process_time() - start)
        timings = json.loads(report)["timings_ms"]
        for stage in STAGES:
            stages[stage] += timings[stage] / sum(timings[name] for name in STAGES) / repeats
    floor = min(alone)
    whole = min(seconds)
    return {
        "cpu_seconds": round(whole, 3),
        "networks": round(floor, 3),
        "of_networks": round(whole / floor, 2),
        **{f"share of {stage}": round(share, 3) for stage, share in stages.items()},
    }


def scene(size: tuple[int, int], side: int, faces: int) -> Pixels:
    """A smooth background with so many portraits of that side, in two rows."""
    random = np.random.default_rng(1)
    coarse = random.integers(40, 216, (5, 7, 3)).astype(np.uint8)
    picture = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    portrait = cv2.resize(skimage.data.astronaut(), (side, side))
    for number in range(faces):
        x, y = number % 4 * side, number // 4 * size[1] // 2
        picture[y : y + side, x : x + side] = portrait
    return np.asarray(picture, np.uint8)


def coffee(size: tuple[int, int]) -> Pixels:
    """A photograph of a cup, with nobody in it."""
    return np.asarray(cv2.resize(skimage.data.coffee(), size, interpolation=cv2.INTER_CUBIC))


def jpeg(picture: Pixels, number: int) -> bytes:
    """A file of its own for each number."""
    picture = picture.copy()
    picture[:8, :8] = number * 16
    out = BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=88)
    return out.getvalue()


if __name__ == "__main__":
    main()
