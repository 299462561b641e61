"""OpenVINO on the CPU: faster where the processor multiplies bfloat16. An extra of the same name.

Networks are read from the same files. CLIP's tower, whose file holds 8-bit matrices, is widened as
it is opened (:mod:`unmask.detector.engines.widening`): its tokens are then not rounded to 8 bits.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from unmask.cores import own_cores
from unmask.detector.align import Floats
from unmask.detector.engines.processor import abilities
from unmask.detector.engines.protocol import MAX_BATCH, Network, NetworkFile
from unmask.detector.engines.widening import put_weights, widen
from unmask.detector.session import read_checked

BFLOAT16, SINGLE = "bf16", "f32"


class OpenVino:
    """Opens networks with OpenVINO, in bfloat16 where the processor has products of it."""

    name = "openvino"
    faces = MAX_BATCH

    def __init__(self, threads: int = 0) -> None:
        """Raises ModuleNotFoundError where OpenVINO is not installed."""
        # nothing of ours is sent anywhere: without this package OpenVINO has a stand-in for it
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
        import openvino

        self._core = openvino.Core()
        self._threads = threads or own_cores()
        short = abilities() & {"amx_bf16", "avx512_bf16"}
        self.precision = BFLOAT16 if short else SINGLE

    def open(self, file: NetworkFile) -> Network:
        """Open a network."""
        model = self._core.read_model(read_checked(file.path, file.sha256), b"")
        put_weights(model, file.weights)
        widen(model)
        compiled = self._core.compile_model(model, "CPU", self._options())
        return _Compiled(compiled)

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
