from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model_training.evaluation.bounds import (
    Aims,
    fake_bound,
    family_bounds,
    left_out,
    real_bound,
    trade_off,
)
from model_training.evaluation.calibrate import (
    FALSE_AREAS,
    OWN_MISSED,
    balanced_weights,
    calibrate,
    densenet_alone,
    fit_platt,
    opinion_scales,
    verdict_shares,
)
from model_training.evaluation.predict import Predictions
from tests.model_training.conftest import Measured
from tests.model_training.stub_model import write_model, write_pair
from unmask.detector.classifier import Classifier
from unmask.detector.joining import calibrated, face_logit, raw_probability
from unmask.detector.manifest import Thresholds, load_manifest


def test_classes_count_alike_and_so_do_a_classs_sources() -> None:
    labels = [0, 0, 0, 0, 1, 1]
    sources = ["a", "a", "a", "b", "c", "c"]
    weights = balanced_weights(labels, sources)
    assert weights.sum() == pytest.approx(6)
    assert weights[:4].sum() == pytest.approx(weights[4:].sum())
    assert weights[:3].sum() == pytest.approx(weights[3])


def test_platt_scaling_recovers_a_distortion() -> None:
    random = np.random.default_rng(0)
    chance = random.uniform(0.02, 0.98, 40_000)
    truth = (random.uniform(size=40_000) < chance).astype(int)
    logits = np.log(chance / (1 - chance))
    raw = 1 / (1 + np.exp(-(2.0 * logits + 1.0)))
    found = fit_platt(raw, truth, np.ones(40_000))
    assert found.scale == pytest.approx(0.5, abs=0.03)
    assert found.offset == pytest.approx(-0.5, abs=0.05)
    np.testing.assert_allclose(calibrated(raw, found), chance, atol=0.02)


def test_platt_scaling_stays_finite_when_the_classes_part() -> None:
    raw = np.array([0.01, 0.02, 0.03, 0.97, 0.98, 0.99])
    found = fit_platt(raw, [0, 0, 0, 1, 1, 1], np.ones(6))
    assert 0 < found.scale < 10
    shown = calibrated(raw, found)
    assert shown[2] < 0.5 < shown[3]


def test_platt_scaling_refuses_a_model_that_is_upside_down() -> None:
    with pytest.raises(ValueError, match="higher logits"):
        fit_platt([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], np.ones(4))


def test_the_fake_bound_keeps_its_promise_on_fresh_pictures() -> None:
    random = np.random.default_rng(0)
    rates = []
    for _ in range(400):
        bound = fake_bound(random.uniform(size=250), ["a"] * 250, Aims(source_false_alarms=1.0))
        rates.append(float(np.mean(random.uniform(size=2000) >= bound.threshold)))
    assert bound.guaranteed
    assert np.mean(rates) <= 0.0105


def test_the_fake_bound_lies_above_every_tie() -> None:
    bound = fake_bound(np.full(200, 0.6, np.float32), ["a"] * 200, Aims())
    assert float(np.float32(0.6)) < bound.threshold < 0.601


def test_too_few_reals_promise_nothing() -> None:
    bound = fake_bound(np.linspace(0, 0.5, 98), ["a"] * 98, Aims())
    assert not bound.guaranteed
    assert bound.threshold > 0.5
    assert fake_bound(np.linspace(0, 0.5, 99), ["a"] * 99, Aims()).guaranteed


def test_a_source_that_raises_alarms_raises_the_bound() -> None:
    quiet, loud = np.linspace(0, 0.5, 2000), np.linspace(0, 0.9, 60)
    sources = ["quiet"] * 2000 + ["loud"] * 60
    bound = fake_bound(np.concatenate([quiet, loud]), sources, Aims(false_alarms=0.02))
    assert bound.raised_by == "loud"
    assert np.mean(loud >= bound.threshold) <= 0.03


def test_groups_of_real_faces_are_called_fake_as_rarely_as_promised() -> None:
    """Logits that fall off exponentially, as those of real faces nearly do."""
    random = np.random.default_rng(0)
    rates = []
    for _ in range(200):
        logits = random.exponential(0.9, 600) - 3
        chances = np.append(1 / (1 + np.exp(-logits)), 0.9)
        found = family_bounds(chances, [0] * 600 + [1], 0.3, Aims(source_false_alarms=0.02))
        bound = found.offset + found.scale * np.log(9)
        groups = (random.exponential(0.9, (1000, 9)) - 3).max(axis=1)
        rates.append(float(np.mean(groups >= bound)))
    assert 0.01 < np.mean(rates) < 0.025
    assert found.scale == pytest.approx(0.9, abs=0.35)


