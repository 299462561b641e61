"""Batches from several processes: the order depends on the seed alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from model_training.dataset.batches import Batch, TrainingBatches, validation_batches
from model_training.dataset.families import HEADS, head_of
from tests.model_training.faces import known_landmarks, write_dataset
from unmask.detector.preprocess import Denoise

Pixels = npt.NDArray[np.uint8]
Known = tuple[Any, Any]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory, portrait: Pixels) -> Known:
    return known_landmarks(write_dataset(tmp_path_factory.mktemp("faces"), portrait), portrait)


def batches(known: Known, count: int, **values: Any) -> list[Batch]:
    source = TrainingBatches(*known, **{"size": 3, "seed": 1, "processes": 1} | values)
    try:
        return list(islice(iter(source), count))
    finally:
        source.close()


@pytest.fixture(scope="module")
def plain(known: Known) -> list[Batch]:
    return batches(known, 6)


def assert_same(one: list[Batch], other: list[Batch]) -> None:
    for a, b in zip(one, other, strict=True):
        for name in ("crops", "labels", "masks", "weights", "heads"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_a_batch_has_the_form_that_the_network_takes(plain: list[Batch]) -> None:
    for batch in plain:
        assert (batch.crops.shape, batch.crops.dtype) == ((3, 224, 224, 3), np.uint8)
        assert batch.crops.min() < batch.crops.max()
        assert batch.labels.shape == batch.weights.shape == (3,)
        assert (batch.masks.shape, batch.masks.dtype) == ((3, 112, 112), np.uint8)
        assert not batch.masks[batch.labels == 0].any()
        assert (batch.heads.shape, batch.heads.dtype) == ((3,), np.uint8)
        assert not batch.heads[batch.labels == 0].any()
        assert batch.heads[batch.labels == 1].all()  # fakes of StyleGAN and self-made ones
    assert {float(label) for batch in plain for label in batch.labels} == {0.0, 1.0}


def test_the_number_of_processes_changes_nothing(known: Known, plain: list[Batch]) -> None:
    assert_same(batches(known, 6, processes=3), plain)


def test_a_resumed_run_goes_on_where_it_stopped(known: Known, plain: list[Batch]) -> None:
    assert_same(batches(known, 2, first=4), plain[4:])


def test_another_seed_makes_other_batches(known: Known, plain: list[Batch]) -> None:
    (other,) = batches(known, 1, seed=2)
    assert (other.crops != plain[0].crops).mean() > 0.5
    assert all((one.crops != two.crops).any() for one, two in pairwise(plain))


def test_closing_ends_the_processes(known: Known) -> None:
    source = TrainingBatches(*known, size=1, seed=1, processes=1)
    next(iter(source))
    (pid,) = source._pool._processes
    assert Path(f"/proc/{pid}").exists()
    source.close()
    end = time.monotonic() + 120
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()


def test_a_fault_in_a_process_is_raised_here(known: Known, tmp_path: Path) -> None:
    rows, landmarks = known
    gone = [type(row)(tmp_path / "gone.png", *list(vars(row).values())[1:]) for row in rows]
    with pytest.raises(OSError, match="gone"):
        batches((gone, landmarks), 1)


# ---- validation ---------------------------------------------------------------------------------


def flat(batches: list[Batch], name: str) -> npt.NDArray[Any]:
    return np.concatenate([getattr(one, name) for one in batches])


@pytest.fixture
def validation(known: Known) -> Iterator[Known]:
    rows, landmarks = known
    yield [row for row in rows if row.split == "val"], landmarks


def test_validation_is_the_same_in_every_run(validation: Known) -> None:
    one, other = (validation_batches(*validation, 3) for _ in range(2))
    assert [len(batch.crops) for batch in one] == [3, 3, 3, 3, 3, 1]
    for name in ("crops", "labels", "masks", "weights", "heads"):
        np.testing.assert_array_equal(flat(one, name), flat(other, name))


def test_each_validation_picture_comes_plain_and_worn(validation: Known) -> None:
    rows, _ = validation
    both, plain = (validation_batches(*validation, 4, degraded=worn) for worn in (True, False))
    np.testing.assert_array_equal(flat(both, "crops")[:8], flat(plain, "crops"))
    np.testing.assert_array_equal(flat(both, "labels"), [row.label for row in rows] * 2)
    wanted = [head_of(row.label, row.kind) for row in rows] * 2
    np.testing.assert_array_equal(flat(both, "heads"), wanted)
    assert set(wanted) == {0, HEADS.index("gan")}
    assert (flat(both, "crops")[:8] != flat(both, "crops")[8:]).any(axis=(1, 2, 3)).all()


def test_validation_leaves_out_pictures_without_a_face(validation: Known) -> None:
    rows, landmarks = validation
    faceless = {**landmarks, rows[2].name: None}
    found = validation_batches(rows, faceless, 50, degraded=False)
    assert len(flat(found, "labels")) == len(rows) - 1


def test_noise_is_removed_as_serving_does(validation: Known) -> None:
    plain = validation_batches(*validation, 50, degraded=False)
    cleaned = validation_batches(*validation, 50, Denoise.MEDIAN, degraded=False)
    noise = [np.abs(np.diff(flat(p, "crops").astype(int), axis=2)).mean() for p in (cleaned, plain)]
    assert noise[0] < noise[1]
    np.testing.assert_array_equal(flat(cleaned, "masks"), flat(plain, "masks"))
