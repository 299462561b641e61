"""Heads on written features: what the tower, copies, data and crop are worth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model_training.dataset.data import of_split, read_dataset
from model_training.evaluation import features, heads
from model_training.evaluation.features import Look, Written, write_features
from model_training.report.sections import heads_section
from tests.model_training.evaluation.test_left_out import written
from tests.model_training.faces import write_dataset
from tests.models import write_two_judges
from unmask.detector.align import Floats, Pixels


class Tower:
    """Of each picture the mean colours of two halves, as every depth's tokens."""

    runs = 0

    def run(self, names: list[str], feed: dict[str, Floats]) -> list[Floats]:
        Tower.runs += 1
        image = feed["image"]
        halves = image.reshape(len(image), 2, 112, 224, 3).mean(axis=(2, 3))
        return [halves for _ in names]


@pytest.fixture
def _tower(monkeypatch: pytest.MonkeyPatch) -> None:
    Tower.runs = 0
    monkeypatch.setattr(features, "open_tower", lambda *_: Tower())


@pytest.mark.usefixtures("_tower")
def test_features_are_kept_by_how_the_picture_was_seen(tmp_path: Path, portrait: Pixels) -> None:
    rows = of_split(read_dataset(write_dataset(tmp_path / "data", portrait)), "train")
    manifest = write_two_judges(tmp_path)
    looks = [Look(), Look(worn=1), Look(worn=2), Look(frame=1.3), Look(tuned=True)]
    first = [write_features(rows, manifest, tmp_path, 1, look).features for look in looks]
    assert {part.shape for part in first} == {(len(first[0]), 24)}
    assert Tower.runs == len(looks) * len(first[0])
    for index, part in enumerate(first[1:4], 1):
        assert not any(np.array_equal(part, other) for other in first[:index])
    again = [write_features(rows, manifest, tmp_path, 1, look).features for look in looks]
    assert Tower.runs == len(looks) * len(first[0])
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("_tower")
def test_every_row_is_measured(tmp_path: Path, portrait: Pixels) -> None:
    folders = [write_dataset(tmp_path / name, portrait) for name in ("one", "two")]
    manifest = write_two_judges(tmp_path)
    table = heads.measure(folders, manifest, tmp_path, cache=tmp_path / "cache", repeats=10)
    assert json.loads((tmp_path / "heads.json").read_text()) == table
    assert list(table["data"]) == ["one", "one + two"]
    fitted = [row["fitted_on"] for row in table["data"].values()]
    assert fitted[1] == 2 * fitted[0]
    recipe = list(table["recipe"].values())
    assert recipe[1]["fitted_on"] == 3 * recipe[0]["fitted_on"]
    assert all(0 <= row["auc_worn"] <= 1 for row in recipe)
    page = heads_section(table)
    assert "| one + two |" in page
    assert heads_section(None) == ""


def test_a_layer_tells_what_no_line_can() -> None:
    random = np.random.default_rng(0)
    values = random.normal(0, 1, (400, 2)).astype(np.float32)
    template = written(100).rows
    fake = values.prod(axis=1) > 0
    rows = [
        next(row for row in template if (row.label == 1) == is_fake) for is_fake in fake.tolist()
    ]
    train = Written(rows, values)
    figures = {}
    for name, judge in (("line", heads._one_line(train)), ("layer", heads._network(train))):
        row = heads._measured(train, None, judge, train, 10)
        figures[name] = row["auc"]["value"]
        assert row["auc_worn"] is None
    assert figures["layer"] > 0.9
    assert figures["line"] < 0.65


def test_how_much_of_the_wide_crop_is_inside() -> None:
    points = np.array([[45, 45], [55, 45], [50, 51], [46, 56], [54, 56]], np.float32)
    assert heads._inside(points, (100, 100)) == 1.0
    assert 0.3 < heads._inside(points - [45, 0], (100, 100)) < 0.7
