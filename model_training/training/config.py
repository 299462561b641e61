"""What a training run does, as data that is written beside its result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from model_training.dataset.samples import Mix
from model_training.networks.architectures import Network
from unmask.detector.preprocess import Denoise


@dataclass(frozen=True)
class Plan:
    """A training run. The rate follows one cosine over ``steps``, or over ``minutes`` if given.

    ``tower`` is the file of CLIP's image tower, which that network and a teacher of its kind stand
    on. ``frame`` is the side of the frame as a multiple of the served one, for trials of a tighter
    crop. ``sources`` names those that are trained and validated on; none means all.
    """

    data: tuple[Path, ...]
    out: Path
    steps: int = 4000
    minutes: float | None = None
    batch: int = 32
    rate: float = 5e-4
    weight_decay: float = 0.02
    seed: int = 1
    epoch_steps: int = 200
    network: Network = Network.DENSENET
    warmstart: Path | None = None
    teacher: Path | None = None
    tower: Path | None = None
    mixup: float = 0.0
    imagenet: bool = False
    denoise: Denoise = Denoise.NONE
    self_made: float = Mix.self_made
    frame: float = 1.0
    sources: tuple[str, ...] = ()
    decoder: bool = True
    mixed: bool = True
    processes: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError for numbers that no run can have."""
        for name in ("steps", "minutes", "batch", "rate", "epoch_steps"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be more than 0, not {value}")
        if not 0 <= self.self_made <= 0.5:
            raise ValueError(f"self_made must be 0 to 0.5, not {self.self_made}")
        if self.imagenet and self.network is Network.CLIP:
            raise ValueError("Keras has ImageNet weights for densenet121 alone; see --warmstart")
        if (self.network is Network.CLIP or self.teacher) and self.tower is None:
            raise ValueError("clip-vit-b16 stands on its tower: name the file by --tower")
        if self.mixup < 0:
            raise ValueError(f"mixup must not be less than 0, not {self.mixup}")
        if not 0.3 <= self.frame <= 2:
            raise ValueError(f"frame must be 0.3 to 2, not {self.frame}")
