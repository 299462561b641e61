from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from model_training.dataset.data import of_split, read_dataset
from model_training.evaluation.evaluate import evaluate, read_history
from model_training.evaluation.predict import Degradation, predict
from tests.model_training.conftest import Measured
from unmask.detector.preprocess import Denoise

PLOTS = ("history", "roc", "confusion", "reliability", "scores", "verdicts", "masks")


def test_metrics_are_written_as_returned(measured: Measured) -> None:
    assert json.loads((measured.out / "metrics.json").read_text()) == measured.metrics


@pytest.mark.parametrize("name", PLOTS)
def test_every_plot_is_drawn(measured: Measured, name: str) -> None:
    picture = cv2.imread(str(measured.out / f"{name}.png"))
    assert picture is not None
    assert min(picture.shape[:2]) > 200
    assert picture.std() > 5


def test_a_picture_without_a_face_is_counted_and_not_called_fake(measured: Measured) -> None:
    overall = measured.metrics["overall"]
    assert overall["counts"] == {
        "real": 6,
        "fake": 12,
        "groups": 9,
        "no_face_real": 1,
        "no_face_fake": 0,
    }
    assert overall["verdicts"]["real"]["no_face"] == pytest.approx(1 / 6, abs=1e-6)
    assert measured.metrics["calibration"]["count"] == 17
    assert sum(overall["at_bound"]["confusion"].values()) == 18


def test_the_stand_in_tells_colours_apart(measured: Measured) -> None:
    sources = measured.metrics["fake_sources"]
    assert sources["synthetic"]["against_all"]["auc"]["value"] == 1.0
    assert "against_within" not in sources["synthetic"]
    assert sources["mixed"]["against_within"]["real"] == 6
    whole = measured.metrics["fakes_by_kind"]["whole"]
    assert whole["called_fake"]["value"] == 1.0
    assert whole["called_fake"]["interval"][0] < 1.0
    alarms = measured.metrics["reals_by_source"]["mixed"]
    assert alarms["called_fake"]["interval"][1] > 0


def test_masks_are_measured_against_their_rivals(measured: Measured) -> None:
    found = measured.metrics["localisation"]
    assert (found["pictures"], found["groups"], found["no_face"]) == (6, 3, 0)
    methods = found["methods"]
    assert set(methods) == {"unmask", "paper", "activation", "same_place"}
    assert methods["unmask"]["iou"]["value"] > 0.5
    assert methods["unmask"]["iou"]["value"] > methods["paper"]["iou"]["value"]
    assert methods["paper"]["variant"] in {"bright", "dark"}
    assert methods["unmask"]["false_area"]["count"] == 5
    for row in methods.values():
        assert row["iou"]["interval"][0] <= row["iou"]["value"] <= row["iou"]["interval"][1]
        assert row["false_area_shown"]["value"] <= row["false_area"]["value"]


def test_data_are_counted(measured: Measured) -> None:
    local = measured.metrics["data"][1]
    assert (local["source"], local["label"], local["masks"]) == ("mixed", "fake", 12)
    assert (local["train"], local["val"], local["test"], local["groups"]) == (0, 6, 6, 6)


def test_the_history_is_summed_up(measured: Measured) -> None:
    history = measured.metrics["history"]
    assert history["epochs"] == 2
    assert history["last"] == {"epoch": 1.0, "loss": 0.3, "accuracy": 0.9}
    assert read_history(measured.out / "history.csv")[0]["val_loss"] == 0.8


def test_noise_removal_in_place_of_the_manifests(measured: Measured, tmp_path: Path) -> None:
    found = evaluate(measured.data, measured.manifest, tmp_path, repeats=5, denoise=Denoise.MEDIAN)
    assert found["condition"] == {"denoise": "median"}
    assert found["history"] is None


def test_an_empty_split_is_refused(measured: Measured, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="empty"):
        evaluate(measured.data, measured.manifest, tmp_path, split="train")


def test_predictions_are_kept_and_can_be_taken_apart(measured: Measured, tmp_path: Path) -> None:
    rows = of_split(read_dataset(measured.data), "test")[:4]
    found = predict(rows, measured.manifest, cache=tmp_path)
    again = predict(rows, measured.manifest, cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    np.testing.assert_array_equal(found.raw, again.raw)
    assert found.faces[0] == 0  # the picture without a face
    assert found.largest[0] == found.suspicious[0] == -1
    assert found.heatmaps.shape[1:] == (112, 112)
    part = found.take([3, 0])
    assert part.faces.tolist() == [found.faces[3], 0]
    assert part.raw[part.largest[0]] == found.raw[found.largest[3]]
    assert part.sizes.tolist() == [[240, 240], [240, 240]]


def test_other_pictures_of_the_same_names_are_judged_again(
    measured: Measured, tmp_path: Path
) -> None:
    rows = of_split(read_dataset(measured.data), "test")[1:4]
    first = predict(rows, measured.manifest, cache=tmp_path / "cache")
    changed = []
    for row in rows:
        path = tmp_path / Path(row.name).name
        cv2.imwrite(str(path), 255 - cv2.imread(str(row.path)))
        changed.append(replace(row, path=path))
    second = predict(changed, measured.manifest, cache=tmp_path / "cache")
    assert len(first.raw) != len(second.raw) or (first.raw != second.raw).any()


def test_a_degradation_that_changed_under_its_name_is_judged_again(
    measured: Measured, tmp_path: Path
) -> None:
    rows = of_split(read_dataset(measured.data), "test")[1:4]
    steps = [lambda pixels: pixels, lambda pixels: np.ascontiguousarray(pixels[:, :, ::-1])]
    one, other = (
        predict(rows, measured.manifest, cache=tmp_path, degradation=Degradation("worn", step))
        for step in steps
    )
    assert (one.raw != other.raw).any()
