"""What an engine is: a run time that opens a network's file and runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from unmask.detector.align import Floats

#: Most faces in one run of the networks: more costs memory and gains no time.
MAX_BATCH = 8
#: And on a device, which computes the faster for each the more it has at once.
MAX_BATCH_ON_DEVICE = 32


class Network(Protocol):
    """An opened network; safe to use from several threads."""

    def run(self, outputs: Sequence[str], feed: Mapping[str, Floats]) -> Sequence[Floats]:
        """The named outputs, in the order given, for the named inputs."""


@dataclass(frozen=True)
class NetworkFile:
    """A network on disk: an ONNX file with the sha256 that its manifest names. ``weights`` are
    arrays that take the places of the file's constants of the same names."""

    path: Path
    sha256: str
    weights: Mapping[str, Floats] = field(default_factory=dict)


class Engine(Protocol):
    """A run time for networks."""

    @property
    def name(self) -> str:
        """The name by which a setting asks for it."""

    @property
    def precision(self) -> str:
        """The numbers that it computes with."""

    @property
    def faces(self) -> int:
        """Faces in one run of the DenseNet121, at most: those that cost the least each."""

    @property
    def on_device(self) -> bool:
        """Whether it computes on a device of its own, such as a GPU, beside the processor."""

    @property
    def identity(self) -> str:
        """All that its answers hang on beside a network's file: versions, numbers, processor. Empty
        where that cannot be told, as of a GPU with its drivers."""

    def open(self, file: NetworkFile) -> Network:
        """Open a network. Raises UnmaskError ``model_missing`` or ``model_mismatch``."""


@dataclass(frozen=True)
class Engines:
    """The engine that each judge runs on."""

    densenet121: Engine
    clip: Engine

    @classmethod
    def same(cls, engine: Engine) -> Engines:
        """One engine for both."""
        return cls(engine, engine)

    @property
    def name(self) -> str:
        """The engine's name; of two, both: the DenseNet121's comes first."""
        return "+".join(dict.fromkeys((self.densenet121.name, self.clip.name)))

    @property
    def precision(self) -> str:
        """The numbers that they compute with, likewise."""
        return "+".join(dict.fromkeys((self.densenet121.precision, self.clip.precision)))

    @property
    def on_device(self) -> bool:
        """Whether both compute beside the processor, which then has time for other work."""
        return self.densenet121.on_device and self.clip.on_device

    @property
    def identity(self) -> str:
        """All that their answers hang on, likewise; empty where one cannot tell it."""
        both = (self.densenet121.identity, self.clip.identity)
        return "\n".join(both) if all(both) else ""


@dataclass(frozen=True)
class Status:
    """The engines that serve, by name, the numbers they compute with, why the one that was wanted
    does not serve (empty: it does), and whether they compute on a device beside the processor."""

    name: str
    precision: str
    refused: str = ""
    on_device: bool = False
