"""Which engine serves: what is asked for, what is there, and what passes the self-test."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models import write_two_judges
from unmask.detector.align import Floats
from unmask.detector.classifier import Classifier
from unmask.detector.detector import Detector
from unmask.detector.engines import choice, openvino, selftest
from unmask.detector.engines.cache import Cache
from unmask.detector.engines.choice import MAKERS, lack, open_tested, wanted
from unmask.detector.engines.onnxruntime import on_cpu
from unmask.detector.engines.protocol import Engines, Network, NetworkFile
from unmask.detector.manifest import Quantised, load_manifest
from unmask.errors import SettingsError, UnmaskError
from unmask.settings import SHIPPED_MODEL, Settings


class Changing:
    """An engine whose networks' outputs are ONNX Runtime's, changed by ``change``."""

    name, precision, faces, identity = "changing", "odd", 3, "changing 1"
    on_device = False

    def __init__(self, change: Any) -> None:
        self._change = change

    def open(self, file: NetworkFile) -> Changed:
        return Changed(on_cpu(1).open(file), self._change)


class Changed:
    def __init__(self, network: Network, change: Any) -> None:
        self._network, self._change = network, change

    def run(self, outputs: Sequence[str], feed: Mapping[str, Floats]) -> list[Floats]:
        answers = zip(outputs, self._network.run(outputs, feed), strict=True)
        return [self._change(name, np.array(answer)) for name, answer in answers]


def refuse(name: str, answer: Floats) -> Floats:
    raise RuntimeError("out of registers")


CHANGES = {
    "logits": lambda name, answer: answer + 1 if name == "families" else answer,
    "masks": lambda name, answer: answer[:, ::-1] if name == "heatmap" else answer,
    "no number": lambda name, answer: answer * np.float32("nan"),
    "a fault": refuse,
}


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts an engine in the place of OpenVINO."""

    def put(change: Any) -> None:
        monkeypatch.setitem(MAKERS, "openvino", lambda threads, cache: Changing(change))

    monkeypatch.setattr(choice, "lack", lambda name: "")
    return put


def test_an_engine_with_the_same_answers_serves(two_judges: Path, offer: Any) -> None:
    offer(lambda name, answer: answer)
    classifier, status = open_tested(two_judges, 1, "openvino")
    assert isinstance(classifier._session, Changed)
    assert (status.name, status.precision, status.refused) == ("changing", "odd", "")


def test_an_engine_that_passed_is_asked_again_once_anything_changed(
    tmp_path: Path, two_judges: Path, offer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(lambda name, answer: answer)
    cache, asked = Cache(tmp_path / "engines"), list[Classifier]()

    def tested(classifier: Classifier, *_: object) -> selftest.Departure:
        asked.append(classifier)
        return selftest.Departure(0.0, 0.0, 1.0)

    def start() -> int:
        before = len(asked)
        assert open_tested(two_judges, 1, "openvino", cache)[1].name == "changing"
        return len(asked) - before

    monkeypatch.setattr(choice, "tested", tested)
    assert [start(), start()] == [1, 0]
    monkeypatch.setattr(Changing, "identity", "changing 2")
    assert [start(), start()] == [1, 0]
    monkeypatch.setattr(selftest, "OVERLAP", 0.9)
    assert [start(), start()] == [1, 0]
    monkeypatch.setattr(Changing, "identity", "")  # nobody can tell what it hangs on
    assert [start(), start()] == [1, 1]


def test_that_an_engine_departs_is_not_remembered(
    tmp_path: Path, two_judges: Path, offer: Any
) -> None:
    cache = Cache(tmp_path / "engines")
    offer(CHANGES["logits"])
    assert open_tested(two_judges, 1, "openvino", cache)[1].refused
    offer(lambda name, answer: answer)
    assert not open_tested(two_judges, 1, "openvino", cache)[1].refused
    assert len(list((tmp_path / "engines").iterdir())) == 1


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_engine_that_departs_is_refused_and_told(
    two_judges: Path, offer: Any, caplog: pytest.LogCaptureFixture, change: Any
) -> None:
    offer(change)
    with caplog.at_level(logging.WARNING):
        classifier, status = open_tested(two_judges, 1, "openvino")
    assert not isinstance(classifier._session, Changed)
    assert status.name == "onnxruntime"
    assert status.refused.startswith("changing ")
    (line,) = caplog.messages
    assert line == f"{status.refused}; ONNX Runtime serves in its place"


def test_a_file_that_is_missing_is_no_fault_of_the_engine(tmp_path: Path, offer: Any) -> None:
    offer(lambda name, answer: answer)
    with pytest.raises(UnmaskError) as error:
        open_tested(tmp_path / "manifest.json", 1, "openvino")
    assert error.value.code == "model_missing"


def test_one_that_is_not_there_is_an_error_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, two_judges: Path
) -> None:
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    monkeypatch.setattr(choice, "offered_providers", lambda: ("CPUExecutionProvider",))
    for name, text in {
        "openvino": 'pip install "unmask[openvino]"',
        "cuda": "--gpu",
        "tensorrt": "TensorRT",
    }.items():
        assert text in lack(name)
        with pytest.raises(SettingsError, match=f"UNMASK_ENGINE={name} needs"):
            open_tested(two_judges, 1, name)
    assert wanted("auto", 1) == Engines.same(on_cpu(1))


