"""Runs are compared by what their networks say; a small network stands in for them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from model_training.dataset.data import Row  # noqa: E402
from model_training.evaluation import ablate as module  # noqa: E402
from model_training.evaluation.ablate import Said, ablate, choose_bound, gain, load_judge, measure  # noqa: E402
from model_training.networks.model import save_weights  # noqa: E402
from tests.model_training.faces import known_landmarks, write_dataset  # noqa: E402
from tests.model_training.training.test_trainer import tiny  # noqa: E402

Pixels = npt.NDArray[np.uint8]


def rows_of(labels: list[int], source: str = "a") -> list[Row]:
    return [
        Row(Path(f"{n}.png"), f"{n}", "val", label, "kind", source, f"{n}")
        for n, label in enumerate(labels)
    ]


def said(scores: list[float], side: int = 0) -> Said:
    values = np.array(scores, np.float32)
    return Said(values, values, np.zeros((len(scores), side, side), np.float16))


def test_a_better_run_gains() -> None:
    rows = rows_of([0, 0, 1, 1])
    poor, good = said([0.5, 0.1, 0.4, 0.9]), said([0.1, 0.2, 0.8, 0.9])
    assert gain(poor, good, rows, 50)["value"] == 0.25
    assert gain(good, good, rows, 50)["value"] == 0.0
    low, high = gain(poor, good, rows, 50)["interval"]
    assert low <= 0.25 <= high


def test_the_bound_spares_real_faces() -> None:
    rows = rows_of([0, 1])
    heatmap = np.zeros((2, 10, 10), np.float16)
    heatmap[0, :2] = 0.6  # a fifth of a real face is wrongly hot
    heatmap[1, :5] = 0.8
    heatmap[1, :3] = 0.95
    truth = np.zeros((10, 10), np.uint8)
    truth[:5] = 255
    run = Said(np.zeros(2, np.float32), np.zeros(2, np.float32), heatmap)
    bound = choose_bound(run, rows, {1: truth})
    assert 0.6 < bound <= 0.8
    found = measure(run, rows, {1: truth}, bound, 20)
    assert found["mask_iou"]["value"] == 1.0
    assert found["false_area"]["value"] == 0.0


def test_a_run_without_a_decoder_has_no_masks() -> None:
    run = said([0.1, 0.9])
    rows = rows_of([0, 1])
    assert choose_bound(run, rows, {}) == 0.5
    found = measure(run, rows, {}, 0.5, 20)
    assert "mask_iou" not in found
    assert found["within_a"]["value"] == found["auc"]["value"] == 1.0


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, portrait: Pixels) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data"), portrait, each=2)


def fresh(decoder: bool = True) -> Any:
    keras.backend.clear_session()  # or each network's layers had names of their own
    return tiny(decoder)


def write_run(folder: Path, **plan: Any) -> Path:
    folder.mkdir()
    (folder / "plan.json").write_text(json.dumps({"data": "x", "warmstart": "/some/w.npz", **plan}))
    save_weights(fresh(plan.get("decoder", True)), folder / "best.npz")
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model_training.networks.model.build_model", fresh)


@pytest.mark.usefixtures("small")
def test_two_runs_side_by_side(data: Path, tmp_path: Path, portrait: Pixels) -> None:
    rows, landmarks = known_landmarks(data, portrait)
    known = tmp_path / "landmarks.csv"
    known.write_text(
        "".join(f"{row.name},{','.join(map(str, landmarks[row.name].ravel()))}\n" for row in rows)
    )
    runs = {
        "kept": write_run(tmp_path / "kept"),
        "plain": write_run(tmp_path / "plain", decoder=False, frame=0.6, denoise="median"),
    }
    out = tmp_path / "out"
    found = ablate(data, runs, out, landmarks_csv=known, repeats=20)
    assert json.loads((out / "ablations.json").read_text()) == found
    more = ablate(data, runs, out, landmarks_csv=known, series="more", about="Of two.", repeats=20)
    assert json.loads((out / "ablations-more.json").read_text()) == more
    assert more == {**found, "about": "Of two."}
    assert found["counts"] == {"val": {"real": 2, "fake": 2}}
    kept, plain = found["runs"]["kept"], found["runs"]["plain"]
    assert kept["plan"] == {"warmstart": True, "teacher": False}
    assert "auc_gain" not in kept["val"]
    assert plain["val"]["auc_gain"]["value"] == pytest.approx(
        plain["val"]["auc"]["value"] - kept["val"]["auc"]["value"], abs=1e-6
    )
    assert kept["val"]["mask_iou"]["count"] == 2
    assert "mask_iou" not in plain["val"]


@pytest.mark.usefixtures("small")
def test_what_a_run_said_is_kept(
    data: Path, tmp_path: Path, portrait: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, landmarks = known_landmarks(data, portrait)
    folder = write_run(tmp_path / "run")
    first = module._said(folder, {}, rows, landmarks, "val")
    monkeypatch.setattr(module, "load_judge", lambda *_: pytest.fail("asked again"))
    again = module._said(folder, {}, rows, landmarks, "val")
    np.testing.assert_array_equal(first.score, again.score)
    with pytest.raises(pytest.fail.Exception):  # other pictures are another question
        module._said(folder, {}, rows[:3], landmarks, "val")


@pytest.mark.usefixtures("small")
def test_the_score_is_the_served_one(tmp_path: Path) -> None:
    judge = load_judge(write_run(tmp_path / "run") / "best.npz", {})
    image = np.random.default_rng(0).uniform(-1, 1, (2, 224, 224, 3)).astype(np.float32)
    score, logit, heatmap = judge(image)
    assert heatmap is not None
    assert heatmap.shape == (2, 112, 112)
    assert logit.shape == (2,)
    assert (score != logit).all()  # the most suspicious family speaks too
    plain = load_judge(
        write_run(tmp_path / "plain", decoder=False) / "best.npz", {"decoder": False}
    )
    other, _, nothing = plain(image)
    np.testing.assert_allclose(other, score, atol=1e-5)  # which needs no heatmap
    assert nothing is None


def test_runs_of_clip_are_not_compared(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="clip-vit-b16"):
        load_judge(tmp_path / "best.npz", {"network": "clip-vit-b16"})


def test_a_folder_that_is_no_run(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no training run"):
        ablate(data, {"x": tmp_path}, tmp_path, landmarks_csv=tmp_path / "l.csv")
