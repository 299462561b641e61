"""What parts of the recipe are worth, on heads that are fitted on written features of CLIP's tower.

Each row differs from the first in one thing: the tower, the copies it saw, the crop, the data, the
form of the head. Fitted on the training split and measured on validation, plain and worn; so rows
say which way things go, not what the shipped model reaches, which was trained end to end.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model_training.dataset.data import Folders, Row, capped, of_split, read_dataset
from model_training.dataset.families import FAMILIES
from model_training.dataset.landmarks import landmarks_of, read_pixels
from model_training.dataset.samples import scaled
from model_training.evaluation.features import PLAIN, Look, Written, write_features
from model_training.evaluation.left_out import fit, score
from model_training.evaluation.metrics import (
    Doubles,
    Indices,
    bootstrap,
    jsonable,
    roc_auc,
    write_json,
)
from model_training.evaluation.predict import fingerprint
from model_training.evaluation.tables import Table, figure
from unmask.detector.align import Floats, frame_quad

HEADS_FILE = "heads.json"
#: Most pictures of each source and class to fit on, and to measure on.
FITTED_ON, MEASURED_ON = 80, 50
#: The wide crop's side in sides of FFHQ's frame, about 2.2 times the face's box; pictures count for
#: the comparison of crops where so much of it lies inside them.
WIDE, INSIDE = 1.3, 0.85
#: Numbers of the worn copies: two to fit on, another to measure on.
WORN, MEASURED_WORN = (1, 2), 3
#: The hidden layer of the head that is no line, its penalty, and its seed.
HIDDEN, PENALTY, SEED = 256, 1e-2, 0
TUNED = Look(tuned=True)


@dataclass(frozen=True)
class _Set:
    """The pictures to fit on and to measure on, and where what is made of them is kept."""

    train: list[Row]
    val: list[Row]
    manifest: Path
    cache: Path

    def seen(self, split: str, look: Look) -> Written:
        """Their features as a tower sees them."""
        rows = self.train if split == "train" else self.val
        return write_features(rows, self.manifest, self.cache, 1, look)


def measure(
    data_dir: Folders, manifest_path: Path, out_dir: Path, *, cache: Path, repeats: int = 500
) -> Table:
    """Write heads.json; return it. ``cache`` is a folder for landmarks and features.

    Raises ValueError where the model has no CLIP, or a split lacks a class.
    """
    rows = read_dataset(data_dir)
    chosen = _Set(
        capped(of_split(rows, "train"), FITTED_ON),
        capped(of_split(rows, "val"), MEASURED_ON),
        manifest_path,
        cache,
    )
    table: Table = {
        "version": 1,
        "fitted_on": FITTED_ON,
        "measured_on": MEASURED_ON,
        "recipe": dict(_recipe(chosen, repeats)),
        "data": dict(_data(chosen, data_dir, repeats)),
        "crop": dict(_crops(chosen, repeats)),
    }
    jsoned: Table = jsonable(table)
    write_json(out_dir / HEADS_FILE, jsoned)
    return jsoned


def _recipe(chosen: _Set, repeats: int) -> Iterator[tuple[str, Table]]:
    """The tower, the copies and the form of the head."""
    plain, worn = chosen.seen("val", PLAIN), chosen.seen("val", Look(worn=MEASURED_WORN))
    train = chosen.seen("train", PLAIN)
    copies = [chosen.seen("train", Look(worn=number)) for number in WORN]
    both = train.joined(copies[0]).joined(copies[1])
    yield (
        "lines by family, published tower, pictures as they are",
        _row(train, plain, worn, repeats),
    )
    yield "and two worn copies of each", _row(both, plain, worn, repeats)
    yield (
        "one line for all fakes, worn copies too",
        _measured(plain, worn, _one_line(both), both, repeats),
    )
    yield "a layer of 256 before it", _measured(plain, worn, _network(both), both, repeats)
    tuned_val = chosen.seen("val", TUNED), chosen.seen("val", Look(True, worn=MEASURED_WORN))
    tuned = chosen.seen("train", TUNED)
    yield "lines by family, tuned tower, pictures as they are", _row(tuned, *tuned_val, repeats)
    tuned_both = tuned.joined(chosen.seen("train", Look(True, worn=WORN[0])))
    yield "and a worn copy of each", _row(tuned_both, *tuned_val, repeats)


def _data(chosen: _Set, data_dir: Folders, repeats: int) -> Iterator[tuple[str, Table]]:
    """Each folder of the data added in turn: lines by family on the published tower."""
    if isinstance(data_dir, Path) or len(data_dir) < 2:
        return
    train, plain = chosen.seen("train", PLAIN), chosen.seen("val", PLAIN)
    worn = chosen.seen("val", Look(worn=MEASURED_WORN))
    names = [folder.resolve().name for folder in data_dir]
    folders = np.array([row.name.split("/")[0] for row in train.rows])
    for count in range(1, len(names) + 1):
        part = train.where(np.isin(folders, names[:count]))
        yield " + ".join(names[:count]), _row(part, plain, worn, repeats)


def _crops(chosen: _Set, repeats: int) -> Iterator[tuple[str, Table]]:
    """FFHQ's frame, the wide one and both, on pictures that reach far enough beyond the face."""
    reaching = _Set(
        _reaching(chosen.train, chosen.cache),
        _reaching(chosen.val, chosen.cache),
        chosen.manifest,
        chosen.cache,
    )
    if any({row.label for row in part} != {0, 1} for part in (reaching.train, reaching.val)):
        return
    looks = {"FFHQ's frame": PLAIN, f"{WIDE:g} times its side": Look(frame=WIDE)}
    seen = {
        name: [reaching.seen(split, look) for split in ("train", "val")]
        for name, look in looks.items()
    }
    frame, wide = seen.values()
    seen["both"] = [narrow.beside(broad) for narrow, broad in zip(frame, wide, strict=True)]
    for name, (train, val) in seen.items():
        yield name, _row(train, val, None, repeats)


