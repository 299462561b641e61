"""What the search for faces costs with a face and without, and what its short cuts lose.

    python -m benchmarks.looks [DATA ...] [--faces 24] [--scenes 8]

DATA are folders of labelled faces; of their validation split, faces are put into scenes turned,
covered, small, or so that they fill the picture; without DATA the portrait of scikit-image stands
for all of them. Each picture is searched twice: by every look, and as shipped, where the looks for
turned faces and for faces that fill the picture are made only where a smaller look has a hint.
Counted are the faces found, CPU seconds of one thread, and the pixels that the network saw.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data

from benchmarks.service import RESULTS
from unmask.detector import centerface
from unmask.detector.align import Pixels
from unmask.detector.centerface import FoundFace, Glance, overlap
from unmask.detector.faces import FaceFinder

RESULT = RESULTS / "looks.json"
SCENES = ("coffee", "rocket", "chelsea", "brick", "grass", "gravel", "coins", "hubble_deep_field")
#: Sizes of scenes: a web picture and a press photo.
SIZES = ((1024, 768), (1600, 1200))
#: From this overlap on two boxes are one face.
SAME = 0.3


class Counted:
    """A finder whose network's pixels are counted."""

    def __init__(self) -> None:
        self.finder = FaceFinder(threads=1)
        self.pixels = 0
        self._plain = self.finder._network.glance
        self.finder._network.glance = self._glance  # type: ignore[method-assign]

    def _glance(self, pixels: Pixels) -> Glance:
        self.pixels += pixels.shape[0] * pixels.shape[1]
        return self._plain(pixels)

    def search(self, picture: Pixels, least: float) -> tuple[list[FoundFace], float, int]:
        """The faces, CPU seconds and pixels, where a hint has at least this score."""
        shipped, centerface.FAINT, self.pixels = centerface.FAINT, least, 0
        start = time.process_time()
        try:
            faces = self.finder.find(picture)
        finally:
            centerface.FAINT = shipped
        return faces, time.process_time() - start, self.pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", nargs="*", type=Path)
    parser.add_argument("--faces", type=int, default=24)
    parser.add_argument("--scenes", type=int, default=len(SCENES))
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    people = portraits(options.data, options.faces)
    counted = Counted()
    sums: dict[str, Any] = defaultdict(lambda: defaultdict(float))
    for kind, picture in pictures(counted.finder, people, options.scenes):
        add(sums[kind], counted, picture)
        options.out.write_text(json.dumps(table(sums), indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(options.out.read_text(encoding="utf-8"))


def add(total: dict[str, float], counted: Counted, picture: Pixels) -> None:
    """Search one picture both ways, and add up what is seen."""
    every, every_seconds, every_pixels = counted.search(picture, 0.0)
    shipped, seconds, pixels = counted.search(picture, centerface.FAINT)
    total["pictures"] += 1
    total["faces, every look"] += len(every)
    total["of them found as shipped"] += sum(
        any(overlap(face.box, other.box) > SAME for other in shipped) for face in every
    )
    total["faces as shipped"] += len(shipped)
    total["seconds, every look"] += every_seconds
    total["seconds as shipped"] += seconds
    total["megapixels, every look"] += every_pixels / 1e6
    total["megapixels as shipped"] += pixels / 1e6


def table(sums: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Counts as sums; seconds and megapixels as means of a picture."""
    return {
        kind: {
            name: round(value / total["pictures"], 3) if name[:3] in ("sec", "meg") else value
            for name, value in total.items()
        }
        for kind, total in sums.items()
    }


def portraits(folders: list[Path], count: int) -> list[Pixels]:
    """Pictures with one large face each."""
    if not folders:
        return [np.array(skimage.data.astronaut())]
    from model_training.dataset.data import of_split, read_dataset
    from model_training.evaluation.predict import read_rgb

    rows = of_split(read_dataset(folders), "val")
    rows.sort(key=lambda row: hashlib.sha256(row.name.encode()).digest())
    return [read_rgb(row.path) for row in rows[:count]]


def scene(number: int, size: tuple[int, int]) -> Pixels:
    """A picture without a person."""
    picture = getattr(skimage.data, SCENES[number % len(SCENES)])()
    picture = np.repeat(picture[:, :, None], 3, axis=2) if picture.ndim == 2 else picture[..., :3]
    return np.array(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def drawing(number: int, size: tuple[int, int]) -> Pixels:
    """Lines, circles and words on paper."""
    random = np.random.default_rng(number)
    page = np.full((size[1], size[0], 3), 245, np.uint8)
    for _ in range(60):
        a, b = (tuple(int(v) for v in random.integers(0, size)) for _ in range(2))
        colour = tuple(int(v) for v in random.integers(0, 255, 3))
        cv2.line(page, a, b, colour, int(random.integers(1, 8)))
        cv2.circle(page, a, int(random.integers(3, size[0] // 10)), colour, 2)
        cv2.putText(page, "Lorem ipsum", b, 0, float(random.uniform(0.4, 2)), (20, 20, 20), 2)
    return page


def pictures(finder: FaceFinder, people: list[Pixels], scenes: int) -> Iterator[tuple[str, Pixels]]:
    """The kind of each picture, and its pixels."""
    random = np.random.default_rng(1)
    for number, person in enumerate(people):
        found = finder.find(person)
        if not found:
            continue
        size = SIZES[number % 2]
        scenery = scene(number, size)
        face = found[0]
        yield "one face", placed(scenery, person, size[0] * 0.2 / face.size, random)
        small = size[0] * float(random.uniform(0.012, 0.03)) / face.size
        yield "one small face", placed(scenery, person, small, random)
        turned = np.rot90(person, 1 + number % 3)
        wide = size[0] * float(random.uniform(0.04, 0.25)) / face.size
        yield "one turned face", placed(scenery, turned, wide, random)
        yield "one covered face", placed(scenery, covered(person, face, number), wide, random)
        x0, y0, x1, y1 = face.box.astype(int)
        tight = np.ascontiguousarray(person[y0:y1, x0:x1])
        yield "a face fills the picture", tight
        yield "a turned face fills it", np.ascontiguousarray(np.rot90(tight, 1 + number % 3))
    for number in range(scenes):
        size = SIZES[number % 2]
        yield "no face, scene", scene(number, size)
        is_drawn = bool(number % 2)
        noise = random.integers(0, 256, (size[1], size[0], 3), np.uint8)
        kind = "no face, drawing" if is_drawn else "no face, noise"
        yield kind, drawing(number, size) if is_drawn else noise


def covered(person: Pixels, face: FoundFace, number: int) -> Pixels:
    """The picture with a bar over the eyes or the mouth."""
    picture = person.copy()
    eyes = bool(number % 2)
    x, y = (face.landmarks[:2] if eyes else face.landmarks[3:]).mean(axis=0)
    half = face.size * (0.12 if eyes else 0.2)
    low = int(x - face.size * 0.6), int(y - half)
    high = int(x + face.size * 0.6), int(y + half)
    cv2.rectangle(picture, low, high, (30, 30, 40) if eyes else (200, 220, 230), -1)
    return picture


def placed(scenery: Pixels, person: Pixels, scale: float, random: Any) -> Pixels:
    """The scene with the person somewhere in it."""
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    part = cv2.resize(np.ascontiguousarray(person), None, fx=scale, fy=scale, interpolation=method)
    part = part[: scenery.shape[0], : scenery.shape[1]]
    y = int(random.integers(scenery.shape[0] - part.shape[0] + 1))
    x = int(random.integers(scenery.shape[1] - part.shape[1] + 1))
    picture = scenery.copy()
    picture[y : y + part.shape[0], x : x + part.shape[1]] = part
    return picture


if __name__ == "__main__":
    main()
