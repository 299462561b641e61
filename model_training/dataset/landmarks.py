"""Where the face is in each training picture, found once by the detector that serves, and kept."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from model_training.dataset.data import Row
from unmask.detector.align import Floats
from unmask.detector.faces import FaceFinder

#: Landmarks (5, 2) in pixels by picture name; None where no face was found.
Landmarks = Mapping[str, Floats | None]


def landmarks_of(rows: Iterable[Row], cache: Path) -> Landmarks:
    """The largest face's landmarks for every row, read from ``cache`` (CSV) as far as it goes.

    Pictures that the cache does not name are searched and added to it.
    """
    known = _read(cache) if cache.is_file() else {}
    missing = [row for row in rows if row.name not in known]
    if missing:
        finder = FaceFinder()
        for row in track(missing, description="Finding faces"):
            pixels = cv2.cvtColor(read_pixels(row.path), cv2.COLOR_BGR2RGB)
            faces = finder.find(np.asarray(pixels, np.uint8))
            known[row.name] = faces[0].landmarks if faces else None
        _write(cache, known)
        known = _read(cache)  # rounded, as a resumed run reads them
    return known


def read_pixels(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A training picture as BGR (h, w, 3). Raises ValueError where it cannot be decoded."""
    data = np.fromfile(path, np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if pixels is None:
        raise ValueError(f"{path} cannot be decoded")
    return np.asarray(pixels, np.uint8)


def _read(cache: Path) -> dict[str, Floats | None]:
    known: dict[str, Floats | None] = {}
    with cache.open(newline="", encoding="utf-8") as lines:
        for name, *values in csv.reader(lines):
            points = np.array(values, np.float32).reshape(5, 2) if values else None
            known[name] = points
    return known


def _write(cache: Path, known: Landmarks) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    with cache.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        for name, points in known.items():
            values = [] if points is None else [f"{value:.2f}" for value in points.ravel()]
            writer.writerow([name, *values])
