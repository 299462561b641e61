"""What changes when judges run on another engine, and whether that is little enough."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from model_training.evaluation import engines as module
from model_training.evaluation.engines import described_change, measure_engine
from tests.models import write_two_judges
from unmask.detector.align import Floats, Pixels
from unmask.detector.engines.onnxruntime import OnnxRuntime, on_cpu
from unmask.detector.engines.protocol import Network, NetworkFile


class Shifting(OnnxRuntime):
    """ONNX Runtime, whose logits rise by much."""

    def open(self, file: NetworkFile) -> Shifted:
        return Shifted(super().open(file))


class Shifted:
    def __init__(self, network: Network) -> None:
        self._network = network

    def run(self, outputs: Sequence[str], feed: Mapping[str, Floats]) -> list[Floats]:
        answers = zip(outputs, self._network.run(outputs, feed), strict=True)
        return [each + 20 if name == "families" else each for name, each in answers]


@pytest.fixture
def data(tmp_path: Path, portrait: Pixels) -> Path:
    """A face that the colour models call fake, and one with red and blue swapped."""
    for label, pixels in (("real", portrait), ("fake", portrait[:, :, ::-1])):
        folder = tmp_path / "data" / "test" / label
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "face.png"), np.ascontiguousarray(pixels))
    return tmp_path / "data"


def measured(data: Path, model: Path, out: Path, **more: Any) -> dict[str, Any]:
    measure_engine(data, model, out, **more)
    table: dict[str, Any] = json.loads((out / "engines.json").read_text())
    return table


def test_the_same_engine_changes_nothing(
    data: Path, two_judges: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.MAKERS, "openvino", lambda threads, cache: on_cpu(threads))
    table = measured(data, two_judges, tmp_path)
    assert set(table["variants"]) == {
        "densenet121 on openvino",
        "clip on openvino",
        "all on openvino",
        module.NUDGED,
    }
    for one in table["variants"].values():
        assert one["pictures"] == 2
        assert one["verdicts_changed"] == 0
        assert one["may_serve_unasked"] is True
    assert min(table["ms_a_face"].values()) > 0


def test_one_that_changes_verdicts_may_not_serve_unasked(
    data: Path, two_judges: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.MAKERS, "openvino", lambda threads, cache: on_cpu(threads))
    measured(data, two_judges, tmp_path, judges=("densenet121",))
    monkeypatch.setitem(module.MAKERS, "openvino", lambda threads, cache: Shifting(threads=threads))
    variants = measured(data, two_judges, tmp_path, judges=("clip",))["variants"]
    assert variants["clip on openvino"]["verdicts_changed"] >= 1
    assert variants["clip on openvino"]["may_serve_unasked"] is False
    low, high = variants["clip on openvino"]["verdicts_changed_interval"]
    assert 0 < low < high <= 1
    # what was measured before of the other judge stays
    assert variants["densenet121 on openvino"]["may_serve_unasked"] is True


def test_an_8_bit_form_is_asked_in_the_place_of_the_densenet121(
    data: Path, two_judges: Path, tmp_path: Path
) -> None:
    form = {"engine": "onnxruntime", "faces": 1, "convolutions": 1}
    values = json.loads(two_judges.read_text())
    path = write_two_judges(tmp_path, quantised=form | {"of": values["sha256"]})
    table = measured(data, two_judges, tmp_path, quantised=[path])
    assert set(table["variants"]) == {"densenet121 on onnxruntime, 8 bits"}
    assert "0 verdicts change" in described_change(table)
    path = write_two_judges(tmp_path, quantised=form | {"of": "0" * 64})
    for wrong in (path, two_judges):
        with pytest.raises(ValueError, match="is no 8-bit form of"):
            measured(data, two_judges, tmp_path, quantised=[wrong])


def test_another_split_has_a_file_of_its_own(
    data: Path, two_judges: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.MAKERS, "openvino", lambda threads, cache: on_cpu(threads))
    (data / "test").rename(data / "val")
    measure_engine(data, two_judges, tmp_path, judges=("densenet121",), split="val")
    assert not (tmp_path / "engines.json").exists()
    assert json.loads((tmp_path / "engines-val.json").read_text())["split"] == "val"
