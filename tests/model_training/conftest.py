"""One calibrated stand-in model, measured once, for all tests of what comes after training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from model_training.evaluation import goals, robustness
from model_training.evaluation.bounds import Aims
from model_training.evaluation.calibrate import calibrate
from model_training.evaluation.conditions import HALF_JPEG_60, conditions
from model_training.evaluation.evaluate import evaluate
from model_training.evaluation.predict import Degradation
from tests.model_training.stub_model import write_faces, write_model


@dataclass(frozen=True)
class Measured:
    """The data set, the calibrated manifest, the evaluation's folder and what its files hold."""

    data: Path
    manifest: Path
    out: Path
    cache: Path
    metrics: dict[str, Any]
    robustness: dict[str, Any]
    goals: dict[str, Any]


def grey(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Takes from the stand-in model all that it judges by."""
    return np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory, portrait: npt.NDArray[np.uint8]) -> Measured:
    data = write_faces(tmp_path_factory.mktemp("faces"), portrait)
    manifest = write_model(tmp_path_factory.mktemp("colour"))
    out = tmp_path_factory.mktemp("out")
    history = out / "history.csv"
    history.write_text(
        "epoch,loss,accuracy,val_loss,val_accuracy\n0,0.7,0.5,0.8,0.4\n1,0.3,0.9,,\n"
    )
    cache = tmp_path_factory.mktemp("cache")
    calibrate(data, manifest, cache=cache, aims=Aims(false_area=0.2))
    metrics = evaluate(data, manifest, out, history_csv=history, cache=cache, repeats=50)
    few = [condition for condition in conditions() if condition.name == HALF_JPEG_60]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(robustness, "conditions", lambda: [*few, Degradation("grey", grey)])
        worn = robustness.measure(data, manifest, out, cache=cache, repeats=50)
    reached = goals.measure(data, manifest, out, cache=cache, repeats=50)
    return Measured(data, manifest, out, cache, metrics, worn, reached)
