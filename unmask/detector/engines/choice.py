"""Which engines the judges run on: what a setting asks for, what this machine has, and what is
proved of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from unmask.detector.classifier import Classifier
from unmask.detector.engines.cache import Cache
from unmask.detector.engines.onnxruntime import TENSORRT, on_cpu, on_cuda, on_tensorrt
from unmask.detector.engines.openvino import OpenVino
from unmask.detector.engines.processor import abilities
from unmask.detector.engines.protocol import Engine, Engines, Status
from unmask.detector.engines.selftest import (
    Departure,
    departure,
    identity,
    reference_answers,
    version_of_test,
)
from unmask.detector.manifest import load_manifest
from unmask.detector.session import CUDA, offered_providers
from unmask.errors import SettingsError, UnmaskError

_log = logging.getLogger(__name__)

#: Engines by name: each takes the number of threads, and the cache of what it compiled.
MAKERS: dict[str, Callable[[int, Cache], Engine]] = {
    "onnxruntime": lambda threads, cache: on_cpu(threads),
    "openvino": OpenVino,
    "cuda": lambda threads, cache: on_cuda(threads),
    "tensorrt": lambda threads, cache: on_tensorrt(threads),
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


def wanted(setting: str, threads: int, cache: Cache | None = None, suits: str = "") -> Engines:
    """The engines that ``setting`` asks for: ``auto``, or the name of one. ``cache`` keeps what
    they compile. ``suits`` is the engine that an 8-bit DenseNet121 was made for.

    Raises SettingsError where the one that it names lacks something.
    """
    cache = cache or Cache()
    if setting != "auto":
        missing = lack(setting)
        if missing:
            raise SettingsError(f"UNMASK_ENGINE={setting} {missing}")
        return Engines.same(MAKERS[setting](threads, cache))
    if not lack("cuda"):
        return Engines.same(on_cuda(threads))
    best = suits or ("openvino" if abilities() & PAYING else "onnxruntime")
    if best == "openvino" and not lack("openvino"):
        return Engines(densenet121=OpenVino(threads, cache), clip=on_cpu(threads))
    return Engines.same(on_cpu(threads))


def open_tested(
    manifest: Path, threads: int, setting: str, cache: Cache | None = None
) -> tuple[Classifier, Status]:
    """The model on the wanted engines if their answers on the stored faces are ONNX Runtime's, and
    on ONNX Runtime if they are not. An 8-bit network is tested on ONNX Runtime too. ``cache``
    remembers engines that passed: they are asked again once anything that their answers hang on is
    another.

    Raises SettingsError where the engine that ``setting`` names lacks something, and UnmaskError
    ``model_missing`` or ``model_mismatch``, the latter also where an 8-bit network departs on every
    engine. A refusal is told in the log.
    """
    cache = cache or Cache()
    form = load_manifest(manifest).quantised
    engines = wanted(setting, threads, cache, form.engine if form else "")
    plain = Engines.same(on_cpu(threads))
    if engines == plain:
        return _on_plain(manifest, threads, cache), Status(plain.name, plain.precision)
    try:
        classifier = Classifier(manifest, threads, engines)
        found = _tested_once(classifier, engines, manifest, threads, cache)
    except UnmaskError:
        raise
    except Exception as error:  # a run time fails in ways of its own
        refused = f"{engines.name} failed ({type(error).__name__}: {error})"
    else:
        if found is None or not found.is_too_far:
            return classifier, Status(engines.name, engines.precision, "", engines.on_device)
        refused = f"{engines.name} departs from ONNX Runtime ({found})"
    _log.warning("%s; ONNX Runtime serves in its place", refused)
    classifier = _on_plain(manifest, threads, cache)
    return classifier, Status(plain.name, plain.precision, refused)


def tested(classifier: Classifier, manifest: Path, threads: int) -> Departure:
    """How far a classifier's answers on the stored faces are from those of ONNX Runtime."""
    plain = Engines.same(on_cpu(threads))
    reference = reference_answers(classifier.manifest, lambda: Classifier(manifest, threads, plain))
    return departure(classifier, reference)


def _on_plain(manifest: Path, threads: int, cache: Cache) -> Classifier:
    """The model on ONNX Runtime's CPU; raises ``model_mismatch`` for an 8-bit network that departs
    from single precision."""
    plain = Engines.same(on_cpu(threads))
    classifier = Classifier(manifest, threads, plain)
    if classifier.manifest.quantised is None:
        return classifier
    found = _tested_once(classifier, plain, manifest, threads, cache)
    if found is not None and found.is_too_far:
        raise UnmaskError(
            "model_mismatch",
            f"The 8-bit network departs from the one in single precision ({found}).",
            path=str(manifest),
        )
    return classifier


def _tested_once(
    classifier: Classifier, engines: Engines, manifest: Path, threads: int, cache: Cache
) -> Departure | None:
    """How far a classifier's answers are off; None where the same engines passed before with the
    same model, of which ``cache`` has a note."""
    key = f"passed {version_of_test()} {identity(classifier.manifest)}\n{engines.identity}"
    if engines.identity and cache.read(key) is not None:
        return None
    found = tested(classifier, manifest, threads)
    if engines.identity and not found.is_too_far:
        cache.write(key, str(found).encode())
    return found
