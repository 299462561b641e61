"""``unmask engines`` shows what is there, times it, and says what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.models import write_two_judges
from unmask.cli import main
from unmask.detector.engines import choice, openvino


@pytest.fixture(autouse=True)
def plain_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """One without a GPU, on which OpenVINO computes in single precision."""
    monkeypatch.setattr(openvino, "abilities", frozenset)
    monkeypatch.setattr(choice, "offered_providers", lambda: ("CPUExecutionProvider",))


def test_each_engine_is_timed_or_says_what_it_lacks(
    two_judges: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["engines", "--json", "--model", str(two_judges)]) == 0
    result = json.loads(capsys.readouterr().out)
    engines = {engine.pop("name"): engine for engine in result["engines"]}
    assert set(engines) == {"onnxruntime", "openvino", "cuda", "tensorrt"}
    for name in ("onnxruntime", "openvino"):
        assert engines[name]["works"] is True
        assert set(engines[name]["ms_a_face"]) == {"densenet121", "clip"}
        assert min(engines[name]["ms_a_face"].values()) > 0
    for name in ("cuda", "tensorrt"):
        assert engines[name]["works"] is False
        assert "NVIDIA" in engines[name]["why"]
    assert result["setting"] == "onnxruntime"  # as the tests set it
    assert result["auto"] in {"onnxruntime", "openvino+onnxruntime"}


def test_as_text(two_judges: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engines", "--model", str(two_judges)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "passed: probability off by 0.000" in text
    assert "UNMASK_ENGINE=onnxruntime; auto takes: " in text


def test_auto_is_the_engine_that_an_8_bit_network_was_made_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    form = {"of": "0" * 64, "engine": "openvino", "faces": 1, "convolutions": 1}
    model = write_two_judges(tmp_path, quantised=form)
    assert main(["engines", "--json", "--model", str(model)]) == 0
    assert json.loads(capsys.readouterr().out)["auto"] == "openvino+onnxruntime"