@pytest.mark.parametrize(
    ("providers", "abilities", "name"),
    [
        (("CUDAExecutionProvider",), {"amx_bf16"}, "cuda"),
        ((), {"amx_bf16"}, "openvino+onnxruntime"),
        ((), {"avx512_bf16"}, "openvino+onnxruntime"),
        ((), {"avx512_vnni"}, "onnxruntime"),
        ((), set(), "onnxruntime"),
    ],
)
def test_auto_goes_by_what_the_machine_has(
    monkeypatch: pytest.MonkeyPatch, providers: tuple[str, ...], abilities: set[str], name: str
) -> None:
    monkeypatch.setattr(choice, "offered_providers", lambda: providers)
    monkeypatch.setattr(choice, "abilities", lambda: frozenset(abilities))
    engines = wanted("auto", 1)
    assert engines.name == name
    assert engines.clip.name != "openvino"  # its verdicts are not proved to stay


@pytest.mark.parametrize(
    ("suits", "name"), [("onnxruntime", "onnxruntime"), ("openvino", "openvino+onnxruntime")]
)
@pytest.mark.parametrize("known", [{"amx_bf16"}, {"avx512_vnni"}])
def test_auto_takes_the_engine_that_an_8_bit_network_was_made_for(
    monkeypatch: pytest.MonkeyPatch, known: set[str], suits: str, name: str
) -> None:
    monkeypatch.setattr(choice, "offered_providers", lambda: ())
    monkeypatch.setattr(choice, "abilities", lambda: frozenset(known))
    assert wanted("auto", 1, suits=suits).name == name
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    assert wanted("auto", 1, suits=suits).name == "onnxruntime"


def eight_bits(folder: Path, of: Path) -> Path:
    """The manifest of a model that says that it was made of another one."""
    path = write_two_judges(folder)
    values = json.loads(path.read_text())
    form = {"of": load_manifest(of).sha256, "engine": "onnxruntime", "faces": 1, "convolutions": 1}
    path.write_text(json.dumps(values | {"quantised": form}))
    return path


def test_an_8_bit_network_is_tested_on_onnx_runtime_too(
    tmp_path: Path, two_judges: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = eight_bits(tmp_path, two_judges)
    assert open_tested(model, 1, "onnxruntime")[1].name == "onnxruntime"
    far = selftest.Departure(0.5, 0.0, 1.0)
    monkeypatch.setattr(choice, "tested", lambda *_: far)
    with pytest.raises(UnmaskError, match="departs from the one in single precision") as error:
        open_tested(model, 1, "onnxruntime")
    assert error.value.code == "model_mismatch"


def test_an_8_bit_network_is_held_against_the_stored_answers_in_single_precision() -> None:
    shipped = load_manifest(SHIPPED_MODEL)
    form = Quantised(of=shipped.sha256, engine="openvino", faces=1, convolutions=1)
    made = shipped.model_copy(update={"sha256": "0" * 64, "quantised": form})

    def ask() -> Classifier:
        raise AssertionError("the answers are stored")

    assert len(selftest.reference_answers(made, ask).families) == len(selftest.stored_faces())
    assert selftest.identity(made) != selftest.identity(shipped)


def test_the_detector_tells_its_engine(
    tmp_path: Path, colour_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino, "abilities", frozenset)
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = Settings(model=colour_model, engine="openvino", threads=1, data=Path("~/data"))
    assert Detector(settings).engine.name == "openvino"
    # the compiled network, and that it passed
    assert len(list((tmp_path / "data" / "engines").iterdir())) == 2


def test_stored_answers_are_of_the_shipped_model() -> None:
    """Otherwise each start would ask ONNX Runtime again."""

    def ask() -> Classifier:
        raise AssertionError("run: python -m unmask.detector.engines.references")

    answers = selftest.reference_answers(load_manifest(SHIPPED_MODEL), ask)
    assert len(answers.families) == len(answers.heatmaps) == len(selftest.stored_faces())
    assert np.isfinite(answers.families).all()


def test_another_models_answers_are_asked_for(two_judges: Path) -> None:
    asked = []

    def ask() -> Classifier:
        asked.append(Classifier(two_judges, 1))
        return asked[-1]

    answers = selftest.reference_answers(load_manifest(two_judges), ask)
    assert len(asked) == 1
    assert not selftest.departure(asked[0], answers).is_too_far


def test_a_stored_face_is_marked() -> None:
    """Or no mask would be compared."""
    classifier = Classifier(SHIPPED_MODEL, 1)
    stored = selftest.reference_answers(classifier.manifest, lambda: classifier)
    judged = classifier.joined(stored)
    bound = classifier.manifest.thresholds.mask
    assert any(
        face.fake_probability >= selftest.MARKED and (face.heatmap >= bound).any()
        for face in judged
    )
