from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_training.evaluation import goals
from model_training.evaluation.goals import Goal, Result, best_threshold
from model_training.evaluation.tables import Judged
from tests.model_training.conftest import Measured
from unmask.detector.manifest import load_manifest


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


def test_ranks_within_sources_and_of_the_unseen_generator() -> None:
    val = judged({"retouch": (6, 7)})
    first = judged({"ffhq_stylegan": (30, 40), "stylegan3": (0, 9), "ffpp": (4, 5)}, spread=0.3)
    found = {result.goal.name: result for result in goals._ranks(first, val, 20)}
    assert found["AUC over all"].count == "54 fakes, 34 reals"
    assert found["AUC within ffpp"].count == "5 fakes, 4 reals"
    unseen = found["AUC of stylegan3 against all reals"]
    assert (unseen.count, unseen.note) == ("9 fakes, 34 reals", "never trained on")
    assert "chosen with them" in found["AUC of retouch, hand-made"].note
    assert "AUC within web_portraits" not in found


def test_the_papers_task_takes_both_forms_and_each_judge() -> None:
    parts = {"ffhq_stylegan": (30, 40), "ffhq_stylegan_k": (20, 10), "ffpp": (9, 9)}
    both = {"val": judged(parts), "test": judged(parts, spread=0.3)}
    alone = {"val": judged(parts), "test": judged(parts, spread=0.6)}
    joined, densenet = goals._paper(both, alone, 20)
    own = both["test"].where(np.isin(both["test"].source, goals.PAPERS))
    wrong = int(((own.chance >= 0.5) != (own.label == 1)).sum())
    assert joined.count == f"100 pictures, {wrong} wrong"
    assert joined.value == pytest.approx(1 - wrong / 100)
    assert densenet.value is not None
    assert joined.value > densenet.value


def test_shares_of_verdicts() -> None:
    first = judged({"x": (10, 20)}, spread=0.3)
    found = {result.goal.name: result for result in goals._verdicts(first, 20)}
    fakes = first.where(first.label == 1)
    called = int((fakes.verdict == "fake").sum())
    assert found["fakes called fake"].count == f"20 pictures, {called} fake"
    assert found["fakes called fake"].value == pytest.approx(called / 20)
    assert found["fakes cleared"].value == pytest.approx(1 - called / 20)


def test_what_was_left_out_is_read_from_its_file(tmp_path: Path) -> None:
    assert list(goals._left_out(tmp_path)) == []
    families = {"A": {"auc": 0.9}, "B": {"auc": 0.7}}
    told = {"about": "Heads.", "families": families, "real_sources": {}}
    (tmp_path / "left-out.json").write_text(json.dumps(told))
    mean, worst = goals._left_out(tmp_path)
    assert (mean.value, mean.met) == (pytest.approx(0.8), False)
    assert (worst.value, worst.count) == (0.7, "B")


def test_the_worst_real_source_is_read_from_the_manifest(measured: Measured) -> None:
    manifest = load_manifest(measured.manifest)
    sources = {"x": {"count": 60, "called_fake": 0.01}, "y": {"count": 50, "called_fake": 0.03}}
    told = manifest.model_copy(update={"metrics": {"validation": {"left_out": sources}}})
    (source,) = goals._source_left_out(told)
    assert (source.value, source.count, source.met) == (0.03, "y, 50 reals", False)
    assert list(goals._source_left_out(manifest.model_copy(update={"metrics": {}}))) == []


def test_every_figure_that_the_files_hold_becomes_a_row(measured: Measured) -> None:
    assert json.loads((measured.out / "goals.json").read_text()) == measured.goals
    rows = {row["goal"]["name"]: row for row in measured.goals["rows"]}
    metrics = measured.metrics
    alarms = rows["real faces called fake, whole set"]
    assert alarms["value"] == metrics["overall"]["at_bound"]["false_alarms"]["value"]
    assert alarms["count"] == "6 reals, 0 called fake"
    assert (
        rows["mask IoU on true masks"]["value"]
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
        if row["value"] is not None and low is not None and "calib" not in row["goal"]["name"]:
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
