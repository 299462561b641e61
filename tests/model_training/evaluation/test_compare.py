from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model_training.dataset.data import of_split, read_dataset
from model_training.evaluation.compare import _peak_logit, _second_logit, compare
from model_training.evaluation.predict import predict
from tests.model_training.conftest import Measured


def test_each_way_has_its_row(measured: Measured) -> None:
    lines = compare(measured.data, measured.manifest, cache=measured.cache, repeats=20).splitlines()
    head, rows = lines[0], {line.split(" | ")[0].strip("| "): line for line in lines[2:]}
    assert head.endswith("within mixed |")
    assert list(rows)[:3] == ["as served", "the face's logit", "the heatmap's mean"]
    assert len(rows) == 10
    # the stand-in's activation is its score: both say the same
    cells = [rows[name].split(" | ")[1:] for name in ("as served", "the face's logit")]
    assert cells[0] == cells[1]
    assert float(cells[0][0].split()[0]) > 0.9


def test_an_ensemble_is_told_apart(measured: Measured, tmp_path: Path) -> None:
    together = tmp_path / "model"
    shutil.copytree(measured.manifest.parent, together)
    manifest = json.loads(measured.manifest.read_text())
    manifest["training"] = {"ensemble": {"network": "efficientnet-lite2"}}
    (together / measured.manifest.name).write_text(json.dumps(manifest))
    lines = compare(measured.data, together / measured.manifest.name, repeats=20).splitlines()
    rows = {line.split(" | ")[0].strip("| "): line.split(" | ")[1:] for line in lines[2:]}
    assert len(rows) == 11
    assert "the second network's logit" in rows


def test_what_an_ensembles_second_network_said(measured: Measured) -> None:
    found = predict(of_split(read_dataset(measured.data), "test")[:3], measured.manifest)
    said = np.linspace(-2, 3, len(found.raw))
    logits = (said + 2 * found.activations.astype(float).mean(axis=(1, 2))) / 3
    joined = replace(found, raw=(1 / (1 + np.exp(-logits))).astype(np.float32))
    np.testing.assert_allclose(_second_logit(joined), said, atol=1e-3)


def test_the_peak_of_a_heatmap(measured: Measured) -> None:
    rows = of_split(read_dataset(measured.data), "test")[1:2]
    found = predict(rows, measured.manifest)
    hot = np.zeros((1, 10, 10), np.float16)
    hot[0, 0, :5] = 0.5
    found = replace(found, heatmaps=hot)
    assert _peak_logit(found, 0.05) == pytest.approx(0.0)
    assert _peak_logit(found, 1.0) == pytest.approx(np.log(0.025 / 0.975))


def test_data_without_validation(measured: Measured, tmp_path: Path) -> None:
    for path in measured.data.glob("test-*"):
        shutil.copy(path, tmp_path)
    lines = (measured.data / "faces.csv").read_text().splitlines()
    kept = [lines[0], *(line for line in lines if ",test," in line)]
    (tmp_path / "faces.csv").write_text("\n".join(kept))
    with pytest.raises(ValueError, match="'val'"):
        compare(tmp_path, measured.manifest)
