"""Makes fakes one by one into a folder, and names them in its faces.csv."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from model_training.dataset.data import MANIFEST
from model_training.dataset.landmarks import read_pixels
from unmask.detector.align import Pixels

COLUMNS = (
    *("file", "split", "label", "kind", "source", "group", "mask", "parts"),
    *("width", "height", "twin"),
)
#: JPEG quality of what is made; each picture is compressed once.
QUALITY = 82
#: Where, in percent, the groups of train and val end; test has the rest.
TRAIN_ENDS, VAL_ENDS = 80, 88

Record = Mapping[str, str]


@dataclass(frozen=True)
class Fake:
    """A fake that is to be made: what faces.csv says of it, and what makes it, RGB (h, w, 3).

    ``file`` must say of itself what is in it (maker, seed and number, or photograph): a file that
    is there is taken for this fake and not made again.
    """

    file: str
    split: str
    kind: str
    source: str
    group: str
    make: Callable[[], Pixels]
    twin: str = ""


def split_of_group(group: str) -> str:
    """The split of a group, by its hash alone: 80 % train, 8 % val, 12 % test."""
    place = int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") % 100
    return "train" if place < TRAIN_ENDS else "val" if place < VAL_ENDS else "test"


def write_fakes(fakes: Sequence[Fake], out: Path) -> int:
    """Make those of ``fakes`` that are not in ``out`` yet; return how many that were.

    The folder's faces.csv keeps what it named before, so that a folder can hold the fakes of
    several makers and seeds. Broken off, it names what was made until then. Raises ValueError for
    a faces.csv that has other columns, and for a picture that is there and cannot be read.
    """
    manifest = out / MANIFEST
    records = {record["file"]: record for record in _read(manifest)}
    made = 0
    try:
        for fake in track(fakes, description="Making fakes"):
            path = out / fake.file
            if not path.is_file():
                _write_picture(path, fake.make())
                made += 1
            records[fake.file] = _record(fake, read_pixels(path).shape)
    finally:
        if records:
            _write(manifest, [records[name] for name in sorted(records)])
    return made


def _record(fake: Fake, shape: Sequence[int]) -> Record:
    return {
        "file": fake.file,
        "split": fake.split,
        "label": "fake",
        "kind": fake.kind,
        "source": fake.source,
        "group": fake.group,
        "mask": "",
        "parts": "",
        "width": str(shape[1]),
        "height": str(shape[0]),
        "twin": fake.twin,
    }


def _write_picture(path: Path, pixels: Pixels) -> None:
    """In one step, so that what is there is whole."""
    bgr = np.ascontiguousarray(pixels[:, :, ::-1])
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ValueError(f"{path} cannot be encoded")
    _replace(path, data.tobytes())


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


def _read(manifest: Path) -> Iterator[Record]:
    if not manifest.is_file():
        return
    with manifest.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        if set(reader.fieldnames or ()) != set(COLUMNS):
            raise ValueError(f"{manifest} has other columns than {','.join(COLUMNS)}")
        yield from reader


def _write(manifest: Path, records: Sequence[Record]) -> None:
    part = manifest.with_name(f"{manifest.name}.part")
    with part.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
    part.replace(manifest)
