"""Measures what is said of pictures of several people, made of the split's own pictures.

The data set shows one face a picture, but a group photo has a chance to be called fake for each of
its faces. Sheets of real faces, and of real faces with one fake among them, tell how often it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from model_training.dataset.data import Folders, Row, read_dataset, split_of
from model_training.evaluation import tables
from model_training.evaluation.metrics import jsonable, write_json
from model_training.evaluation.predict import predict, read_rgb
from model_training.evaluation.tables import Judged, Table
from unmask.detector.align import Pixels
from unmask.detector.manifest import Manifest, load_manifest

CROWDS_FILE = "crowds.json"
SEED = 150_000
#: Most sheets of one size and kind: their faces are judged one by one, and more say little more.
MAX_SHEETS = 72
#: JPEG quality of a sheet.
QUALITY = 85


@dataclass(frozen=True)
class Sheet:
    """A picture of ``side`` times ``side`` people, each on a square tile of ``tile`` pixels: the
    larger the group, the smaller its faces."""

    side: int
    tile: int

    @property
    def people(self) -> int:
        """How many people it shows."""
        return self.side**2


SHEETS = (Sheet(2, 256), Sheet(3, 192), Sheet(4, 128))


def measure(
    data_dir: Folders,
    manifest_path: Path,
    out_dir: Path,
    *,
    split: str = "test",
    cache: Path | None = None,
    repeats: int = 1000,
) -> Table:
    """Write crowds.json: for each size of group the shares of verdicts, with the bounds that rise
    with the number of faces and ("single") with those of one face.

    Raises ValueError for a split without real or fake pictures.
    """
    rows = split_of(read_dataset(data_dir), split)
    manifest = load_manifest(manifest_path)
    groups: Table = {}
    for sheet in SHEETS:
        with TemporaryDirectory() as folder:
            made = write_sheets(rows, sheet, Path(folder))
            found = predict(made, manifest_path, cache=cache)
        raised, single = (
            tables.judge(made, found, found.suspicious, one)
            for one in (manifest, _single(manifest))
        )
        groups[str(sheet.people)] = {
            "tile": sheet.tile,
            "real_bound": manifest.thresholds.real_among(sheet.people),
            "fake_bound": manifest.thresholds.fake_among(sheet.people),
            "faces_found": float(found.faces.mean()),
            "real": _shares(raised, single, 0, repeats),
            "one_fake": _shares(raised, single, 1, repeats),
        }
    result: Table = jsonable(
        {
            "version": 1,
            "split": split,
            "model": {"version": manifest.version, "sha256": manifest.sha256},
            "sources": tables.sources_of(rows),
            "groups": groups,
        }
    )
    write_json(out_dir / CROWDS_FILE, result)
    return result


def write_sheets(rows: Sequence[Row], sheet: Sheet, folder: Path) -> list[Row]:
    """Make up to MAX_SHEETS sheets of real pictures, each on one; then the same sheets with a fake
    in the place of one person. What does not fill a sheet is left out. Returns their rows.

    The same rows give the same sheets. Raises ValueError for fewer reals than one sheet shows, or
    no fakes.
    """
    reals = [row for row in rows if row.label == 0]
    fakes = [row for row in rows if row.label == 1]
    if len(reals) < sheet.people or not fakes:
        raise ValueError(f"there must be {sheet.people} real pictures and a fake at least")
    dice = np.random.default_rng([SEED, sheet.people])
    count = min(len(reals) // sheet.people, MAX_SHEETS)
    order = dice.permutation(len(reals))[: count * sheet.people]
    culprits = dice.permutation(len(fakes))
    made = []
    for number, shown in enumerate(order.reshape(-1, sheet.people)):
        people = [reals[index] for index in shown]
        made.append(_written(people, sheet, folder / f"reals-{sheet.people}-{number}.jpg", 0))
        place = int(dice.integers(sheet.people))
        people[place] = fakes[culprits[number % len(fakes)]]
        made.append(_written(people, sheet, folder / f"fake-{sheet.people}-{number}.jpg", 1))
    return made


def _written(people: Sequence[Row], sheet: Sheet, path: Path, label: int) -> Row:
    tiles = [_tile(read_rgb(row.path), sheet.tile) for row in people]
    lines = [np.hstack(tiles[at : at + sheet.side]) for at in range(0, len(tiles), sheet.side)]
    pixels = np.vstack(lines)[:, :, ::-1]
    cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return Row(path, path.name, "test", label, "group", "group", path.stem)


def _tile(pixels: Pixels, side: int) -> Pixels:
    """The picture within a square of ``side`` pixels, black beside it."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    tile = np.zeros((side, side, 3), np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(pixels, size, interpolation=method)
    return tile


def _single(manifest: Manifest) -> Manifest:
    """The manifest with the bounds of one face, however many there are."""
    bounds = manifest.thresholds.model_copy(update={"family": None})
    return manifest.model_copy(update={"thresholds": bounds})


def _shares(raised: Judged, single: Judged, label: int, repeats: int) -> Table:
    own = raised.label == label
    return {
        **tables.verdict_shares(raised.where(own)),
        "called_fake": tables.share_called(raised.where(own), repeats),
        "called_fake_single": tables.share_called(single.where(own), repeats),
        "real_single": tables.verdict_shares(single.where(own))["real"],
    }
