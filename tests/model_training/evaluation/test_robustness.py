from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from model_training.evaluation.conditions import HALF_JPEG_60
from model_training.evaluation.robustness import compare, measure
from model_training.evaluation.tables import Judged, paired_sources
from tests.model_training.conftest import Measured


@pytest.fixture
def before() -> Judged:
    """Six pictures: two sources, one of them with fakes alone; the last one unsure."""
    return Judged(
        label=np.array([0, 0, 1, 1, 1, 0]),
        source=np.array(["a", "a", "a", "a", "b", "a"]),
        kind=np.array(["x"] * 6),
        group=np.array(list("uvwxyz")),
        found=np.ones(6, bool),
        chance=np.array([0.1, 0.2, 0.8, 0.9, 0.95, 0.5]),
        verdict=np.array(["real", "real", "fake", "fake", "fake", "unsure"]),
    )


def test_only_sources_of_both_kinds_are_paired(before: Judged) -> None:
    assert list(paired_sources(before)) == ["a"]


def test_nothing_changed(before: Judged) -> None:
    found = compare(before, before, 20)
    assert found["auc"]["value"] == 1.0
    assert found["auc_loss"] == {"value": 0.0, "interval": [0.0, 0.0]}
    assert (found["flips"]["count"], found["flips"]["of"]) == (0, 5)
    assert found["flips"]["interval"][1] > 0.3  # five pictures prove little
    assert found["reals_called_fake"]["of"] == 3


def test_flips_count_and_doubts_do_not(before: Judged) -> None:
    said = ["fake", "unsure", "real", "fake", "fake", "fake"]
    after = replace(
        before,
        verdict=np.array(said),
        chance=np.array([0.9, 0.5, 0.1, 0.9, 0.95, 0.9]),
        found=np.array([True, True, True, True, True, False]),
    )
    found = compare(before, after, 20)
    # real became fake, fake became real; the unsure one turning fake is no flip
    assert (found["flips"]["count"], found["flips"]["of"]) == (2, 4)
    assert found["flips"]["value"] == 0.5
    assert (found["reals_called_fake"]["count"], found["fakes_called_fake"]["count"]) == (2, 2)
    assert found["no_face"] == 1
    assert found["auc"]["value"] == pytest.approx((0 + 2 + 3) / 9)
    assert found["auc_loss"]["value"] == pytest.approx(1 - found["auc"]["value"])
    assert found["within"]["a"]["auc"]["value"] < found["auc"]["value"]
    assert (found["within"]["a"]["real"], found["within"]["a"]["fake"]) == (3, 2)
    assert found["fake_sources"] == {"a": pytest.approx(2 / 6), "b": 1.0}


def test_it_is_written_and_drawn(measured: Measured) -> None:
    assert json.loads((measured.out / "robustness.json").read_text()) == measured.robustness
    assert list(measured.robustness["conditions"]) == [HALF_JPEG_60, "grey"]
    picture = cv2.imread(str(measured.out / "robustness.png"))
    assert picture is not None
    assert picture.std() > 5


def test_a_copy_without_colour_loses_what_the_stand_in_sees(measured: Measured) -> None:
    conditions = measured.robustness["conditions"]
    assert conditions["grey"]["auc_loss"]["value"] > 0.3
    assert conditions["grey"]["auc_loss"]["value"] > conditions[HALF_JPEG_60]["auc_loss"]["value"]
    # told apart by nothing, all of them get the same verdict
    assert conditions["grey"]["fakes_called_fake"]["value"] in (0.0, 1.0)
    assert conditions["grey"]["flips"]["count"] > 0


def test_an_empty_split_is_refused(measured: Measured, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="empty"):
        measure(measured.data, measured.manifest, tmp_path, split="train")
