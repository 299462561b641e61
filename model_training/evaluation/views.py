"""Measures the model on faces that are hard to see: small, turned to the side, partly covered.

Small ones are copies of the split's pictures, scaled down; turned ones are all of its pictures
whose eyes lie close together; covers are drawn over the faces. Each goes the whole way
of a checked picture, its face found again. Bounds are the manifest's; nothing is fixed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from model_training.dataset.data import Folders, Row, capped, read_dataset, split_of
from model_training.dataset.landmarks import landmarks_of
from model_training.evaluation import tables
from model_training.evaluation.conditions import scaled
from model_training.evaluation.cover_faces import KINDS, covered_picture
from model_training.evaluation.metrics import Doubles, Flags, jsonable, write_json
from model_training.evaluation.predict import Degradation, Predictions, fingerprint, predict
from model_training.evaluation.tables import Judged, Table
from unmask.detector.align import Pixels, eyes_apart, quad_side
from unmask.detector.faces import FaceFinder
from unmask.detector.manifest import Manifest, load_manifest

VIEWS_FILE = "views.json"
#: Copies from which the small faces come, as parts of the picture's sides.
SCALES = (1.0, 0.5, 0.25, 1 / 6)
#: Bounds between the rows beside the manifest's own: sides of a face's frame in pixels, and how far
#: its eyes lie apart, in distances from eyes to mouth.
SIDES, APART = (64.0, 96.0, 160.0), (0.65, 0.85)
#: An area under the curve of fewer pictures of either class says too little.
LEAST = 20


@dataclass(frozen=True)
class _Faces:
    """Pictures as they were judged, with the side of each one's largest face in pixels and how far
    its eyes lie apart, both (n,); NaN where no face was found."""

    judged: Judged
    sides: Doubles
    apart: Doubles


def measure(
    data_dir: Folders,
    manifest_path: Path,
    out_dir: Path,
    *,
    split: str = "test",
    cache: Path | None = None,
    repeats: int = 1000,
    most: int | None = None,
) -> Table:
    """Write views.json for a split; return it.

    ``most`` bounds the pictures of each source and class, for there are several copies. A row holds
    the verdicts on real and on fake pictures, and the area under the curve where both are enough.
    Raises ValueError for an empty split.
    """
    whole = split_of(read_dataset(data_dir), split)
    rows = whole if most is None else capped(whole, most)
    manifest = load_manifest(manifest_path)

    def seen(chosen: Sequence[Row], copy: Degradation | None) -> _Faces:
        answers = predict(chosen, manifest_path, cache=cache, degradation=copy)
        return _faces(chosen, answers, manifest)

    copies = [seen(rows, _smaller(scale)) for scale in SCALES]
    small = _joined(copies)
    plain = copies[0]
    turned = seen(_turned(whole, cache), None)
    least = manifest.min_face, manifest.visibility.eyes_apart
    kinds = list(KINDS)
    covers = {
        kind: seen(rows[number :: len(kinds)], _cover(kind)) for number, kind in enumerate(kinds)
    }
    result: Table = jsonable(
        {
            "version": 1,
            "split": split,
            "model": {"version": manifest.version, "sha256": manifest.sha256},
            "counts": tables.counts(plain.judged),
            "most": most,
            "scales": list(SCALES),
            "small": dict(_binned(small.judged, small.sides, (least[0], *SIDES), repeats)),
            "turned": dict(_binned(turned.judged, turned.apart, (least[1], *APART), repeats)),
            "covered": {
                "no cover": _row(plain.judged, repeats),
                "any cover": _row(_joined(list(covers.values())).judged, repeats),
                **{kind: _row(faces.judged, repeats) for kind, faces in covers.items()},
            },
        }
    )
    write_json(out_dir / VIEWS_FILE, result)
    return result


def _turned(rows: Sequence[Row], cache: Path | None) -> list[Row]:
    """The pictures whose largest face is turned: they are few, so all of them are looked for."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) if cache is None else cache
        known = landmarks_of(rows, folder / f"landmarks-{fingerprint(rows)}.csv")
    apart = {name: eyes_apart(points) for name, points in known.items() if points is not None}
    return [row for row in rows if apart.get(row.name, 1.0) < APART[-1]]


def _smaller(scale: float) -> Degradation | None:
    return None if scale == 1 else Degradation(f"sides times {scale:.3g}", scaled(scale))


def _cover(kind: str) -> Degradation:
    return Degradation(f"covered by: {kind}", _covering(kind))


def _covering(kind: str) -> Callable[[Pixels], Pixels]:
    finder = FaceFinder(1)

    def step(pixels: Pixels) -> Pixels:
        faces = finder.find(pixels)
        return covered_picture(pixels, faces[0].landmarks, kind)[0] if faces else pixels

    return step


def _faces(rows: Sequence[Row], answers: Predictions, manifest: Manifest) -> _Faces:
    largest = answers.largest
    judged = tables.judge(rows, answers, largest, manifest)
    sides, apart = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for picture in np.flatnonzero(largest >= 0):
        sides[picture] = quad_side(answers.quads[largest[picture]])
        apart[picture] = answers.eyes_apart[largest[picture]]
    return _Faces(judged, sides, apart)


def _joined(parts: Sequence[_Faces]) -> _Faces:
    judged = parts[0].judged
    for part in parts[1:]:
        judged = judged.joined(part.judged)
    sides, apart = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("sides", "apart")
    )
    return _Faces(judged, sides, apart)


def _binned(
    judged: Judged, values: Doubles, bounds: Sequence[float], repeats: int
) -> Iterator[tuple[str, Table]]:
    """A row for each range between the bounds, by its name as people read it."""
    if bounds[0] > 0:
        yield f"under {bounds[0]:g}", _row(judged.where(values < bounds[0]), repeats)
    for low, high in pairwise(bounds):
        inside: Flags = (values >= low) & (values < high)
        yield f"{low:g} to {high:g}", _row(judged.where(inside), repeats)
    above = values >= bounds[-1]
    if above.any():
        yield f"{bounds[-1]:g} and more", _row(judged.where(above), repeats)


def _row(judged: Judged, repeats: int) -> Table:
    row: Table = {}
    for name, label in (("real", 0), ("fake", 1)):
        part = judged.where(judged.label == label)
        row[name] = tables.verdict_shares(part)
        if len(part):
            row[name]["called_fake"] = tables.share_called(part, repeats)
    if min(row["real"]["count"], row["fake"]["count"]) >= LEAST:
        row["auc"] = tables.separation(judged, repeats)["auc"]
    return row
