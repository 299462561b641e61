"""OpenVINO on the CPU: faster where the processor multiplies bfloat16. An extra of the same name.

Networks are read from the same files. CLIP's tower, whose file holds 8-bit matrices, is widened as
it is opened (:mod:`unmask.detector.engines.widening`): its tokens are then not rounded to 8 bits.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from unmask.cores import own_cores
from unmask.detector.align import Floats
from unmask.detector.engines import processor
from unmask.detector.engines.cache import Cache
from unmask.detector.engines.processor import abilities
from unmask.detector.engines.protocol import MAX_BATCH, Network, NetworkFile
from unmask.detector.engines.widening import put_weights, widen
from unmask.detector.session import checked_beside

_log = logging.getLogger(__name__)

BFLOAT16, SINGLE = "bf16", "f32"
#: Packages that OpenVINO does without: the one sends figures of its use away, the other converts
#: models of frameworks, and takes half of the time that OpenVINO's import does.
_LEFT_OUT = ("openvino_telemetry", "openvino.tools.ovc")


class OpenVino:
    """Opens networks with OpenVINO, in bfloat16 where the processor has products of it."""

    name = "openvino"
    faces = MAX_BATCH
    on_device = False

    def __init__(self, threads: int = 0, cache: Cache | None = None) -> None:
        """``cache`` keeps compiled networks for the next start."""
        self._threads = threads or own_cores()
        self._cache = cache or Cache()
        short = abilities() & {"amx_bf16", "avx512_bf16"}
        self.precision = BFLOAT16 if short else SINGLE

    @property
    def identity(self) -> str:
        """The run time's version, its numbers, its threads and the processor."""
        own = f"{self._openvino.get_version()} {self.precision} {self._threads}"
        return f"{self.name} {own} {processor.identity()}"

    def open(self, file: NetworkFile) -> Network:
        """Open a network. Raises ModuleNotFoundError where OpenVINO is not installed."""
        with checked_beside(file.path, file.sha256) as data:
            kept = self._kept(file)
            compiled = self._compiled(data, file.weights) if kept is None else kept
        if kept is None and not file.weights:
            self._cache.write(self._key(file), compiled.export_model().getvalue())
        return _Compiled(compiled)

    def _kept(self, file: NetworkFile) -> Any:
        """What an earlier start made of a network; None for CLIP's tower, the one with weights
        beside it, which is as large compiled as it is slow to read."""
        return None if file.weights else self._imported(self._cache.read(self._key(file)))

    def _key(self, file: NetworkFile) -> str:
        return f"compiled {file.sha256} {self.identity}"

    @cached_property
    def _openvino(self) -> Any:
        for name in _LEFT_OUT:  # what is None here cannot be imported
            sys.modules.setdefault(name, None)  # type: ignore[arg-type]
        import openvino

        return openvino

    @cached_property
    def _core(self) -> Any:
        return self._openvino.Core()

    def _compiled(self, data: bytes, weights: Mapping[str, Floats] | None = None) -> Any:
        model = self._core.read_model(data, b"")
        put_weights(model, weights or {})
        widen(model)
        return self._core.compile_model(model, "CPU", self._options())

    def _imported(self, kept: bytes | None) -> Any:
        """A compiled network of the cache, None where there is none that OpenVINO takes."""
        if kept is None:
            return None
        try:
            return self._core.import_model(io.BytesIO(kept), "CPU", self._options())
        except RuntimeError as error:
            kind = type(error).__name__
            _log.warning("OpenVINO does not take a network that it compiled (%s)", kind)
            return None

    def _options(self) -> dict[str, Any]:
        return {
            "INFERENCE_PRECISION_HINT": self.precision,
            "INFERENCE_NUM_THREADS": self._threads,
            "NUM_STREAMS": 1,
            # several workers share a machine: none holds a core for itself
            "ENABLE_CPU_PINNING": False,
        }


class _Compiled:
    """A compiled network. A request runs one input at a time, so each run takes one for itself."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        # an input that nothing in the graph reads is gone
        self._inputs = {name for value in compiled.inputs for name in value.get_names()}
        self._idle: SimpleQueue[Any] = SimpleQueue()

    def run(self, outputs: Sequence[str], feed: Mapping[str, Floats]) -> list[Floats]:
        """The named outputs for the named inputs."""
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self._compiled.create_infer_request()
        results = request.infer({name: feed[name] for name in feed if name in self._inputs})
        # the next run of this request writes over its results
        copies = [np.array(results[name], np.float32) for name in outputs]
        self._idle.put(request)
        return copies
