"""Verdicts in the tables are those that serving would give, also where two judges disagree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from model_training.dataset.data import Row
from model_training.evaluation.predict import Predictions
from model_training.evaluation.tables import face_scores, judge
from tests.models import write_two_judges
from unmask.detector.joining import joined_logit, raw_probability
from unmask.detector.manifest import Manifest, load_manifest

#: Logits of the two judges for four faces: both sure, each alone in doubt, both in doubt.
LOGITS = np.array([[5.0, 5.0], [-5.0, 9.0], [9.0, -1.0], [-5.0, -5.0]], np.float32)


def opinion(offset: float = 0.0) -> dict[str, Any]:
    return {"calibration": {"scale": 1.0, "offset": offset}, "real": 0.3}


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    joining = {"weights": {"densenet121": 0.5, "clip": 0.5}, "any_weight": 0.0}
    opinions = {"densenet121": opinion(), "clip": opinion()}
    return load_manifest(write_two_judges(tmp_path, joining=joining, opinions=opinions))


def found_of(manifest: Manifest, owner: list[int], logits: npt.NDArray[np.float32]) -> Predictions:
    """Five pictures with these faces, all heads of a judge saying the same."""
    families = np.repeat(logits[:, :, None], 5, axis=2)
    count = len(logits)
    square = np.array([[0, 0], [90, 0], [90, 90], [0, 90]], np.float32)
    return Predictions(
        np.full((5, 2), 100, np.int32),
        np.array(owner, np.int32),
        raw_probability(joined_logit(families, manifest.judges, manifest.joining)),
        np.repeat(square[None], count, axis=0),
        np.zeros((count, 2, 2), np.float16),
        np.zeros((count, 1, 1), np.float16),
        families,
        np.zeros(count, np.float32),
        np.ones(count, np.float32),
    )


def rows() -> list[Row]:
    return [Row(Path(f"{n}"), f"{n}", "val", 1, "kind", "source", f"{n}") for n in range(5)]


def test_a_face_that_one_judge_would_clear(manifest: Manifest) -> None:
    found = found_of(manifest, [0, 1, 2, 3], LOGITS)
    disputed = [score.is_disputed for score in face_scores(found, manifest)]
    assert disputed == [False, True, True, True]


def test_such_a_face_is_unsure_and_not_fake(manifest: Manifest) -> None:
    """And one that all together clear stays cleared."""
    found = found_of(manifest, [0, 1, 2, 3], LOGITS)
    judged = judge(rows(), found, found.largest, manifest)
    assert judged.verdict.tolist() == ["fake", "unsure", "unsure", "real", "no_face"]
    unheard = manifest.model_copy(update={"opinions": {}})
    plain = judge(rows(), found, found.largest, unheard)
    assert plain.verdict.tolist() == ["fake", "fake", "fake", "real", "no_face"]
    np.testing.assert_array_equal(judged.chance, plain.chance)


def test_a_judge_whose_word_means_nothing_clears_nobody(manifest: Manifest) -> None:
    found = found_of(manifest, [0, 1, 2, 3], LOGITS)
    told = json.loads(manifest.model_dump_json())
    told["opinions"] = {"clip": opinion(5.0)}
    deaf = Manifest.model_validate(told)
    # its own scale shifts what it says: a logit of -1 is likely fake then
    assert [score.is_disputed for score in face_scores(found, deaf)] == [False] * 4
    told["opinions"] = {"clip": opinion()}
    half = Manifest.model_validate(told)
    disputed = [score.is_disputed for score in face_scores(found, half)]
    assert disputed == [False, False, True, True]


def test_the_face_that_is_asked_for_is_the_one_that_counts(manifest: Manifest) -> None:
    """Of a picture with several faces, the most suspicious one."""
    logits = np.array([[-5.0, -5.0], [5.0, 5.0], [-5.0, 9.0]], np.float32)
    found = found_of(manifest, [0, 0, 1], logits)
    assert found.suspicious.tolist() == [1, 2, -1, -1, -1]
    largest, suspicious = (
        judge(rows(), found, faces, manifest).verdict.tolist()[:2]
        for faces in (found.largest, found.suspicious)
    )
    assert (largest, suspicious) == (["real", "unsure"], ["fake", "unsure"])
