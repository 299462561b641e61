"""The verdict on a face, and why an unsure one is unsure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unmask.detector.manifest import FamilyWise, Manifest, Thresholds, Visibility, load_manifest
from unmask.detector.verdict import Bounds, FaceScore, picture_bounds, rule
from unmask.report import UnsureReason as Reason
from unmask.report import Verdict

FAKE, UNSURE, REAL = Verdict.FAKE, Verdict.UNSURE, Verdict.REAL
BOUNDS = Bounds(real=0.3, fake=0.9)


@pytest.fixture
def manifest(colour_model: Path) -> Manifest:
    family = FamilyWise(offset=3.0, scale=1.0, real_scale=1.0)
    thresholds = Thresholds(fake=0.9, real=0.3, mask=0.5, family=family)
    return load_manifest(colour_model).model_copy(
        update={
            "thresholds": thresholds,
            "min_face": 40,
            "visibility": Visibility(covered=0.2, eyes_apart=0.45),
        }
    )


@pytest.mark.parametrize(
    ("score", "verdict", "reasons"),
    [
        (FaceScore(0.95, 200), FAKE, ()),
        (FaceScore(0.9, 200), FAKE, ()),
        (FaceScore(0.29, 200), REAL, ()),
        (FaceScore(0.6, 200), UNSURE, (Reason.TOO_FEW_SIGNS,)),
        (FaceScore(0.3, 200), UNSURE, (Reason.TOO_WEAK,)),
        (FaceScore(0.97, 200, True), UNSURE, (Reason.JUDGES_DISAGREE,)),
        (FaceScore(0.6, 200, True), UNSURE, (Reason.JUDGES_DISAGREE, Reason.TOO_FEW_SIGNS)),
        (FaceScore(0.1, 200, True), REAL, ()),  # both together clear it
        (FaceScore(0.95, 39.9), UNSURE, (Reason.TOO_SMALL,)),
        (FaceScore(0.05, 39.9, True), UNSURE, (Reason.TOO_SMALL,)),
        (FaceScore(0.1, 200, covered=0.19), REAL, ()),
        (FaceScore(0.1, 200, covered=0.2), UNSURE, (Reason.OCCLUDED,)),
        (FaceScore(0.6, 200, covered=0.2), UNSURE, (Reason.TOO_FEW_SIGNS, Reason.OCCLUDED)),
        (FaceScore(0.95, 200, covered=0.6), FAKE, ()),  # what is seen is enough
        (FaceScore(0.95, 200, eyes_apart=0.44), UNSURE, (Reason.PROFILE,)),
        (FaceScore(0.05, 200, eyes_apart=0.44), UNSURE, (Reason.PROFILE,)),
        (FaceScore(0.05, 200, eyes_apart=0.45), REAL, ()),
        (FaceScore(0.9, 20, eyes_apart=0.1), UNSURE, (Reason.TOO_SMALL, Reason.PROFILE)),
    ],
)
def test_the_verdict_and_its_reasons(
    manifest: Manifest, score: FaceScore, verdict: Verdict, reasons: tuple[Reason, ...]
) -> None:
    ruling = rule(score, BOUNDS, manifest)
    assert (ruling.verdict, ruling.reasons) == (verdict, reasons)
    assert bool(ruling.reasons) == (ruling.verdict is UNSURE)


def test_faces_that_cannot_be_judged_raise_no_bound(manifest: Manifest) -> None:
    large, small = FaceScore(0.5, 200), FaceScore(0.5, 20)
    profile, covered = FaceScore(0.5, 200, eyes_apart=0.3), FaceScore(0.5, 200, covered=0.9)
    alone = picture_bounds([large], manifest)
    assert alone == Bounds(0.3, 0.9)
    assert picture_bounds([large, small, small, profile], manifest) == alone
    assert picture_bounds([large, covered], manifest).fake > alone.fake  # it may be called fake
    three = picture_bounds([large] * 3, manifest)
    assert three.fake == pytest.approx(1 / (1 + np.exp(-3) / 3))
    assert alone.real < three.real <= 0.5
