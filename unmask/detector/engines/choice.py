"""Which engines the judges run on: what a setting asks for, what this machine has, and what is
proved of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from unmask.detector.classifier import Classifier
from unmask.detector.engines.onnxruntime import TENSORRT, on_cpu, on_cuda, on_tensorrt
from unmask.detector.engines.openvino import OpenVino
from unmask.detector.engines.processor import abilities
from unmask.detector.engines.protocol import Engine, Engines, Status
from unmask.detector.engines.selftest import Departure, departure, reference_answers
from unmask.detector.session import CUDA, offered_providers
from unmask.errors import SettingsError, UnmaskError

_log = logging.getLogger(__name__)

MAKERS: dict[str, Callable[[int], Engine]] = {
    "onnxruntime": on_cpu,
    "openvino": OpenVino,
    "cuda": on_cuda,
    "tensorrt": on_tensorrt,
}
#: OpenVINO pays where the processor has one of these: benchmarks/results/engines.json.
PAYING = {"amx_bf16", "avx512_bf16"}


def lack(name: str) -> str:
    """What an engine lacks on this machine, in one line; empty where it can be tried."""
    offered = offered_providers()
    if name == "openvino" and find_spec("openvino") is None:
        return 'needs: pip install "unmask[openvino]"'
    if name == "cuda" and CUDA not in offered:
        return "needs an NVIDIA GPU and onnxruntime-gpu (scripts/install.sh --gpu)"
    if name == "tensorrt" and TENSORRT not in offered:
        return "needs an NVIDIA GPU, onnxruntime-gpu and TensorRT"
    return ""


def wanted(setting: str, threads: int) -> Engines:
    """The engines that ``setting`` asks for: ``auto``, or the name of one.

    Raises SettingsError where the one that it names lacks something.
    """
    if setting != "auto":
        missing = lack(setting)
        if missing:
            raise SettingsError(f"UNMASK_ENGINE={setting} {missing}")
        return Engines.same(MAKERS[setting](threads))
    if not lack("cuda"):
        return Engines.same(on_cuda(threads))
    if not lack("openvino") and abilities() & PAYING:
        return Engines(densenet121=OpenVino(threads), clip=on_cpu(threads))
    return Engines.same(on_cpu(threads))


def open_tested(manifest: Path, threads: int, setting: str) -> tuple[Classifier, Status]:
    """The model on the wanted engines if their answers on the stored faces are ONNX Runtime's, and
    on ONNX Runtime if they are not.

    Raises SettingsError where the engine that ``setting`` names lacks something, and UnmaskError
    ``model_missing`` or ``model_mismatch``. A refusal is told in the log.
    """
    engines = wanted(setting, threads)
    plain = Engines.same(on_cpu(threads))
    if engines == plain:
        return Classifier(manifest, threads, plain), Status(plain.name, plain.precision)
    try:
        classifier = Classifier(manifest, threads, engines)
        found = tested(classifier, manifest, threads)
    except UnmaskError:
        raise
    except Exception as error:  # a run time fails in ways of its own
        refused = f"{engines.name} failed ({type(error).__name__}: {error})"
    else:
        if not found.is_too_far:
            return classifier, Status(engines.name, engines.precision)
        refused = f"{engines.name} departs from ONNX Runtime ({found})"
    _log.warning("%s; ONNX Runtime serves in its place", refused)
    return Classifier(manifest, threads, plain), Status(plain.name, plain.precision, refused)


def tested(classifier: Classifier, manifest: Path, threads: int) -> Departure:
    """How far a classifier's answers on the stored faces are from those of ONNX Runtime."""
    plain = Engines.same(on_cpu(threads))
    reference = reference_answers(classifier.manifest, lambda: Classifier(manifest, threads, plain))
    return departure(classifier, reference)
