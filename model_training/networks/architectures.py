"""Which networks there are to train, and the part that each has in the logit."""

from __future__ import annotations

from enum import StrEnum


class Network(StrEnum):
    """What is trained: the network that is shipped, or one to teach it."""

    DENSENET = "densenet121"
    TEACHER = "efficientnet-lite2"


#: The second network's part of an ensemble's logit; the rest is the first one's.
SECOND_SHARE = 1 / 3
