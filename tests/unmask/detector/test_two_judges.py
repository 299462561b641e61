"""What a report says where two judges look at a face."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.models import write_two_judges
from tests.unmask.detector.subjects import FAKE, REAL, UNSURE, examined, picture, swapped
from unmask.detector.align import Pixels
from unmask.detector.detector import Detector
from unmask.report import UnsureReason, Verdict
from unmask.settings import Settings


def opinion(offset: float) -> dict[str, object]:
    return {"calibration": {"scale": 1.0, "offset": offset}, "real": 0.3}


@pytest.mark.parametrize(
    ("offsets", "change", "verdict"),
    [
        ((0.0, 0.0), np.copy, FAKE),
        ((0.0, -40.0), np.copy, UNSURE),  # the second judge would clear it
        ((-40.0, 0.0), np.copy, UNSURE),
        ((40.0, 40.0), swapped, REAL),  # a face that both together clear stays so
    ],
)
def test_what_one_judge_would_clear_is_not_called_fake(
    tmp_path: Path,
    portrait: Pixels,
    offsets: tuple[float, float],
    change: object,
    verdict: Verdict,
) -> None:
    opinions = dict(zip(("densenet121", "clip"), map(opinion, offsets), strict=True))
    model = write_two_judges(tmp_path, opinions=opinions)
    detector = Detector(Settings(model=model, threads=2))
    (found,) = examined(detector, picture(change(portrait)))  # type: ignore[operator]
    (face,) = found.report.faces
    assert found.report.verdict == face.verdict == verdict
    assert [judge.name for judge in face.judges] == ["densenet121", "clip"]
    for judge, offset in zip(face.judges, offsets, strict=True):
        if offset:
            assert judge.fake_probability == pytest.approx(float(offset > 0), abs=1e-6)
    shown = json.loads(found.report.model_dump_json())["faces"][0]["judges"]
    assert shown == [judge.model_dump() for judge in face.judges]
    if verdict is UNSURE:  # and what is suspect in it is shown all the same
        assert face.reasons == (UnsureReason.JUDGES_DISAGREE,)
        assert face.fake_probability > 0.7
        assert face.outline


def test_a_model_whose_judges_words_mean_nothing_shows_none(
    colour_model: Path, two_judges: Path, portrait: Pixels
) -> None:
    for model in (colour_model, two_judges):
        one = Detector(Settings(model=model, threads=2))
        (found,) = examined(one, picture(portrait))
        assert found.report.faces[0].judges == ()