def test_reals_that_are_all_alike_have_no_tail() -> None:
    found = family_bounds([0.5] * 50 + [0.9], [0] * 50 + [1], 0.3, Aims())
    assert (found.offset, found.scale) == (0.0, 0.0)


def test_groups_with_a_fake_are_missed_no_more_often_than_single_fakes() -> None:
    random = np.random.default_rng(0)
    reals, fakes = random.beta(1, 5, 2000), random.beta(3, 1.5, 2000)
    real = real_bound(fakes, 0.1, 1.0)
    chances, labels = np.append(reals, fakes), [0] * 2000 + [1] * 2000
    family = family_bounds(chances, labels, real, Aims(missed=0.1))
    bounds = Thresholds(fake=0.99, real=real, mask=0.5, family=family)
    assert family.real_scale > 0
    for people in (2, 4, 9):
        crowd = random.choice(reals, (5000, people - 1)).max(axis=1)
        worst = np.maximum(crowd, random.choice(fakes, 5000))
        assert np.mean(worst < bounds.real_among(people)) < 0.115


def test_few_fakes_lie_under_the_real_bound() -> None:
    chances = np.linspace(0.01, 1, 100)
    bound = real_bound(chances, 0.05, fake=0.9)
    assert np.mean(chances < bound) == pytest.approx(0.05)
    assert real_bound(chances, 0.5, fake=0.3) == 0.3


def test_sources_of_fakes_count_alike_for_the_real_bound() -> None:
    """Nine hundred of one generator and a hundred of another, which is harder to see."""
    easy, hard = np.linspace(0.5, 1, 900), np.linspace(0.0, 0.4, 100)
    chances = np.concatenate([easy, hard])
    sources = ["easy"] * 900 + ["hard"] * 100
    weights = balanced_weights([1] * 1000, sources)
    plain, even = (real_bound(chances, 0.1, 1.0, given) for given in (None, weights))
    assert np.mean(hard < plain) > 0.95  # by number, all of the hard ones would be cleared
    assert np.mean(hard < even) == pytest.approx(0.2, abs=0.02)
    missed = weights[chances < even].sum() / weights.sum()
    assert 0.09 < missed <= 0.1
    assert real_bound(chances, 0.1, 1.0, np.ones(1000)) == plain
    assert real_bound(chances, 1.0, 0.9, weights) == 0.9  # never over the bound for "fake"


def test_the_tables_count_what_they_say() -> None:
    labels, sources = [0, 0, 1, 1], ["a", "b", "a", "a"]
    chances = [0.1, 0.5, 0.5, 0.9]
    table = verdict_shares(labels, sources, chances, Thresholds(fake=0.8, real=0.2, mask=0.5))
    assert table["real all"] == {"count": 2, "real": 0.5, "fake": 0.0}
    assert table["fake a"] == {"count": 2, "real": 0.0, "fake": 0.5}
    rows = trade_off(labels, chances, 0.8)
    assert all(row["reals_cleared"] + row["reals_unsure"] <= 1 for row in rows)


def test_the_manifest_holds_bounds_and_what_they_rest_on(measured: Measured) -> None:
    manifest = load_manifest(measured.manifest)
    bounds, record = manifest.thresholds, manifest.metrics["validation"]
    assert bounds.real <= bounds.fake <= bounds.fake_among(9)
    assert bounds.family is not None
    assert manifest.calibration.scale != 1.0
    assert record["pictures"] == {"real": 6, "fake": 12}
    assert record["verdicts"]["real all"]["fake"] == 0
    assert not record["fake_bound"]["guaranteed"]
    assert record["mask"]["pictures"] == 6
    assert record["mask"]["threshold"] == bounds.mask
    assert record["mask"]["iou"] > 0.5
    assert record["mask"]["false_area"] <= 0.2
    others = record["mask"]["trade_off"]
    assert [row["aim"] for row in others] == list(FALSE_AREAS)
    overlaps = [row["iou"] for row in others]
    assert overlaps == sorted(overlaps)  # a larger allowance can only fit better


# ---- two judges ---------------------------------------------------------------------------------


