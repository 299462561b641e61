"""The model that is shipped, as it is shipped: opened and run once for all that is asked of it."""

from __future__ import annotations

import numpy as np
import pytest

from unmask.detector.align import Pixels, align_face, frame_quad
from unmask.detector.classifier import Answers, Classifier
from unmask.detector.faces import FaceFinder
from unmask.detector.manifest import Manifest, load_manifest
from unmask.detector.preprocess import prepare
from unmask.settings import SHIPPED_MODEL


@pytest.fixture(scope="session")
def answers(portrait: Pixels) -> tuple[Manifest, Answers]:
    """What its judges say of a face and of the same face mirrored, in one run."""
    (face, *_) = FaceFinder(threads=1).find(portrait)
    crop = align_face(portrait, frame_quad(face.landmarks))
    classifier = Classifier(SHIPPED_MODEL, threads=1)
    mirrored = np.ascontiguousarray(crop[:, ::-1])
    return classifier.manifest, classifier.answers(prepare([crop, mirrored]))


def test_both_judges_look_at_the_face(answers: tuple[Manifest, Answers]) -> None:
    manifest, said = answers
    assert manifest.judges == ("densenet121", "clip")
    assert said.families.shape == (2, 2, 5)
    assert said.heatmaps.shape == (2, 2, 112, 112)
    assert np.isfinite(said.families).all()
    assert 0 <= said.heatmaps.min() <= said.heatmaps.max() <= 1
    assert (said.families[0] != said.families[1]).any(axis=1).all()
    assert np.ptp(said.heatmaps, axis=(2, 3)).min() > 0


def test_each_judge_has_its_share(answers: tuple[Manifest, Answers]) -> None:
    manifest, _ = answers
    for shares in (manifest.joining.weights, manifest.joining.heatmap):
        assert set(shares) == set(manifest.judges)
        assert all(share > 0 for share in shares.values())
    assert load_manifest(SHIPPED_MODEL) == manifest
