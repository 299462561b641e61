"""Heads on written-down features: fitted without a family, and held against it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model_training.dataset.data import Row, capped
from model_training.evaluation import left_out
from model_training.evaluation.features import Written, write_features
from model_training.evaluation.left_out import chance, fit, score
from tests.model_training.conftest import Measured

KINDS = {"stylegan": 1, "sdxl": 2, "face-swap": 3}


def row(index: int, label: int, kind: str, source: str = "a", split: str = "train") -> Row:
    name = f"{source}-{kind}-{index}.jpg"
    return Row(Path(name), name, split, label, kind, source, name)


def written(count: int = 40, seed: int = 0) -> Written:
    """Photographs about the origin, and each kind of fake off it along an axis of its own."""
    random = np.random.default_rng(seed)
    rows, features = [], []
    for kind, axis in {"camera": 0, **KINDS}.items():
        for index in range(count):
            value = random.normal(0, 0.3, 5)
            value[axis] += 3.0 if axis else 0.0
            rows.append(row(index, int(axis > 0), kind, "ab"[index % 2]))
            features.append(value)
    return Written(rows, np.asarray(features, np.float32))


def test_each_family_has_its_line_and_the_most_suspicious_counts() -> None:
    train, test = written(), written(seed=1)
    heads = fit(train)
    assert sorted(heads[1]) == [0, 1, 2, 3]  # nothing was retouched
    logits = score(heads, test.features)
    assert logits[test.labels].min() > logits[~test.labels].max()
    chances = chance(heads, test.features)
    np.testing.assert_allclose(chances, 1 / (1 + np.exp(-logits)), rtol=1e-5)


def test_a_family_that_was_left_out_is_told_less_well() -> None:
    train, test = written(), written(seed=1)
    kept = fit(train.where(train.kinds != "sdxl"))
    assert 2 not in kept[1]
    own = test.kinds == "sdxl"
    with_it, without = score(fit(train), test.features)[own], score(kept, test.features)[own]
    assert without.max() < with_it.min()


def test_at_most_so_many_of_each_source_and_class_and_the_same_each_time() -> None:
    rows = [
        row(index, label, "camera" if label == 0 else "sdxl", source)
        for index in range(9)
        for label in (0, 1)
        for source in "xy"
    ]
    kept = capped(rows, 4)
    assert len(kept) == 16
    assert kept == capped(rows[::-1], 4)
    assert {one.name for one in capped(rows, 99)} == {one.name for one in rows}


def test_a_model_without_clip_is_refused(measured: Measured, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no CLIP"):
        write_features([], measured.manifest, tmp_path)


def test_what_is_left_out_are_known_kinds() -> None:
    kinds = [kind for part in left_out.LEFT_OUT.values() for kind in part]
    assert len(kinds) == len(set(kinds))
    assert set(kinds) <= set(left_out.FAMILIES)
