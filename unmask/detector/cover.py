"""How much of a face is covered: by a caption, a sticker, a mask, dark glasses, a hand, a thing.

What is covered cannot betray a fake. The share is read from CLIP's patch tokens, which are
computed anyway, by one linear head that :mod:`model_training.evaluation.visibility` fits.
"""

from __future__ import annotations

import io

import numpy as np

from unmask.detector.align import Floats
from unmask.detector.masks import face_region

#: The tokens (n, 1 + patches, width) that the head reads: those in the middle of the tower tell
#: things apart, and still where they are.
DEPTH = "tokens_9"


class CoverHead:
    """A weight for each of a token's numbers, and a bias: the logit that its patch is covered."""

    def __init__(self, data: bytes) -> None:
        """``data``: an .npz of ``weight`` (width,) and ``bias`` ()."""
        with np.load(io.BytesIO(data)) as stored:
            self._weight = stored["weight"].astype(np.float32)
            self._bias = np.float32(stored["bias"])

    def shares(self, tokens: Floats) -> Floats:
        """The covered share (n,) of each face, from its tokens."""
        return covered_shares(self.patches(tokens))

    def patches(self, tokens: Floats) -> Floats:
        """The probability (n, g, g) that each patch is covered."""
        logits = tokens[:, 1:] @ self._weight + self._bias
        side = round(logits.shape[1] ** 0.5)
        covered = 1 / (1 + np.exp(-logits))
        return np.asarray(covered.reshape(-1, side, side), np.float32)


def covered_shares(patches: Floats) -> Floats:
    """The mean (n,) of patches (n, g, g) over the face itself."""
    return np.asarray(patches[:, face_region(patches.shape[1])].mean(axis=1), np.float32)
