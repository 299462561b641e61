"""Small, turned and covered faces get rows of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_training.dataset.data import read_dataset, split_of
from model_training.evaluation import views
from model_training.evaluation.cover_faces import KINDS
from model_training.evaluation.predict import read_rgb
from model_training.export.manifests import write_manifest
from model_training.report.sections import views_section
from tests.model_training.conftest import Measured
from unmask.detector.manifest import Visibility, load_manifest


@pytest.fixture(scope="module")
def table(measured: Measured, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("views")
    strict = load_manifest(measured.manifest).model_copy(
        update={"min_face": 40, "visibility": Visibility(eyes_apart=0.45)}
    )
    manifest = measured.manifest.with_name("strict.json")
    write_manifest(strict, manifest)
    found = views.measure(measured.data, manifest, out, cache=measured.cache, repeats=20)
    assert json.loads((out / views.VIEWS_FILE).read_text()) == found
    return found


def test_each_copy_counts_in_the_row_of_its_face(table: dict[str, Any]) -> None:
    rows = table["small"]
    assert list(rows) == ["under 40", "40 to 64", "64 to 96", "96 to 160", "160 and more"]
    # the frames in pictures 240 pixels wide take most of them, those in copies less
    assert rows["160 and more"]["fake"]["count"] == 12
    assert rows["under 40"]["fake"]["count"] > 0


def test_faces_under_the_least_side_are_unsure(table: dict[str, Any]) -> None:
    for label in ("real", "fake"):
        assert table["small"]["under 40"][label]["unsure"] == 1.0
    assert table["small"]["160 and more"]["fake"]["fake"] > 0.5


def test_a_face_that_looks_ahead_is_not_among_the_turned(table: dict[str, Any]) -> None:
    turned = table["turned"]
    assert list(turned) == ["under 0.45", "0.45 to 0.65", "0.65 to 0.85"]
    assert sum(row[label]["count"] for row in turned.values() for label in ("real", "fake")) == 0


def test_a_turned_face_is_looked_for_in_the_whole_split(
    measured: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row for row in split_of(read_dataset(measured.data), "test") if row.label][:2]
    ahead = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]], np.float32)
    aside = ahead * np.array([0.3, 1], np.float32)
    known = {rows[0].name: ahead, rows[1].name: aside}
    monkeypatch.setattr(views, "landmarks_of", lambda *_: known)
    assert views._turned(rows, tmp_path) == [rows[1]]


def test_each_picture_is_covered_in_one_way(table: dict[str, Any]) -> None:
    covered = table["covered"]
    assert list(covered) == ["no cover", "any cover", *KINDS]
    for label in ("real", "fake"):
        assert (
            sum(covered[kind][label]["count"] for kind in KINDS)
            == (covered["any cover"][label]["count"])
        )


def test_a_cover_is_drawn_over_the_face(measured: Measured) -> None:
    rows = [row for row in split_of(read_dataset(measured.data), "test") if row.label]
    pixels = read_rgb(rows[0].path)
    copy = views._covering("face mask")(pixels)
    assert copy.shape == pixels.shape
    assert np.mean(np.any(copy != pixels, axis=2)) > 0.05
    blank = np.zeros((64, 64, 3), np.uint8)
    assert views._covering("face mask")(blank) is blank


def test_the_page_shows_the_rows(table: dict[str, Any], tmp_path: Path) -> None:
    page = views_section(table)
    assert "| under 40 |" in page
    assert "| dark glasses |" in page
    assert views_section(None) == ""
