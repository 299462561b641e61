"""How often a layer points at the edited part."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model_training.evaluation.layers import highest, lines, measure, points_at
from tests.model_training.conftest import Measured
from unmask.findings import Layer


def test_the_highest_place_is_the_middle_of_the_brightest_square() -> None:
    values = np.zeros((100, 160), np.float32)
    values[40:50, 120:130] = 1
    values[5, 5] = 9  # one pixel is no region
    row, column = highest(values) or (0, 0)
    assert 40 <= row < 50 and 120 <= column < 130
    truth = np.zeros(values.shape, bool)
    assert not points_at(values, truth)
    truth[30:60, 110:140] = True
    assert points_at(values, truth)


def test_a_flat_map_points_nowhere() -> None:
    assert highest(np.full((20, 20), 0.5, np.float32)) is None
    assert not points_at(np.zeros((20, 20), np.float32), np.ones((20, 20), bool))


def test_what_is_measured(measured: Measured, tmp_path: Path) -> None:
    found = measure(
        measured.data, measured.manifest, tmp_path, cache=measured.cache, most=3, repeats=20
    )
    assert found == json.loads((tmp_path / "layers.json").read_text())
    assert "self-made" in found["sets"]
    for figures in found["sets"].values():
        assert 1 <= figures["pictures"] <= 3
        for name in (*Layer, "heatmap", "middle", "chance"):
            assert 0 <= figures[name]["value"] <= 1
            assert figures[name]["count"] == figures["pictures"]
        heatmap = figures["heatmap"]["value"]
        assert figures["heatmap_where_a_mask_is_shown"]["value"] <= heatmap
        assert 0 < figures["chance"]["value"] < 1
    assert len(lines(found)) == len(found["sets"])


def test_an_empty_split_is_refused(measured: Measured, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="empty"):
        measure(measured.data, measured.manifest, tmp_path, split="nothing")
