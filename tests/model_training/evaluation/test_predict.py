"""Predictions are cached by the hash of the judge's file, and joined as each manifest says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_training.dataset.data import Row, of_split, read_dataset
from model_training.evaluation import predict as module
from model_training.evaluation.predict import Predictions, predict
from tests.model_training.conftest import Measured
from tests.model_training.stub_model import write_pair
from tests.models import sha256, tuned_colours
from unmask.detector.classifier import Classifier
from unmask.detector.joining import joined_logit, raw_probability
from unmask.detector.manifest import load_manifest

BOTH = ("densenet121", "clip")


@pytest.fixture
def rows(measured: Measured) -> list[Row]:
    """Three pictures, the first of which holds no face."""
    return of_split(read_dataset(measured.data), "test")[:3]


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    (tmp_path / "pair").mkdir()
    return write_pair(tmp_path / "pair")


def changed(path: Path, **values: Any) -> Path:
    """The manifest with other values, beside the same files."""
    other = path.with_name("other.json")
    other.write_text(json.dumps(json.loads(path.read_text()) | values))
    return other


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The manifests whose judges were asked."""
    seen: list[Path] = []

    class Noted(Classifier):
        def __init__(self, manifest_path: Path, threads: int) -> None:
            seen.append(manifest_path)
            super().__init__(manifest_path, threads)

    monkeypatch.setattr(module, "Classifier", Noted)
    return seen


def test_each_judges_logits_are_kept(rows: list[Row], pair: Path, tmp_path: Path) -> None:
    found = predict(rows, pair, cache=tmp_path / "cache")
    faces = len(found.raw)
    assert found.families.shape == (faces, 2, 5)
    assert found.heatmaps.shape == (faces, 112, 112)
    assert found.activations.shape == (faces, 7, 7)
    manifest = load_manifest(pair)
    logits = joined_logit(found.families, manifest.judges, manifest.joining)
    np.testing.assert_allclose(found.raw, raw_probability(logits))
    assert (found.families[:, 0] != found.families[:, 1]).any()
    part = found.take([2, 0])
    np.testing.assert_array_equal(part.families, found.families[found.owner == 2])
    (kept,) = (tmp_path / "cache").iterdir()
    with np.load(kept) as stored:
        assert set(stored.files) == set(Predictions.__dataclass_fields__)


def test_another_join_asks_nobody_again(
    rows: list[Row], pair: Path, tmp_path: Path, asked: list[Path]
) -> None:
    cache = tmp_path / "cache"
    first = predict(rows, pair, cache=cache)
    joining = json.loads(pair.read_text())["joining"]
    other = changed(
        pair,
        joining=joining | {"weights": {"densenet121": 1.0}, "any_weight": 0.0},
        thresholds={"fake": 0.9, "real": 0.1, "mask": 0.2},
        calibration={"scale": 3.0, "offset": 1.0},
    )
    second = predict(rows, other, cache=cache)
    assert asked == [pair]
    np.testing.assert_array_equal(first.families, second.families)
    np.testing.assert_array_equal(first.heatmaps, second.heatmaps)
    wanted = raw_probability(first.families[:, 0, 1:].max(axis=1))
    np.testing.assert_allclose(second.raw, wanted, rtol=1e-5)
    assert (second.raw != first.raw).all()
    again = predict(rows, pair, cache=cache)
    np.testing.assert_array_equal(again.raw, first.raw)
    assert len(list(cache.iterdir())) == 1


def test_other_files_are_judged_again(
    rows: list[Row], pair: Path, tmp_path: Path, asked: list[Path]
) -> None:
    cache = tmp_path / "cache"
    predict(rows, pair, cache=cache)
    clip = json.loads(pair.read_text())["clip"]
    (pair.parent / "more.npz").write_bytes(tuned_colours(0, 1, -1))
    clip["tuned"] = {"file": "more.npz", "sha256": sha256(tuned_colours(0, 1, -1))}
    retuned = changed(pair, clip=clip)
    predict(rows, retuned, cache=cache)
    assert asked == [pair, retuned]
    alone = changed(pair, clip=None)
    found = predict(rows, alone, cache=cache)
    assert asked[2:] == [alone]
    assert found.families.shape[1:] == (1, 5)


def test_another_join_of_heatmaps_is_judged_again(
    rows: list[Row], pair: Path, tmp_path: Path, asked: list[Path]
) -> None:
    """For the heatmaps are kept joined."""
    first = predict(rows, pair, cache=tmp_path / "cache")
    joining = json.loads(pair.read_text())["joining"]
    other = changed(pair, joining=joining | {"heatmap": {"densenet121": 1.0}})
    second = predict(rows, other, cache=tmp_path / "cache")
    assert asked == [pair, other]
    assert (first.heatmaps != second.heatmaps).any()


def test_pictures_without_any_face(rows: list[Row], pair: Path) -> None:
    found = predict(rows[:1], pair)
    assert found.raw.shape == (0,)
    assert found.families.shape[:2] == (0, 2)
    assert found.largest.tolist() == [-1]
    assert load_manifest(pair).judges == BOTH