def _reaching(rows: list[Row], cache: Path) -> list[Row]:
    """The pictures of which most of the wide crop is inside."""
    known = landmarks_of(rows, cache / f"landmarks-{fingerprint(rows)}.csv")
    kept = []
    for row in rows:
        landmarks = known[row.name]
        if landmarks is not None and _inside(landmarks, read_pixels(row.path).shape[:2]) >= INSIDE:
            kept.append(row)
    return kept


def _inside(landmarks: Floats, shape: tuple[int, ...]) -> float:
    """The share of the wide crop that lies in a picture of this (height, width)."""
    quad = scaled(frame_quad(landmarks), WIDE)
    steps = (np.arange(32) + 0.5) / 32
    right, down = quad[1] - quad[0], quad[3] - quad[0]
    x, y = (
        quad[0][axis] + np.add.outer(steps * down[axis], steps * right[axis]) for axis in (0, 1)
    )
    return float(np.mean((x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0])))


#: Features (n, k) to logits (n,).
Judge = Callable[[Floats], Floats]


def _row(train: Written, plain: Written, worn: Written | None, repeats: int) -> Table:
    heads = fit(train)
    return _measured(plain, worn, lambda features: score(heads, features), train, repeats)


def _one_line(train: Written) -> Judge:
    """One line over all fakes."""
    scaler, lines = fit(train)
    return lambda features: np.asarray(
        lines[0].decision_function(scaler.transform(features)), np.float32
    )


def _network(train: Written) -> Judge:
    """A hidden layer over all fakes, its fitting ended where a tenth held back tells it to."""
    layers = MLPClassifier((HIDDEN,), alpha=PENALTY, early_stopping=True, random_state=SEED)
    model = make_pipeline(StandardScaler(), layers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(train.features, train.labels)

    def judge(features: Floats) -> Floats:
        chances = np.clip(model.predict_proba(features)[:, 1], 1e-7, 1 - 1e-7)
        return np.asarray(np.log(chances / (1 - chances)), np.float32)

    return judge


def _measured(
    plain: Written, worn: Written | None, judge: Judge, train: Written, repeats: int
) -> Table:
    """The area under the curve over all pictures, plain and worn, and each family's against all
    photographs."""
    logits = judge(plain.features)
    groups = np.array([row.group for row in plain.rows])
    labels = plain.labels

    def again(drawn: Indices) -> Doubles:
        return np.array([roc_auc(labels[drawn], logits[drawn])])

    span = bootstrap(again, groups, repeats)[0]
    own = np.array([FAMILIES.get(row.kind, "") if row.label else "" for row in plain.rows])
    families = {}
    for name in sorted(set(FAMILIES.values())):
        part = (own == name) | ~labels
        if (own == name).any():
            families[name] = roc_auc(labels[part], logits[part])
    return {
        "fitted_on": len(train.rows),
        "real": int((~labels).sum()),
        "fake": int(labels.sum()),
        "auc": figure(roc_auc(labels, logits), span),
        "auc_worn": None if worn is None else roc_auc(worn.labels, judge(worn.features)),
        "by_family": families,
    }
