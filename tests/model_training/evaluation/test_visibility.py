"""What covers a face: drawn, kept, fitted, and held against a bound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model_training.dataset.data import of_split, read_dataset
from model_training.evaluation import visibility
from model_training.evaluation.cover_faces import CLEAN, KINDS, cover_faces, covered_picture
from model_training.evaluation.visibility import fit_visibility, set_profile
from tests.model_training.faces import write_dataset
from tests.models import write_two_judges
from tests.unmask.detector.test_faces import TRUE
from unmask.detector.align import Floats, Pixels
from unmask.detector.clip import ClipJudge
from unmask.detector.manifest import load_manifest
from unmask.errors import UnmaskError


@pytest.mark.parametrize("kind", KINDS)
def test_every_cover_lies_where_it_says(portrait: Pixels, kind: str) -> None:
    shown, cover = covered_picture(portrait, TRUE, kind)
    again, _ = covered_picture(portrait, TRUE, kind)
    np.testing.assert_array_equal(shown, again)
    changed = np.abs(shown.astype(int) - portrait).max(axis=2) > 12
    assert changed.any()
    assert np.mean(cover[changed] > 0) > 0.9
    assert covered_picture(portrait, TRUE, CLEAN)[1].max() == 0


class Tower:
    """Tokens of two numbers: how much a patch differs from grey, and nothing."""

    runs = 0

    def tokens(self, images: Floats) -> dict[str, Floats]:
        Tower.runs += 1
        patches = np.abs(images).reshape(len(images), 14, 16, 14, 16, 3).mean(axis=(2, 4, 5))
        tokens = np.zeros((len(images), 197, 2), np.float32)
        tokens[:, 1:, 0] = patches.reshape(len(images), -1)
        return {"tokens_9": tokens}


def test_what_was_made_is_kept(tmp_path: Path, portrait: Pixels) -> None:
    rows = of_split(read_dataset(write_dataset(tmp_path / "data", portrait)), "train")
    jobs = [(index, kind) for index in range(len(rows)) for kind in (CLEAN, "text bar")]
    judge: ClipJudge = Tower()  # type: ignore[assignment]
    (first,) = cover_faces(rows, jobs, judge, "tower", tmp_path / "cache")
    assert first.tokens.shape[1:] == (197, 2)
    assert first.covers[first.kinds == CLEAN].max() == 0
    assert first.covers[first.kinds == "text bar"].max() > 0.9
    runs = Tower.runs
    (second,) = cover_faces(rows, jobs, judge, "tower", tmp_path / "cache")
    np.testing.assert_array_equal(first.tokens, second.tokens)
    assert Tower.runs == runs
    list(cover_faces(rows, jobs, judge, "another tower", tmp_path / "cache"))
    assert Tower.runs > runs


def test_the_head_and_the_bound_come_into_the_manifest(
    tmp_path: Path, portrait: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stand-in's tokens show colours, so that little can be seen; but what can is written."""
    monkeypatch.setattr(visibility, "COVERED_EVERY", 1)
    data = write_dataset(tmp_path / "data", portrait)
    with pytest.raises(ValueError, match="test"):
        fit_visibility(data, write_two_judges(tmp_path), tmp_path, cache=tmp_path / "cache")
    plain = visibility.split_of
    monkeypatch.setattr(
        visibility, "split_of", lambda rows, split: plain(rows, split.replace("test", "val"))
    )
    path = write_two_judges(tmp_path)
    changed = fit_visibility(data, path, tmp_path, cache=tmp_path / "cache", most=4)
    assert changed == load_manifest(path)
    assert changed.clip is not None
    assert changed.clip.cover is not None
    ClipJudge(tmp_path, changed.clip)  # whose sha256 it checks
    assert 0 < changed.visibility.covered < 1
    assert changed.visibility.eyes_apart == visibility.PROFILE
    assert (tmp_path / visibility.VISIBILITY_FILE).is_file()


def test_a_model_without_clip_knows_profiles_alone(colour_model: Path, tmp_path: Path) -> None:
    with pytest.raises(UnmaskError) as refusal:
        fit_visibility(tmp_path, colour_model, tmp_path, cache=tmp_path)
    assert refusal.value.code == "model_mismatch"
    path = tmp_path / "alone.json"
    path.write_bytes(colour_model.read_bytes())
    set_profile(path)
    assert load_manifest(path).visibility.eyes_apart == visibility.PROFILE
