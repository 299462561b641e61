"""Reads labelled face pictures: a manifest's, or folders like '140k Real and Fake Faces'.

Manifest form: a folder with faces.csv: file, split, label, kind, source, group, mask, parts, twin.
Folder form: ``train|valid|test / real|fake / picture``, at any depth under the folder given, as
the Kaggle archive nests it; CSV files beside it are not needed and not read.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

MANIFEST = "faces.csv"
PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
SPLITS = {"train": "train", "valid": "val", "val": "val", "validation": "val", "test": "test"}
LABELS = {"real": 0, "fake": 1}


@dataclass(frozen=True)
class Row:
    """One labelled picture. ``label`` is 1 for a fake; ``group`` ties pictures that must stay on
    one side of a split; ``mask`` names a PNG that is 255 where the face was manipulated; ``parts``
    holds, for a hand retouch, four digits for viewer-left eye, viewer-right eye, nose, mouth;
    ``twin`` is the name of the photograph that a whole fake was made from, pixel by pixel."""

    path: Path
    name: str
    split: str
    label: int
    kind: str
    source: str
    group: str
    mask: Path | None = None
    parts: str = ""
    twin: str = ""


#: One folder of pictures, or several that make one set.
Folders = Path | Sequence[Path]


def read_dataset(folders: Folders) -> list[Row]:
    """Every labelled picture under ``folders``, in a fixed order.

    Of several folders each row's name begins with its folder's, so that no two are alike. Raises
    ValueError where neither form is found, two folders have one name, a label or split is
    unknown, a picture or mask is missing, or one group stands in two splits.
    """
    if isinstance(folders, Path):
        rows = _from_folder(folders)
    else:
        names = [folder.resolve().name for folder in folders]
        if len(set(names)) < len(names):
            raise ValueError(f"of the folders {', '.join(names)}, two have one name")
        parts = [_from_folder(folder) for folder in folders]
        if len(parts) > 1:
            parts = [_named(part, name) for part, name in zip(parts, names, strict=True)]
        rows = [row for part in parts for row in part]
    _check_groups(rows)
    return rows


def _named(rows: Sequence[Row], folder: str) -> list[Row]:
    """A folder's rows under their names in a set of several. What they name in their own folder
    follows: the group that a picture is by itself, and a twin; other groups and twins may lie in
    any folder."""
    own = {row.name: f"{folder}/{row.name}" for row in rows}
    return [
        replace(
            row,
            name=own[row.name],
            group=own[row.name] if row.group == row.name else row.group,
            twin=own.get(row.twin, row.twin),
        )
        for row in rows
    ]


def _from_folder(folder: Path) -> list[Row]:
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder")
    manifest = folder / MANIFEST
    rows = _from_manifest(folder) if manifest.is_file() else _from_folders(folder)
    if not rows:
        raise ValueError(
            f"{folder} holds neither {MANIFEST} nor folders like train/real and train/fake"
        )
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


def capped(rows: Sequence[Row], most: int) -> list[Row]:
    """At most ``most`` rows of each source and class, the same each time."""
    order = sorted(rows, key=lambda row: hashlib.sha256(row.name.encode()).digest())
    count: dict[tuple[str, int], int] = {}
    kept = []
    for row in order:
        key = row.source, row.label
        count[key] = count.get(key, 0) + 1
        if count[key] <= most:
            kept.append(row)
    return kept


def write_splits(rows: Iterable[Row], path: Path) -> None:
    """Write which picture stands in which split, with what ties it to others, as CSV."""
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["file", "split", "label", "kind", "source", "group"])
        for row in rows:
            label = "fake" if row.label else "real"
            writer.writerow([row.name, row.split, label, row.kind, row.source, row.group])


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
        twin=record.get("twin") or "",
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
