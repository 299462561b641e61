"""What a run of CLIP and one that it teaches begin with; shown on a thin tower."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from model_training.networks.architectures import Network  # noqa: E402
from model_training.networks.clip import build_clip, build_tower, is_frozen  # noqa: E402
from model_training.networks.model import save_weights  # noqa: E402
from model_training.training.config import Plan  # noqa: E402
from model_training.training.train import _model, _teacher  # noqa: E402
from tests.model_training.thin_clip import (  # noqa: E402
    Arrays,
    arrays_of,
    stirred,
    thin,
    write_published,
)


@pytest.fixture(scope="module", autouse=True)
def _thin() -> Iterator[None]:
    yield from thin()


def published(folder: Path) -> tuple[Path, Arrays]:
    arrays = arrays_of(stirred(build_tower(), seed=3))
    return write_published(folder / "tower.onnx", arrays), arrays


def test_a_run_begins_with_the_published_tower(tmp_path: Path) -> None:
    source, arrays = published(tmp_path)
    plan = Plan(data=(tmp_path,), out=tmp_path, network=Network.CLIP, tower=source, mixed=False)
    model = _model(plan)
    found = arrays_of(model)
    for name, array in arrays.items():
        wanted = np.zeros_like(array) if name.endswith("/gain") else array
        np.testing.assert_array_equal(found[name], wanted)
    assert not any(is_frozen(variable) for variable in model.trainable_variables)


def test_a_teacher_is_what_was_trained_on_its_tower_and_learns_no_more(tmp_path: Path) -> None:
    source, arrays = published(tmp_path)
    trained = stirred(build_clip(), seed=4)
    save_weights(trained, tmp_path / "best.npz", "float32")
    plan = Plan(
        data=(tmp_path,), out=tmp_path, teacher=tmp_path / "best.npz", tower=source, mixed=False
    )
    teacher = _teacher(plan)
    assert teacher is not None
    assert teacher.trainable_variables == []
    kept = {v.path for v in trained.weights if not is_frozen(v)}
    for name, array in arrays_of(teacher).items():
        wanted = arrays_of(trained)[name] if name in kept else arrays[name]
        np.testing.assert_array_equal(array, wanted)
    assert _teacher(Plan(data=(tmp_path,), out=tmp_path)) is None
