"""Makes one opinion of several judges'."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from unmask.detector.align import Floats
from unmask.detector.manifest import Calibration, Joining, Manifest


def family_logits(families: Floats, judges: tuple[str, ...], joining: Joining) -> Floats:
    """The judges' logits (n, judges, heads) as one set (n, heads)."""
    shares = np.array([joining.weights.get(judge, 0.0) for judge in judges], np.float32)
    return np.asarray(np.tensordot(families, shares / shares.sum(), axes=([1], [0])), np.float32)


def face_logit(families: Floats, any_weight: float) -> Floats:
    """The logit (n,) of a face from those of its heads (n, heads): the first one is over all fakes,
    the others over one family each. A network of one head alone has that one's."""
    if families.shape[1] == 1:
        return families[:, 0]
    suspicious = families[:, 1:].max(axis=1)
    return np.asarray(any_weight * families[:, 0] + suspicious, np.float32)


def joined_logit(families: Floats, judges: tuple[str, ...], joining: Joining) -> Floats:
    """The logit (n,) of faces on which each judge gave its heads' (n, judges, heads)."""
    return face_logit(family_logits(families, judges, joining), joining.any_weight)


def joined_heatmap(heatmaps: Floats, judges: tuple[str, ...], joining: Joining) -> Floats:
    """The judges' heatmaps (n, judges, k, k) as one (n, k, k)."""
    shares = np.array([joining.heatmap.get(judge, 0.0) for judge in judges], np.float32)
    return np.asarray(np.tensordot(heatmaps, shares / shares.sum(), axes=([1], [0])), np.float32)


def raw_probability(logits: Floats) -> Floats:
    """Logits (n,) as probabilities that are still to be calibrated."""
    return (1 / (1 + np.exp(-logits.astype(np.float64)))).astype(np.float32)


def calibrated(raw: Floats, calibration: Calibration) -> Floats:
    """Raw probabilities (n,) after Platt scaling."""
    safe = np.clip(raw.astype(np.float64), 1e-7, 1 - 1e-7)
    logits = np.log(safe / (1 - safe))
    scaled = calibration.scale * logits + calibration.offset
    return (1 / (1 + np.exp(-scaled))).astype(np.float32)


def own_probabilities(families: Floats, manifest: Manifest) -> dict[str, Floats]:
    """Each judge's own probability (n,) of n faces, from the judges' logits (n, judges, heads).

    A judge whose logit the manifest gives no meaning is left out.
    """
    own = {}
    for index, judge in enumerate(manifest.judges):
        scale = manifest.opinions.get(judge)
        if scale is not None:
            raw = raw_probability(face_logit(families[:, index], manifest.joining.any_weight))
            own[judge] = calibrated(raw, scale.calibration)
    return own


def are_disputed(
    own: Mapping[str, Floats], faces: int, manifest: Manifest
) -> npt.NDArray[np.bool_]:
    """Which of ``faces`` (n,) one of the judges alone would clear, by its own probabilities."""
    disputed = np.zeros(faces, bool)
    for judge, probabilities in own.items():
        disputed |= probabilities < manifest.opinions[judge].real
    return disputed
