"""ONNX Runtime: the engine that every other one is held against, on the CPU or on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unmask.detector.engines import processor
from unmask.detector.engines.protocol import MAX_BATCH_ON_DEVICE, Network, NetworkFile
from unmask.detector.session import CPU, CUDA, VERSION, Provider, offered_providers, open_session

TENSORRT = "TensorrtExecutionProvider"
#: TensorRT computes in half precision, and falls back on CUDA for what it does not know.
_TENSORRT_OPTIONS = {"trt_fp16_enable": True}


@dataclass(frozen=True)
class OnnxRuntime:
    """Opens networks with ONNX Runtime. ``providers`` are tried in order for each operation."""

    name: str = "onnxruntime"
    precision: str = "as stored"
    threads: int = 0
    #: on a CPU the values between layers of more faces than two do not stay in its caches
    faces: int = 2
    providers: Sequence[Provider] = (CPU,)

    @property
    def on_device(self) -> bool:
        """Whether it computes on a GPU."""
        return tuple(self.providers) != (CPU,)

    @property
    def identity(self) -> str:
        """The run time's version, its threads and the processor; empty on a GPU."""
        if self.on_device:
            return ""
        return f"{self.name} {VERSION} {self.precision} {self.threads} {processor.identity()}"

    def open(self, file: NetworkFile) -> Network:
        """Open a network."""
        network: Network = open_session(
            file.path, file.sha256, self.threads, file.weights, self.providers
        )
        return network


def on_cpu(threads: int) -> OnnxRuntime:
    """The engine on the CPU: sums of 8-bit products are whole numbers, the rest is single
    precision."""
    return OnnxRuntime(threads=threads)


def on_cuda(threads: int) -> OnnxRuntime:
    """The engine on an NVIDIA GPU."""
    return OnnxRuntime("cuda", "as stored", threads, MAX_BATCH_ON_DEVICE, (CUDA, CPU))


def on_tensorrt(threads: int) -> OnnxRuntime:
    """The engine on an NVIDIA GPU, compiled by TensorRT in half precision."""
    providers = ((TENSORRT, _TENSORRT_OPTIONS), CUDA, CPU)
    return OnnxRuntime("tensorrt", "fp16", threads, MAX_BATCH_ON_DEVICE, providers)


def offered_runtime(threads: int) -> OnnxRuntime:
    """The engine on a GPU where the installed run time offers CUDA, else on the CPU."""
    return on_cuda(threads) if CUDA in offered_providers() else on_cpu(threads)
