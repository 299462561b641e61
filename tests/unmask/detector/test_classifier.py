"""The classifier: faces in, calibrated probabilities and heatmaps out, in order and in batches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models import tuned_colours, write_two_judges
from unmask.detector.align import Pixels
from unmask.detector.classifier import Classifier
from unmask.detector.engines.protocol import MAX_BATCH
from unmask.detector.joining import calibrated, raw_probability
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
    assert sizes == [2] * 8 + [2, 1]


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


# ---- two judges ---------------------------------------------------------------------------------

NEUTRAL = {"calibration": {"scale": 1.0, "offset": 0.0}, "real": 0.3}
#: What each judge's own word means: CLIP's is doubted more.
OPINIONS = {
    "densenet121": NEUTRAL,
    "clip": {"calibration": {"scale": 0.5, "offset": -1.0}, "real": 0.3},
}


def evenly(red: int, green: int, blue: int) -> Pixels:
    return np.full((224, 224, 3), (red, green, blue), np.uint8)


def logits(colour: tuple[int, int, int]) -> tuple[float, float]:
    """What the two judges make of an even colour: red less blue, red less green."""
    red, green, blue = (16 * value / 255 for value in colour)
    return red - blue, red - green


COLOURS = ((120, 110, 100), (100, 104, 110), (110, 100, 118))


def test_two_judges_are_joined_by_their_shares(two_judges: Path) -> None:
    found = Classifier(two_judges).judge([evenly(*colour) for colour in COLOURS])
    for one, colour in zip(found, COLOURS, strict=True):
        first, second = logits(colour)
        joined = raw_probability(np.array([0.25 * first + 0.75 * second]))[0]
        assert one.fake_probability == pytest.approx(joined, abs=1e-3)
        heatmap = raw_probability(np.array([first, second])).mean()
        np.testing.assert_allclose(one.heatmap, heatmap, atol=1e-3)
        assert one.heatmap.shape == (112, 112)
        assert one.judges == ()  # whose meaning the manifest does not tell


def test_what_each_judge_says_is_told_apart(two_judges: Path) -> None:
    images = np.stack([evenly(*colour) for colour in COLOURS]).astype(np.float32) / 127.5 - 1
    said = Classifier(two_judges).answers(images)
    assert said.families.shape == (3, 2, 5)
    assert said.heatmaps.shape == (3, 2, 112, 112)
    np.testing.assert_allclose(said.families[:, :, 0], 0)
    for head in range(1, 5):
        np.testing.assert_allclose(
            said.families[:, :, head], [logits(colour) for colour in COLOURS], atol=1e-3
        )


def test_each_judge_has_an_opinion_of_its_own(tmp_path: Path) -> None:
    classifier = Classifier(write_two_judges(tmp_path, opinions=OPINIONS))
    crops = [evenly(*colour) for colour in COLOURS] * 4  # in two batches
    for found, colour in zip(classifier.judge(crops), COLOURS * 4, strict=True):
        first, second = logits(colour)
        one, other = found.judges
        assert (one.name, other.name) == ("densenet121", "clip")
        assert one.fake_probability == pytest.approx(1 / (1 + np.exp(-first)), abs=1e-3)
        wanted = 1 / (1 + np.exp(-(0.5 * second - 1)))
        assert other.fake_probability == pytest.approx(wanted, abs=1e-3)
        assert found.disputed == any(judge.fake_probability < 0.3 for judge in found.judges)
    assert {found.disputed for found in classifier.judge(crops)} == {True, False}


def test_only_judges_whose_word_has_a_meaning_are_heard(tmp_path: Path) -> None:
    path = write_two_judges(tmp_path, opinions={"clip": NEUTRAL, "somebody": NEUTRAL})
    (found,) = Classifier(path).judge([evenly(*COLOURS[0])])
    assert [judge.name for judge in found.judges] == ["clip"]


def test_one_judge_may_have_an_opinion_too(colour_model: Path, tmp_path: Path) -> None:
    path = changed(colour_model, tmp_path, opinions={"densenet121": NEUTRAL})
    (found,) = Classifier(path).judge([evenly(*COLOURS[0])])
    (judge,) = found.judges
    assert judge.fake_probability == pytest.approx(found.fake_probability, abs=1e-6)


PARTS = ("tower", "tuned", "heads")
#: The stand-in's files by their part.
FILES = {"tower": "tower.onnx", "tuned": "tuned.npz", "heads": "heads.onnx"}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("is_there", [True, False], ids=["altered", "missing"])
def test_a_second_judges_file_that_is_missing_or_altered(
    tmp_path: Path, part: str, is_there: bool
) -> None:
    path = write_two_judges(tmp_path)
    file = tmp_path / FILES[part]
    if is_there:
        file.write_bytes(tuned_colours(9, 9, 9) if part == "tuned" else file.read_bytes() + b" ")
    else:
        file.unlink()
    with pytest.raises(UnmaskError) as refusal:
        Classifier(path)
    assert refusal.value.code == ("model_mismatch" if is_there else "model_missing")
    assert FILES[part] in str(refusal.value)
    json.dumps(refusal.value.as_json())


@pytest.mark.parametrize(
    "values",
    [
        {"clip": {"tower": {"file": "tower.onnx", "sha256": "0"}}},
        {"joining": {"any_weight": -0.1}},
        {"opinions": {"clip": {"calibration": {"scale": 0, "offset": 0}, "real": 0.5}}},
        {"opinions": {"clip": {"calibration": {"scale": 1, "offset": 0}, "real": 1.5}}},
    ],
    ids=["files", "joining", "scale", "bound"],
)
def test_a_manifest_of_two_judges_that_does_not_fit(tmp_path: Path, values: Any) -> None:
    with pytest.raises(UnmaskError) as refusal:
        load_manifest(write_two_judges(tmp_path, **values))
    assert refusal.value.code == "model_mismatch"


def test_a_manifest_names_its_judges(colour_model: Path, two_judges: Path) -> None:
    assert load_manifest(colour_model).judges == ("densenet121",)
    assert load_manifest(two_judges).judges == ("densenet121", "clip")
