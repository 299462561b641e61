"""Whole pictures: what is told of kinds and sources that the line never saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from model_training.evaluation import whole
from model_training.evaluation.whole import alarm_bound, measure, middle, resized
from model_training.report.whole import whole_section
from tests.models import write_two_judges
from unmask.detector.align import Floats, Pixels

#: The colour that each kind is tinted in, by channels.
TINTS = {"camera": (0, 0, 0), "one": (90, 0, 0), "two": (80, 0, 0), "odd": (0, 0, -70)}


class Tower:
    """Of each picture the mean colour, as every depth's tokens."""

    def run(self, names: list[str], feed: dict[str, Floats]) -> list[Floats]:
        mean = feed["image"].mean(axis=(1, 2))
        return [np.stack([mean, mean], axis=1) for _ in names]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is measured on photographs of two sources and three kinds, one unlike the others."""
    monkeypatch.setattr(whole, "open_tower", lambda *_, **__: Tower())
    random = np.random.default_rng(0)
    data = tmp_path / "data"
    data.mkdir()
    lines = ["file,split,label,kind,source,group,mask,parts,twin"]
    for kind, tint in TINTS.items():
        for number in range(60):
            pixels = random.normal(120, 5, (8, 12, 3)) + random.normal(0, 9, 3) + tint
            source = f"{kind}-{number % 2}" if kind == "camera" else kind
            label = "real" if kind == "camera" else "fake"
            name = f"{kind}-{number}.png"
            cv2.imwrite(str(data / name), np.clip(pixels, 0, 255).astype(np.uint8))
            lines.append(f"{name},train,{label},{kind},{source},{kind}-{number // 4},,,")
    (data / "faces.csv").write_text("\n".join(lines) + "\n")
    cache = tmp_path / "cache"
    found = measure(data, write_two_judges(tmp_path), tmp_path, cache=cache)
    assert len(list(cache.glob("whole-*.npy"))) == 2
    assert json.loads((tmp_path / "whole.json").read_text()) == found
    return found


def test_kinds_like_those_known_are_told_and_another_is_not(table: dict[str, Any]) -> None:
    makers = table["views"]["scaled down"]["makers_left_out"]
    assert min(makers["one"]["told"], makers["two"]["told"]) > 0.9
    assert makers["odd"]["told"] < 0.1
    assert makers["odd"]["told_seen"] > 0.9
    assert table["is_met"] == {"scaled down": False, "middle": False, "both": False}


def test_alarms_are_counted_on_each_source_that_was_left_out(table: dict[str, Any]) -> None:
    for view in table["views"].values():
        rows = view["photographs_left_out"]
        assert [row["count"] for row in rows.values()] == [30, 30]
        assert view["alarms"] == sum(row["alarms"] for row in rows.values()) <= 3


def test_the_page_says_that_nothing_is_shown(table: dict[str, Any]) -> None:
    section = whole_section(table)
    assert "No view meets both" in section
    assert "180 generated pictures and 60 photographs" in " ".join(section.split())
    table["is_met"]["both"] = True
    assert "These views meet both: both." in whole_section(table)
    assert whole_section(None) == ""


def test_one_photograph_in_two_hundred_may_exceed_the_bound() -> None:
    scores = np.arange(800, dtype=float)
    assert (scores > alarm_bound(scores)).sum() == 4
    assert (scores[:199] > alarm_bound(scores[:199])).sum() == 0


def test_the_views_of_a_picture(portrait: Pixels) -> None:
    wide = np.concatenate([portrait, portrait], axis=1)
    assert resized(wide).shape == middle(wide).shape == (224, 224, 3)
    np.testing.assert_array_equal(middle(wide), wide[144:368, 400:624])
    assert middle(wide[:100]).shape == (224, 224, 3)  # too small for a part in full size
