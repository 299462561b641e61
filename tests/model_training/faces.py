"""A made data set for training: the portrait's head again and again, faked by its colours."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from model_training.dataset.data import MANIFEST, Row, read_dataset
from model_training.dataset.landmarks import Landmarks

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

#: The portrait's eyes, nose and mouth corners, in its pixels.
LANDMARKS = np.array([[203, 102], [247, 104], [223, 125], [203, 142], [241, 144]], np.float32)
SIDE = 256
COLUMNS = ("file", "split", "label", "kind", "source", "group", "mask", "parts")


def head(portrait: Pixels, number: int = 0) -> tuple[Pixels, Floats]:
    """A crop of the portrait (256, 256, 3), another one for each number, and its landmarks."""
    random = np.random.default_rng(number)
    left, top = int(random.integers(85, 105)), int(random.integers(0, 15))
    crop = portrait[top : top + SIDE, left : left + SIDE].astype(np.float32)
    crop = crop * random.uniform(0.8, 1.1) + random.normal(0, 2, crop.shape)
    landmarks = LANDMARKS - np.array([left, top], np.float32)
    return np.clip(crop, 0, 255).astype(np.uint8), landmarks


def write_picture(path: Path, pixels: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.ascontiguousarray(pixels[..., ::-1]))


def write_dataset(folder: Path, portrait: Pixels, each: int = 4) -> Path:
    """``each`` real and fake pictures of train and val; fakes have red and blue exchanged, every
    second one only in its lower half, which its mask says."""
    records = []
    for split in ("train", "val"):
        for label in ("real", "fake"):
            for number in range(each):
                name = f"{split}/{label}{number}.png"
                pixels, _ = head(portrait, len(records))
                record = {"file": name, "split": split, "label": label, "kind": "camera"}
                record |= {"source": label, "group": name}
                if label == "fake":
                    mask = np.full((SIDE, SIDE, 3), 255, np.uint8)
                    mask[: SIDE // 2] = 0 if number % 2 else 255
                    pixels = np.where(mask > 0, pixels[..., ::-1], pixels)
                    record |= {"kind": "stylegan", "mask": f"{split}/mask{number}.png"}
                    write_picture(folder / record["mask"], mask)
                write_picture(folder / name, pixels)
                records.append(record)
    with (folder / MANIFEST).open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        writer.writerows(records)
    return folder


def known_landmarks(folder: Path, portrait: Pixels) -> tuple[list[Row], Landmarks]:
    """The rows of a made data set and, without a search, their landmarks."""
    rows = read_dataset(folder)
    return rows, {row.name: head(portrait, number)[1] for number, row in enumerate(rows)}


def row(name: str, label: int = 0, source: str = "s", group: str | None = None) -> Row:
    """A row of no picture: ``name`` is also its path and, unless one is given, its group."""
    return Row(Path(name), name, "train", label, "kind", source, group or name)