def predictions(families: np.typing.NDArray[np.float32]) -> Predictions:
    """One face in each picture, of which each judge says what is given (n, judges, heads)."""
    count = len(families)
    shapes = ((count, 4, 2), (count, 2, 2), (count, 1, 1))
    return Predictions(
        np.full((count, 2), 100, np.int32),
        np.arange(count, dtype=np.int32),
        np.zeros(count, np.float32),
        *(np.zeros(shape, np.float32) for shape in shapes),  # type: ignore[arg-type]
        families,
        np.zeros(count, np.float32),
        np.ones(count, np.float32),
    )


def test_each_judges_own_word_is_calibrated(two_judges: Path) -> None:
    manifest = load_manifest(two_judges)
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], 400)
    weights = balanced_weights(labels, np.where(np.arange(800) % 4, "a", "b"))
    heads = random.normal(labels[:, None, None] * [[[3], [6]]] - 2, 1.5, (800, 2, 5))
    found = opinion_scales(manifest, predictions(heads.astype(np.float32)), labels, weights)
    assert list(found) == ["densenet121", "clip"]
    for index, scale in enumerate(found.values()):
        raw = raw_probability(face_logit(heads[:, index].astype("f4"), 0.5))
        assert scale.calibration == fit_platt(raw, labels, weights)
        own = calibrated(raw, scale.calibration)[labels == 1]
        part = weights[labels == 1]
        cleared = part[own < scale.real].sum() / part.sum()
        assert OWN_MISSED - 0.01 < cleared <= OWN_MISSED
    assert found["clip"].real != found["densenet121"].real


def test_one_judge_alone_has_no_opinion_beside_the_verdict(colour_model: Path) -> None:
    heads = np.ones((4, 1, 1), np.float32)
    manifest = load_manifest(colour_model)
    assert opinion_scales(manifest, predictions(heads), np.array([0, 0, 1, 1]), np.ones(4)) == {}


def test_two_judges_are_calibrated_and_so_is_the_first_alone(
    measured: Measured, tmp_path: Path
) -> None:
    path, cache = write_pair(tmp_path), tmp_path / "cache"
    # the second judge has no share, so that the first one's figures must come out alike
    joining = {"weights": {"densenet121": 1.0}, "heatmap": {"densenet121": 1.0}, "any_weight": 0.5}
    tuned = json.loads(path.read_text())
    path.write_text(json.dumps(tuned | {"joining": joining}))
    aims = Aims(false_area=0.2)
    manifest = calibrate([measured.data], path, aims=aims, cache=cache)
    kept = load_manifest(path)
    assert (kept.opinions, kept.thresholds) == (manifest.opinions, manifest.thresholds)
    assert set(manifest.opinions) == {"densenet121", "clip"}
    alone = tmp_path / "alone.json"
    densenet_alone(path, alone)
    first = load_manifest(alone)
    assert first.judges == ("densenet121",)
    assert (first.clip, first.opinions, first.metrics) == (None, {}, {})
    assert (first.name, first.version) == ("unmask-densenet121", "0.0.1-densenet121")
    assert first.sha256 == manifest.sha256
    assert load_manifest(path) == kept  # which is left as it was
    again = calibrate(measured.data, alone, aims=aims, cache=cache)
    assert again.opinions == {}
    assert again.thresholds == manifest.thresholds
    (judged,) = Classifier(alone).judge([np.full((224, 224, 3), 90, np.uint8)])
    assert judged.judges == ()


def test_what_is_told_of_the_second_judge_goes_with_it(tmp_path: Path) -> None:
    path = write_model(tmp_path)
    record = {"clip": {"steps": 3}, "steps": 5}
    told = json.loads(path.read_text()) | {"training": record, "export": record}
    path.write_text(json.dumps(told))
    densenet_alone(path, tmp_path / "alone.json")
    first = load_manifest(tmp_path / "alone.json")
    assert first.training == first.export == {"steps": 5}


def test_a_source_is_held_against_the_bound_of_the_others() -> None:
    random = np.random.default_rng(3)
    calm, loud = random.uniform(0.0, 0.1, 200), random.uniform(0.3, 0.9, 60)
    chances = np.concatenate([calm, loud])
    sources = np.array(["calm"] * 200 + ["loud"] * 60)
    table = left_out(chances, sources, Aims())
    assert table["loud"] == {"count": 60, "called_fake": 1.0}
    assert table["calm"] == {"count": 200, "called_fake": 0.0}
    few = left_out(chances[:210], sources[:210], Aims())
    assert list(few) == ["calm"]  # ten pictures say too little
