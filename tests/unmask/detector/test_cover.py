"""The share of a face that is covered, as a linear head on patch tokens sees it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from tests.models import sha256, write_two_judges
from tests.unmask.detector.subjects import REAL, UNSURE, examined, picture, swapped
from unmask.detector.align import Pixels
from unmask.detector.cover import CoverHead, covered_shares
from unmask.detector.detector import Detector
from unmask.errors import UnmaskError
from unmask.report import UnsureReason
from unmask.settings import Settings


def packed(weight: list[float], bias: float) -> bytes:
    file = io.BytesIO()
    np.savez(file, weight=np.array(weight, np.float32), bias=np.float32(bias))
    return file.getvalue()


def test_each_patch_is_covered_or_clear() -> None:
    head = CoverHead(packed([10.0, 0.0], -5.0))
    tokens = np.zeros((2, 197, 2), np.float32)
    tokens[:, :, 1] = 7  # counts for nothing
    tokens[1, 0, 0] = 1  # the first token is no patch
    tokens[1, 1 : 1 + 14 * 7, 0] = 1  # the upper half
    patches = head.patches(tokens)
    assert patches.shape == (2, 14, 14)
    np.testing.assert_allclose(patches[1, :7], 1 / (1 + np.exp(-5)), atol=1e-6)
    np.testing.assert_allclose(patches[1, 7:], 1 / (1 + np.exp(5)), atol=1e-6)
    none, half = head.shares(tokens)
    assert none < 0.01
    assert half == pytest.approx(0.5, abs=0.1)


def test_only_the_face_itself_counts() -> None:
    patches = np.zeros((1, 14, 14), np.float32)
    patches[:, :, :2] = patches[:, :, -2:] = 1
    assert covered_shares(patches).tolist() == [0.0]
    patches[:, 6:9, 5:9] = 1
    assert 0.1 < covered_shares(patches)[0] < 0.25


def with_head(folder: Path, **visibility: float) -> Path:
    """A model of two judges whose head takes what is greener than red for a cover."""
    data = packed([-1.0], -6.0)
    (folder / "cover.npz").write_bytes(data)
    path = write_two_judges(folder, visibility=visibility)
    manifest = json.loads(path.read_text())
    manifest["clip"]["cover"] = {"file": "cover.npz", "sha256": sha256(data)}
    path.write_text(json.dumps(manifest))
    return path


def test_a_face_that_is_partly_covered_is_not_cleared(tmp_path: Path, portrait: Pixels) -> None:
    """The real one has a green bar over it."""
    detector = Detector(Settings(model=with_head(tmp_path, covered=0.2), threads=2))
    bar = swapped(portrait)
    bar[120:150, 190:260] = (0, 200, 0)
    clear, covered = examined(detector, picture(swapped(portrait)), picture(bar))
    assert clear.report.verdict is REAL
    assert covered.report.verdict is UNSURE
    assert covered.report.faces[0].reasons == (UnsureReason.OCCLUDED,)
    assert "covered" in covered.report.statement


def test_a_face_in_profile_is_unsure(tmp_path: Path, portrait: Pixels) -> None:
    """With a bound that the portrait does not reach."""
    detector = Detector(Settings(model=with_head(tmp_path, eyes_apart=1.5), threads=2))
    (face,) = examined(detector, picture(portrait))
    assert face.report.faces[0].reasons == (UnsureReason.PROFILE,)


def test_only_the_head_that_is_meant(tmp_path: Path) -> None:
    path = with_head(tmp_path)
    (tmp_path / "cover.npz").write_bytes(packed([-2.0], 0.0))
    with pytest.raises(UnmaskError) as refusal:
        Detector(Settings(model=path))
    assert refusal.value.code == "model_mismatch"
