"""The classifier: faces in, calibrated probabilities and heatmaps out, in order and in batches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.detector.align import Pixels
from unmask.detector.classifier import MAX_BATCH, Classifier, calibrated
from unmask.detector.manifest import Calibration, load_manifest
from unmask.errors import UnmaskError


def shades(count: int) -> list[Pixels]:
    """Faces that the colour model calls more and more fake, each with a mark in its corner."""
    crops = []
    for number in range(count):
        crop = np.full((224, 224, 3), 100, np.uint8)
        crop[..., 0] = 90 + number
        crop[:40, :60] = (0, 0, 255)
        crops.append(crop)
    return crops


def changed(colour_model: Path, folder: Path, **values: Any) -> Path:
    """The colour model's manifest with other values, beside the same model."""
    manifest = json.loads(colour_model.read_text()) | values
    (folder / "colour.onnx").write_bytes((colour_model.parent / "colour.onnx").read_bytes())
    path = folder / "manifest.json"
    path.write_text(json.dumps(manifest))
    return path


@pytest.mark.parametrize("count", [0, 1, MAX_BATCH, MAX_BATCH + 1, 3 * MAX_BATCH - 1])
def test_batches_give_what_one_by_one_gives(colour_model: Path, count: int) -> None:
    classifier = Classifier(colour_model, threads=1)
    crops = shades(count)
    together = classifier.judge(crops)
    alone = [found for crop in crops for found in classifier.judge([crop])]
    assert len(together) == count
    for one, other in zip(together, alone, strict=True):
        assert one.fake_probability == pytest.approx(other.fake_probability, abs=1e-3)
        np.testing.assert_allclose(one.heatmap, other.heatmap, atol=1e-6)
    # the means of float32 differ by 1e-4, two neighbours by more than 1e-2
    chances = [found.fake_probability for found in together]
    assert all(np.diff(chances) > 5e-3)


def test_no_run_is_larger_than_a_batch(colour_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = Classifier(colour_model, threads=1)
    plain, sizes = classifier._session, []

    class Counting:
        def run(self, names: list[str], feed: dict[str, Any]) -> Any:
            sizes.append(len(feed["image"]))
            return plain.run(names, feed)

    monkeypatch.setattr(classifier, "_session", Counting())
    classifier.judge(shades(2 * MAX_BATCH + 3))
    assert sizes == [MAX_BATCH, MAX_BATCH, 3]


def test_the_heatmap_shows_where(colour_model: Path) -> None:
    (found,) = Classifier(colour_model).judge(shades(1))
    assert found.heatmap.shape == (112, 112)
    assert found.heatmap.dtype == np.float32
    assert found.heatmap[:20, :30].max() < 0.01
    assert found.heatmap[20:].min() > 0.2


def test_the_manifest_says_how_noise_is_removed(colour_model: Path, tmp_path: Path) -> None:
    speck = np.full((224, 224, 3), 100, np.uint8)
    speck[101, 101, 0] = 255
    (plain,) = Classifier(colour_model).judge([speck])
    path = changed(colour_model, tmp_path, denoise="median")
    (cleaned,) = Classifier(path).judge([speck])
    assert plain.heatmap.max() > 0.9
    assert cleaned.heatmap.max() == pytest.approx(0.5, abs=1e-3)


def test_the_manifest_says_how_to_calibrate(colour_model: Path, tmp_path: Path) -> None:
    crops = shades(12)
    raw = [found.fake_probability for found in Classifier(colour_model).judge(crops)]
    path = changed(colour_model, tmp_path, calibration={"scale": 0.5, "offset": 1.0})
    classifier = Classifier(path)
    shown = [found.fake_probability for found in classifier.judge(crops)]
    logits = np.log(np.array(raw) / (1 - np.array(raw)))
    np.testing.assert_allclose(shown, 1 / (1 + np.exp(-(0.5 * logits + 1))), atol=1e-5)
    assert classifier.judge(crops)[0].heatmap.max() < 0.5  # probabilities alone are scaled


chance = st.floats(0, 1, width=32)


@given(chance, chance, st.floats(0.01, 5), st.floats(-8, 8))
def test_calibration_keeps_the_order(a: float, b: float, scale: float, offset: float) -> None:
    low, high = sorted((a, b))
    found = calibrated(np.array([low, high], np.float32), Calibration(scale=scale, offset=offset))
    assert 0 <= found[0] <= found[1] <= 1
    assert np.isfinite(found).all()


def test_calibration_that_changes_nothing() -> None:
    raw = np.linspace(0, 1, 101, dtype=np.float32)
    found = calibrated(raw, Calibration(scale=1, offset=0))
    np.testing.assert_allclose(found, raw, atol=1e-6)
    assert calibrated(raw[:0], Calibration(scale=1, offset=0)).shape == (0,)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"sha256": "0" * 64}, "model_mismatch"),
        ({"file": "other.onnx"}, "model_missing"),
        ({"calibration": {"scale": -1, "offset": 0}}, "model_mismatch"),
        ({"thresholds": {"fake": 2, "real": 0.3, "mask": 0.5}}, "model_mismatch"),
        ({"input_size": 0}, "model_mismatch"),
        ({"denoise": "guess"}, "model_mismatch"),
    ],
)
def test_a_manifest_that_does_not_fit(
    colour_model: Path, tmp_path: Path, values: dict[str, Any], code: str
) -> None:
    with pytest.raises(UnmaskError) as refusal:
        Classifier(changed(colour_model, tmp_path, **values))
    assert refusal.value.code == code
    json.dumps(refusal.value.as_json())


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "model_missing"), ("", "model_mismatch"), ("{}", "model_mismatch")],
)
def test_a_manifest_that_is_none(tmp_path: Path, content: str | None, code: str) -> None:
    path = tmp_path / "manifest.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UnmaskError) as refusal:
        load_manifest(path)
    assert refusal.value.code == code
    json.dumps(refusal.value.as_json())
