from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_training.evaluation import goals, tables
from model_training.evaluation.goals import Goal, Result, best_threshold
from model_training.evaluation.tables import Judged
from tests.model_training.conftest import Measured


def judged(sources: dict[str, tuple[int, int]], spread: float = 0.0) -> Judged:
    """So many reals and fakes of each source, fakes at 0.8 and reals at 0.2, give and take."""
    random = np.random.default_rng(0)
    label = np.concatenate([[0] * real + [1] * fake for real, fake in sources.values()])
    source = np.concatenate([[name] * sum(both) for name, both in sources.items()])
    chance = np.clip(0.2 + 0.6 * label + random.normal(0, spread, len(label)), 0, 1)
    groups = np.array([str(number) for number in range(len(label))])
    verdict = np.where(chance >= 0.5, "fake", "real")
    found = np.ones(len(label), bool)
    return Judged(label.astype(np.int64), source, source, groups, found, chance, verdict)


def test_whether_a_goal_is_met() -> None:
    least, most = Goal("a", 0.98, True), Goal("b", 0.02, False)
    assert Result(least, 0.98, (0.9, 1.0), "").met is True
    assert Result(least, 0.979, (0.9, 1.0), "").met is False
    assert Result(most, 0.02, (0.0, 0.1), "").met is True
    assert Result(most, 0.021, (0.0, 0.1), "").met is False
    assert Result(most, float("nan"), (None, None), "").met is None


def test_the_best_threshold_lies_between_the_classes() -> None:
    clean = judged({"x": (5, 5)})
    assert best_threshold(clean) == pytest.approx(0.5)
    noisy = judged({"x": (200, 200)}, spread=0.25)
    bound = best_threshold(noisy)
    right = np.mean((noisy.chance >= bound) == (noisy.label == 1))
    assert 0.35 < bound < 0.65
    tried = [np.mean((noisy.chance >= t) == (noisy.label == 1)) for t in np.linspace(0, 1, 500)]
    assert right >= max(tried)


def test_ranks_against_the_reals_that_are_named() -> None:
    val = judged({"ffhq_stylegan": (8, 8), "retouch": (6, 7)})
    test = judged({"ffhq_stylegan": (30, 40), "stylegan3": (0, 9), "ffpp": (4, 5)}, spread=0.3)
    data = [{"source": "ffpp", "label": "fake", "train": 7}]
    metrics = {
        "fake_sources": tables.fake_sources(test, 20),
        "fakes_by_source": tables.by_part(test, test.source, 1, 20),
        "data": data,
    }
    found = {result.goal.name: result for result in goals._ranks(metrics, val, test, 20)}
    paper = found["accuracy on ffhq_stylegan"]
    own = test.where(test.source == "ffhq_stylegan")
    wrong = int(((own.chance >= 0.5) != (own.label == 1)).sum())
    assert paper.count == f"70 pictures, {wrong} wrong"
    assert paper.value == pytest.approx(1 - wrong / 70)
    assert found["AUC of stylegan3 against all test reals"].count == "9 fakes, 34 reals"
    swaps = found["AUC of ffpp against its own reals"]
    assert swaps.count == "5 fakes, 4 reals"
    assert swaps.value == metrics["fake_sources"]["ffpp"]["against_within"]["auc"]["value"]
    assert swaps.note.startswith("trained on 7 others")
    assert found["AUC of stylegan3 against all test reals"].note.startswith("never trained on")
    assert "chosen with them" in found["AUC of retouch, hand-made"].note
    assert "AUC of sd21 against all test reals" not in found


def test_every_figure_that_the_files_hold_becomes_a_row(measured: Measured) -> None:
    assert json.loads((measured.out / "goals.json").read_text()) == measured.goals
    rows = {row["goal"]["name"]: row for row in measured.goals["rows"]}
    metrics = measured.metrics
    alarms = rows["real faces called fake"]
    assert alarms["value"] == metrics["overall"]["at_bound"]["false_alarms"]["value"]
    assert alarms["count"] == "6 reals, 0 called fake"
    assert (
        rows["mask IoU on ffpp"]["value"]
        == (metrics["localisation"]["methods"]["unmask"]["iou"]["value"])
    )
    made = metrics["self_made"]["localisation"]["methods"]["unmask"]["iou"]["value"]
    assert rows["mask IoU on self-made fakes"]["value"] == made
    assert rows["worst AUC loss"]["note"] == "at grey"
    assert rows["worst AUC loss"]["met"] is False
    error = rows["expected calibration error, as in the split"]
    assert error["value"] == pytest.approx(metrics["calibration"]["as_is"]["ece_equal_width"])
    for row in rows.values():
        low, high = row["interval"]
        if row["value"] is not None and "calibration" not in row["goal"]["name"]:
            assert low - 1e-6 <= row["value"] <= high + 1e-6


@pytest.mark.parametrize("change", [{"split": "val"}, {"model": {"sha256": "0" * 64}}])
def test_files_of_something_else_are_refused(
    measured: Measured, tmp_path: Path, change: dict[str, Any]
) -> None:
    for name in ("metrics.json", "robustness.json"):
        (tmp_path / name).write_text((measured.out / name).read_text())
    changed = {**measured.metrics, **change}
    (tmp_path / "metrics.json").write_text(json.dumps(changed))
    with pytest.raises(ValueError, match="another model, or on another split"):
        goals.measure(measured.data, measured.manifest, tmp_path)


def test_what_comes_before_is_named(measured: Measured, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="run evaluate and robustness first"):
        goals.measure(measured.data, measured.manifest, tmp_path)
