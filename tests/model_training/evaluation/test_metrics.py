from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics as reference

from model_training.evaluation import metrics

Sample = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


@pytest.fixture(params=range(6))
def sample(request: pytest.FixtureRequest) -> Sample:
    """Random labels and probabilities; in every second sample with many ties."""
    random = np.random.default_rng(request.param)
    truth = random.integers(0, 2, 300)
    score = np.clip(random.normal(0.4 + 0.2 * truth, 0.25), 0, 1)
    return truth, np.round(score, 1) if request.param % 2 else score


def test_counts_and_rates_agree_with_scikit_learn(sample: Sample) -> None:
    truth, score = sample
    called = score >= 0.5
    found = metrics.confusion(truth, called)
    matrix = reference.confusion_matrix(truth, called)
    assert [found.true_negative, found.false_positive] == matrix[0].tolist()
    assert [found.false_negative, found.true_positive] == matrix[1].tolist()
    assert found.accuracy == pytest.approx(reference.accuracy_score(truth, called))
    assert found.precision == pytest.approx(reference.precision_score(truth, called))
    assert found.recall == pytest.approx(reference.recall_score(truth, called))
    assert found.f1 == pytest.approx(reference.f1_score(truth, called))
    assert found.iou == pytest.approx(reference.jaccard_score(truth, called))
    assert found.false_positive_rate == pytest.approx(matrix[0, 1] / matrix[0].sum())


def test_ranks_by_hand() -> None:
    truth, score = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
    false, true, bounds = metrics.roc_curve(truth, score)
    assert false.tolist() == [0, 0, 0.5, 0.5, 1]
    assert true.tolist() == [0, 0.5, 0.5, 1, 1]
    assert bounds.tolist() == [np.inf, 0.8, 0.4, 0.35, 0.1]
    assert metrics.roc_auc(truth, score) == 0.75
    assert metrics.recall_at(truth, score, 0.4) == 0.5
    assert metrics.recall_at(truth, score, 0.5) == 1
    assert metrics.brier(truth, score) == pytest.approx((0.01 + 0.16 + 0.4225 + 0.04) / 4)


def test_equal_scores_tell_nothing() -> None:
    assert metrics.roc_auc([0, 1, 0, 1], [0.3] * 4) == 0.5
    assert metrics.recall_at([0, 1, 0, 1], [0.3] * 4) == 0


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_alone_has_no_rank(label: int) -> None:
    truth, score = [label] * 3, [0.1, 0.5, 0.9]
    assert math.isnan(metrics.roc_auc(truth, score))
    assert math.isnan(metrics.recall_at(truth, score))
    found = metrics.confusion(truth, [False] * 3)
    assert math.isnan(found.precision)
    assert math.isnan(found.false_positive_rate if label else found.recall)


def test_nothing_at_all_is_nan_and_null() -> None:
    nothing: list[float] = []
    values = {
        "auc": metrics.roc_auc(nothing, nothing),
        "brier": metrics.brier(nothing, nothing),
        "ece": metrics.calibration_error(metrics.reliability(nothing, nothing)),
        "iou": metrics.confusion(np.zeros((4, 4)), np.zeros((4, 4))).iou,
        "spread": np.array([np.nan, np.inf, 0.5]),
    }
    assert metrics.jsonable(values) == {
        "auc": None,
        "brier": None,
        "ece": None,
        "iou": None,
        "spread": [None, None, 0.5],
    }


def test_calibration_error_by_hand() -> None:
    truth, chance = [0, 0, 1, 1], [0.1, 0.1, 0.1, 0.9]
    found = metrics.reliability(truth, chance, bins=10)
    assert [(part.count, part.fakes) for part in found] == [(3, pytest.approx(1 / 3)), (1, 1.0)]
    gap = (3 * abs(0.1 - 1 / 3) + abs(0.9 - 1)) / 4
    assert metrics.calibration_error(found) == pytest.approx(gap)


@pytest.mark.parametrize("equal_mass", [False, True])
def test_calibrated_probabilities_have_a_small_error(equal_mass: bool) -> None:
    random = np.random.default_rng(0)
    chance = random.uniform(size=20_000)
    truth = random.uniform(size=20_000) < chance
    found = metrics.reliability(truth, chance, equal_mass=equal_mass)
    assert len(found) == metrics.BINS
    assert metrics.calibration_error(found) < 0.02
    assert metrics.calibration_error(metrics.reliability(truth, chance**3)) > 0.15


def test_equal_classes_by_weight_undo_a_lean() -> None:
    random = np.random.default_rng(1)
    chance = random.uniform(size=20_000)
    truth = random.uniform(size=20_000) < chance
    kept = truth | (random.uniform(size=20_000) < 0.2)  # four fifths of the reals are lost
    truth, chance = truth[kept], chance[kept]
    weights = metrics.class_weights(truth)
    assert weights.mean() == pytest.approx(1)
    assert weights[truth].sum() == pytest.approx(weights[~truth].sum())
    assert metrics.calibration_error(metrics.reliability(truth, chance)) > 0.1
    assert metrics.calibration_error(metrics.reliability(truth, chance, weights=weights)) < 0.02


def test_intervals_are_wider_when_pictures_hang_together() -> None:
    random = np.random.default_rng(2)
    clips = np.repeat(np.arange(40), 10)
    values = np.repeat(random.normal(size=40), 10)
    alone = metrics.bootstrap(lambda drawn: values[drawn].mean(), np.arange(400), 400)[0]
    grouped = metrics.bootstrap(lambda drawn: values[drawn].mean(), clips, 400)[0]
    assert grouped[0] < values.mean() < grouped[1]
    assert np.ptp(grouped) > 2 * np.ptp(alone)


def test_an_interval_leaves_out_draws_without_the_figure() -> None:
    truth, score = np.array([0, 1]), np.array([0.2, 0.8])
    span = metrics.bootstrap(lambda drawn: metrics.roc_auc(truth[drawn], score[drawn]), ["a", "b"])
    assert span.tolist() == [[1.0, 1.0]]


def test_a_share_of_none_or_all_keeps_an_interval() -> None:
    assert metrics.exact_span(0.0, 50) == pytest.approx([0, 0.0711], abs=1e-3)
    assert metrics.exact_span(1.0, 50) == pytest.approx([0.9289, 1], abs=1e-3)
    assert np.isnan(metrics.exact_span(0.0, 0)).all()


def test_mismatched_input_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        metrics.confusion([0, 1], [True])
    with pytest.raises(ValueError, match="scores"):
        metrics.roc_auc([0, 1], [0.5])
    with pytest.raises(ValueError, match="nan"):
        metrics.brier([0, 1], [0.5, float("nan")])
