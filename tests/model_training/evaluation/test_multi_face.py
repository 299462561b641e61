from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from model_training.dataset.data import Row, of_split, read_dataset
from model_training.evaluation.multi_face import SHEETS, Sheet, measure, write_sheets
from tests.model_training.conftest import Measured


@pytest.fixture
def rows(measured: Measured) -> list[Row]:
    return of_split(read_dataset(measured.data), "test")


def test_each_real_is_on_one_sheet_and_a_fake_on_every_second(
    rows: list[Row], tmp_path: Path
) -> None:
    sheet = Sheet(2, 96)
    made = write_sheets(rows, sheet, tmp_path)
    reals = sum(row.label == 0 for row in rows)
    assert [row.label for row in made] == [0, 1] * (reals // 4)
    for row in made:
        assert cv2.imread(str(row.path)).shape == (192, 192, 3)
    plain, changed = (cv2.imread(str(row.path)).astype(int) for row in made[:2])
    tiles = abs(plain - changed).reshape(2, 96, 2, 96, 3).mean(axis=(1, 3, 4)) > 1
    assert tiles.sum() == 1, "one person was replaced"
    again = write_sheets(rows, sheet, tmp_path)
    assert (cv2.imread(str(again[0].path)).astype(int) == plain).all()


def test_too_few_people_make_no_sheet(rows: list[Row], tmp_path: Path) -> None:
    reals = [row for row in rows if row.label == 0]
    for few in (reals, rows[:0], [row for row in rows if row.label == 1]):
        with pytest.raises(ValueError, match="real pictures and a fake"):
            write_sheets(few, Sheet(2, 96), tmp_path)


def test_what_is_measured(
    measured: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model_training.evaluation.multi_face.SHEETS", (Sheet(2, 128),))
    found = measure(measured.data, measured.manifest, tmp_path, cache=measured.cache, repeats=20)
    assert found == json.loads((tmp_path / "crowds.json").read_text())
    (group,) = found["groups"].values()
    assert group["faces_found"] > 2
    for label in ("real", "one_fake"):
        part = group[label]
        assert part["fake"] == part["called_fake"]["value"] <= part["called_fake_single"]["value"]
        assert part["real"] >= part["real_single"]
        assert part["fake"] + part["unsure"] + part["real"] + part["no_face"] == pytest.approx(1)
    assert group["one_fake"]["called_fake_single"]["value"] > 0
    assert [sheet.people for sheet in SHEETS] == [4, 9, 16]
