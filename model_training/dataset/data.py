"""Reads labelled face pictures: a manifest's, or folders like '140k Real and Fake Faces'.

Manifest form: a folder with faces.csv: file, split, label, kind, source, group, mask, parts.
Folder form: ``train|valid|test / real|fake / picture``, at any depth under the folder given, as
the Kaggle archive nests it; CSV files beside it are not needed and not read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "faces.csv"
PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
SPLITS = {"train": "train", "valid": "val", "val": "val", "validation": "val", "test": "test"}
LABELS = {"real": 0, "fake": 1}


@dataclass(frozen=True)
class Row:
    """One labelled picture. ``label`` is 1 for a fake; ``group`` ties pictures that must stay on
    one side of a split; ``mask`` names a PNG that is 255 where the face was manipulated; ``parts``
    holds, for a hand retouch, four digits for viewer-left eye, viewer-right eye, nose, mouth."""

    path: Path
    name: str
    split: str
    label: int
    kind: str
    source: str
    group: str
    mask: Path | None = None
    parts: str = ""


def read_dataset(folder: Path) -> list[Row]:
    """Every labelled picture under ``folder``, in a fixed order.

    Raises ValueError where neither form is found, a label or split is unknown, a picture or mask
    is missing, or one group stands in two splits.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder")
    manifest = folder / MANIFEST
    rows = _from_manifest(folder) if manifest.is_file() else _from_folders(folder)
    if not rows:
        raise ValueError(
            f"{folder} holds neither {MANIFEST} nor folders like train/real and train/fake"
        )
    _check_groups(rows)
    return rows


def split_of(rows: Iterable[Row], split: str) -> list[Row]:
    """The rows of one split. Raises ValueError where there are none."""
    found = of_split(rows, split)
    if not found:
        raise ValueError(f"the split {split!r} is empty")
    return found


def of_split(rows: Iterable[Row], split: str) -> list[Row]:
    """The rows of one split: train, val or test."""
    return [row for row in rows if row.split == split]


def _from_manifest(folder: Path) -> list[Row]:
    with (folder / MANIFEST).open(newline="", encoding="utf-8") as lines:
        return [_manifest_row(folder, record) for record in csv.DictReader(lines)]


def _manifest_row(folder: Path, record: dict[str, str]) -> Row:
    name, label, split = (record.get(column) or "" for column in ("file", "label", "split"))
    if label not in LABELS or split not in SPLITS:
        raise ValueError(f"{MANIFEST}: {name} has the label {label!r} and the split {split!r}")
    path = folder / name
    if not path.is_file():
        raise ValueError(f"{MANIFEST} names {name}, which is not there")
    mask = record.get("mask") or ""
    if mask and not (folder / mask).is_file():
        raise ValueError(f"{MANIFEST} names {mask}, which is not there")
    return Row(
        path=path,
        name=name,
        split=SPLITS[split],
        label=LABELS[label],
        kind=record.get("kind") or label,
        source=record.get("source") or folder.name,
        group=record.get("group") or name,
        mask=folder / mask if mask else None,
        parts=record.get("parts") or "",
    )


def _from_folders(folder: Path) -> list[Row]:
    rows = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if len(parts) < 3 or path.suffix.lower() not in PICTURES:
            continue
        split, label = parts[-3].lower(), parts[-2].lower()
        if split in SPLITS and label in LABELS:
            kind = "camera" if label == "real" else "stylegan"
            name = path.relative_to(folder).as_posix()
            row = Row(path, name, SPLITS[split], LABELS[label], kind, "140k", name)
            rows.append(row)
    return rows


def _check_groups(rows: Sequence[Row]) -> None:
    where: dict[str, str] = {}
    for row in rows:
        if where.setdefault(row.group, row.split) != row.split:
            raise ValueError(f"group {row.group} stands in {where[row.group]} and in {row.split}")
