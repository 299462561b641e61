from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from model_training.dataset.data import Row
from model_training.dataset.landmarks import Landmarks
from model_training.evaluation.selfmade import LEAST, write_self_made
from tests.model_training.conftest import Measured
from tests.model_training.faces import known_landmarks, write_dataset

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def known(
    tmp_path_factory: pytest.TempPathFactory, portrait: Pixels
) -> tuple[list[Row], Landmarks]:
    folder = write_dataset(tmp_path_factory.mktemp("data"), portrait, each=3)
    return known_landmarks(folder, portrait)


def test_the_same_rows_give_the_same_fakes(
    known: tuple[list[Row], Landmarks], tmp_path: Path
) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    made = []
    for folder in folders:
        folder.mkdir()
        made.append(write_self_made(*known, folder, 5))
    assert [row.name for row in made[0]] == [row.name for row in made[1]]
    assert len({row.name for row in made[0]}) == 5
    for one, other in zip(*made, strict=True):
        assert one.path.read_bytes() == other.path.read_bytes()


def test_a_part_is_marked_and_changed(known: tuple[list[Row], Landmarks], tmp_path: Path) -> None:
    for row in write_self_made(*known, tmp_path, 6):
        picture, mask = cv2.imread(str(row.path)), cv2.imread(str(row.mask), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        assert mask is not None
        assert picture.shape[:2] == mask.shape
        assert set(np.unique(mask)) == {0, 255}
        assert LEAST <= np.count_nonzero(mask) < mask.size / 2
        assert (row.label, row.source) == (1, "self-made")


def test_one_for_each_photograph_and_none_without(
    known: tuple[list[Row], Landmarks], tmp_path: Path
) -> None:
    rows, landmarks = known
    assert len(write_self_made(rows, landmarks, tmp_path, 100)) == 6
    assert write_self_made([row for row in rows if row.label], landmarks, tmp_path, 9) == []
    assert write_self_made(rows, dict.fromkeys(landmarks), tmp_path, 9) == []


def test_masks_on_them_are_measured(measured: Measured) -> None:
    found = measured.metrics["self_made"]
    assert found["localisation"]["pictures"] == found["verdicts"]["count"] == 5
    assert found["against_reals"]["real"] == 6
    assert set(found["localisation"]["methods"]) == {"unmask", "paper", "activation", "same_place"}
    assert "false_area" not in found["localisation"]["methods"]["unmask"]


def test_a_fake_stands_in_the_group_of_what_it_was_made_of(
    known: tuple[list[Row], Landmarks], tmp_path: Path
) -> None:
    rows, landmarks = known
    groups = {row.group for row in rows if row.label == 0}
    made = write_self_made(rows, landmarks, tmp_path, 6)
    assert {row.group for row in made} <= groups
