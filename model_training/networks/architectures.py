"""Which networks there are to train."""

from __future__ import annotations

from enum import StrEnum


class Network(StrEnum):
    """The network that is trained."""

    DENSENET = "densenet121"
    CLIP = "clip-vit-b16"
