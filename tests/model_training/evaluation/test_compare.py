from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from model_training.dataset.data import of_split, read_dataset
from model_training.evaluation.compare import JOINS_FILE, _by_picture, compare
from model_training.evaluation.predict import predict
from tests.model_training.conftest import Measured
from tests.model_training.stub_model import write_pair
from tests.models import sha256, tuned_colours


def test_each_way_has_its_row(measured: Measured, tmp_path: Path) -> None:
    result = compare(measured.data, measured.manifest, tmp_path, cache=measured.cache)
    assert json.loads((tmp_path / JOINS_FILE).read_text()) == result
    rows = result["scores"]
    assert list(rows) == [
        "as served",
        "densenet121: most suspicious family",
        "densenet121: head over all fakes",
        "head over all fakes times 0",
        "head over all fakes times 0.25",
        "head over all fakes times 0.5",
        "head over all fakes times 1",
    ]
    # the stand-in has one head: all say the same
    served = rows["as served"]
    assert all(row == served for row in rows.values())
    assert served["auc"] > 0.9
    assert served["reals_called_fake"] == 0.0
    assert served["by_family"] == {}  # its kinds of fakes belong to no family


def test_two_judges_and_their_shares_are_told_apart(measured: Measured, tmp_path: Path) -> None:
    """The second judge is blind here: alone it tells nothing, and with the first, whatever its
    share, it changes no order."""
    path = write_pair(tmp_path)
    (tmp_path / "blind.npz").write_bytes(tuned_colours(0, 0, 0))
    told = json.loads(path.read_text())
    told["clip"]["tuned"] = {"file": "blind.npz", "sha256": sha256(tuned_colours(0, 0, 0))}
    path.write_text(json.dumps(told))
    rows = compare([measured.data], path, tmp_path, cache=tmp_path / "cache")["scores"]
    areas = {name: row["auc"] for name, row in rows.items()}
    assert len(rows) == 1 + 4 + 4 + 4
    assert areas["clip: most suspicious family"] == areas["clip: head over all fakes"] == 0.5
    own = areas["densenet121: most suspicious family"]
    assert own > 0.9
    assert areas["as served"] == own
    assert [areas[f"clip's share {share}"] for share in ("0.50", "0.67", "0.75", "0.80")] == [
        own
    ] * 4
    assert rows["clip: most suspicious family"]["fakes_found"] == 0.0


def test_a_picture_without_a_face_is_least_suspicious(measured: Measured) -> None:
    rows = of_split(read_dataset(measured.data), "test")[:4]
    found = predict(rows, measured.manifest, cache=measured.cache)
    scores = np.linspace(-1, 2, len(found.raw))
    chances = _by_picture(rows, found, scores)
    assert chances[0] == pytest.approx(1 / (1 + np.exp(1)))  # as the least of all faces
    np.testing.assert_allclose(chances[1:], 1 / (1 + np.exp(-scores[found.largest[1:]])))


def test_data_without_validation(measured: Measured, tmp_path: Path) -> None:
    for path in measured.data.glob("test-*"):
        shutil.copy(path, tmp_path)
    lines = (measured.data / "faces.csv").read_text().splitlines()
    kept = [lines[0], *(line for line in lines if ",test," in line)]
    (tmp_path / "faces.csv").write_text("\n".join(kept))
    with pytest.raises(ValueError, match="'val'"):
        compare(tmp_path, measured.manifest, tmp_path)
