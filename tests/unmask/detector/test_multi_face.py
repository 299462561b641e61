"""Of many faces one may look suspicious by chance: the bound for "fake" rises with their number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.pictures import encoded
from unmask.detector.align import Pixels
from unmask.detector.detector import Detector
from unmask.detector.examination import Examination
from unmask.detector.manifest import FamilyWise, Thresholds
from unmask.images import open_picture
from unmask.report import Report, UnsureReason, Verdict
from unmask.settings import Settings


def report_on(pixels: Pixels, model: Path) -> Report:
    picture = open_picture(encoded(Image.fromarray(pixels), "PNG"), Settings())
    (found,) = Detector(Settings(model=model, threads=2)).examine([picture])
    assert isinstance(found, Examination)
    return found.report


@pytest.fixture
def judging(colour_model: Path, tmp_path: Path) -> Any:
    """Writes the stand-in model with other bounds; returns its manifest's path."""
    (tmp_path / "colour.onnx").write_bytes((colour_model.parent / "colour.onnx").read_bytes())

    def write(**bounds: Any) -> Path:
        manifest = json.loads(colour_model.read_text())
        manifest |= {"min_face": bounds.pop("min_face", 0)}
        manifest["thresholds"] |= bounds
        path = tmp_path / "manifest.json"
        path.write_text(json.dumps(manifest))
        return path

    return write


def test_the_bound_grows_with_the_logarithm_of_the_number() -> None:
    bounds = Thresholds(fake=0.9, real=0.3, mask=0.5, family=FamilyWise(offset=1.0, scale=1.0))
    assert [bounds.fake_among(count) for count in (0, 1, 2)] == [0.9, 0.9, 0.9]  # 0.84 for two
    assert bounds.fake_among(9) == pytest.approx(9 * np.e / (1 + 9 * np.e))
    assert bounds.fake_among(10**9) < 1
    alone = bounds.model_copy(update={"family": None})
    assert alone.fake_among(32) == 0.9


def test_groups_are_cleared_up_to_one_half() -> None:
    family = FamilyWise(offset=1.0, scale=1.0, real_scale=0.5)
    bounds = Thresholds(fake=0.9, real=0.2, mask=0.5, family=family)
    assert [bounds.real_among(count) for count in (0, 1)] == [0.2, 0.2]
    assert bounds.real_among(4) == pytest.approx(1 / 3)  # odds of 1 to 4, doubled
    assert bounds.real_among(1000) == 0.5
    for fixed in (0.0, 0.6, 1.0):
        assert bounds.model_copy(update={"real": fixed}).real_among(9) == fixed


def test_a_face_that_stands_out_little_is_unsure_among_others(
    portrait: Pixels, judging: Any
) -> None:
    alone, pair = portrait, np.hstack([portrait, portrait])
    assert report_on(pair, judging()).verdict is Verdict.FAKE
    raised = judging(family={"offset": 3.0, "scale": 1.0})
    one, two = report_on(alone, raised), report_on(pair, raised)
    assert (one.verdict, one.fake_bound) == (Verdict.FAKE, pytest.approx(0.7))
    assert two.verdict is Verdict.UNSURE
    assert [face.verdict for face in two.faces] == [Verdict.UNSURE] * 2
    assert [face.reasons for face in two.faces] == [(UnsureReason.TOO_FEW_SIGNS,)] * 2
    assert two.fake_bound == pytest.approx(1 / (1 + np.exp(-3) / 2))
    assert two.fake_probability is not None
    assert 0.7 < two.fake_probability < two.fake_bound


def test_faces_too_small_to_be_called_fake_count_for_none(portrait: Pixels, judging: Any) -> None:
    """The portrait's frame measures 162 pixels, in the small copy 81."""
    pixels = np.hstack([portrait, np.zeros_like(portrait)])
    pixels[:256, 512:768] = cv2.resize(portrait, (256, 256), interpolation=cv2.INTER_AREA)
    found = report_on(pixels, judging(family={"offset": 2.0, "scale": 1.0}, min_face=120))
    assert sorted(face.verdict for face in found.faces) == [Verdict.FAKE, Verdict.UNSURE]
    assert found.fake_bound == pytest.approx(0.7)
