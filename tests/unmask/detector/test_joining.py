"""Several judges' logits and heatmaps become one opinion, as the manifest says."""

from __future__ import annotations

import numpy as np
import pytest

from unmask.detector.joining import (
    face_logit,
    family_logits,
    joined_heatmap,
    joined_logit,
    raw_probability,
)
from unmask.detector.manifest import CLIP, DENSENET, Joining

BOTH = (DENSENET, CLIP)


def answers(faces: int = 4, heads: int = 5) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(0).normal(0, 3, (faces, 2, heads)).astype(np.float32)


def test_judges_have_their_shares_in_each_head() -> None:
    said = answers()
    found = family_logits(said, BOTH, Joining(weights={DENSENET: 0.25, CLIP: 0.75}))
    np.testing.assert_allclose(found, 0.25 * said[:, 0] + 0.75 * said[:, 1], rtol=1e-5)
    assert found.dtype == np.float32
    turned = family_logits(said[:, ::-1], BOTH[::-1], Joining(weights={DENSENET: 1, CLIP: 3}))
    np.testing.assert_allclose(turned, found, rtol=1e-5)  # by name, and whatever they add up to


def test_a_judge_that_is_not_named_has_no_share() -> None:
    said = answers()
    np.testing.assert_allclose(family_logits(said, BOTH, Joining()), said[:, 0], rtol=1e-6)
    alone = family_logits(said[:, :1], (DENSENET,), Joining(weights={DENSENET: 0.2, CLIP: 0.8}))
    np.testing.assert_allclose(alone, said[:, 0], rtol=1e-6)


def test_a_face_is_as_fake_as_its_most_suspicious_family() -> None:
    heads = np.array([[1.0, -2, 3, -4, 0], [-1, -9, -8, -7, -6], [4, 0, 0, 0, 0]], np.float32)
    np.testing.assert_allclose(face_logit(heads, 0.5), [3.5, -6.5, 2.0])
    np.testing.assert_allclose(face_logit(heads, 0.0), [3, -6, 0])


def test_a_network_of_one_head_has_that_ones_logit() -> None:
    heads = np.array([[1.5], [-2]], np.float32)
    np.testing.assert_array_equal(face_logit(heads, 0.5), [1.5, -2])


@pytest.mark.parametrize("heads", [1, 5])
def test_of_no_faces_nothing_is_said(heads: int) -> None:
    assert joined_logit(answers(0, heads), BOTH, Joining()).shape == (0,)


def test_judges_are_joined_before_the_most_suspicious_family_is_sought() -> None:
    """Else two judges who each suspect another family would agree more than either does."""
    said = np.array([[[0, 8, 0, 0, 0], [0, 0, 8, 0, 0]]], np.float32)
    joining = Joining(weights={DENSENET: 0.5, CLIP: 0.5}, any_weight=0.5)
    np.testing.assert_allclose(joined_logit(said, BOTH, joining), [4.0])


def test_heatmaps_are_mixed_by_shares_of_their_own() -> None:
    maps = np.random.default_rng(1).random((3, 2, 6, 6)).astype(np.float32)
    joining = Joining(weights={DENSENET: 1}, heatmap={DENSENET: 1, CLIP: 4})
    found = joined_heatmap(maps, BOTH, joining)
    np.testing.assert_allclose(found, 0.2 * maps[:, 0] + 0.8 * maps[:, 1], atol=1e-6)
    assert found.dtype == np.float32
    assert joined_heatmap(maps[:0], BOTH, joining).shape == (0, 6, 6)


def test_logits_become_probabilities() -> None:
    found = raw_probability(np.array([-200, -1, 0, 1, 200], np.float32))
    np.testing.assert_allclose(found, [0, 0.26894, 0.5, 0.73106, 1], atol=1e-5)
    assert found.dtype == np.float32
