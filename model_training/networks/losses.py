"""What training minimises: cross-entropy for the face, cross-entropy and overlap for the mask."""

from __future__ import annotations

from typing import Any

from keras import ops

#: How far labels are drawn towards one half, so that the network is never asked for certainty.
SMOOTHING = 0.02
#: Tampered pixels are the fewer ones.
POSITIVE_WEIGHT = 2.0
#: Share of the mask's loss in the whole.
MASK_SHARE = 0.6
#: Share of each hint of a teacher's.
HINT_SHARE = 0.3

Tensor = Any


def face_loss(label: Tensor, logit: Tensor) -> Tensor:
    """Binary cross-entropy (n, 1) of ``label`` against ``logit``."""
    wanted = ops.cast(label, "float32") * (1 - SMOOTHING) + SMOOTHING / 2
    return _cross_entropy(wanted, ops.cast(logit, "float32"))


def accuracy(label: Tensor, logit: Tensor) -> Tensor:
    """Whether each face (n,) is on the side of ``logit`` that its label (n, 1) leans to, which may
    be a soft one."""
    right = (ops.cast(logit, "float32") >= 0) == (ops.cast(label, "float32") > 0.5)
    return ops.mean(ops.cast(right, "float32"), axis=-1)


def families_loss(target: Tensor, logit: Tensor) -> Tensor:
    """The loss (n,) of the heads by family: ``target`` (n, k, 2) holds each head's label and its
    weight, ``logit`` is (n, k). Another family's fake is neither right nor wrong: its weight is 0.
    """
    label, weight = target[:, :, 0], target[:, :, 1]
    wanted = label * (1 - SMOOTHING) + SMOOTHING / 2
    return ops.mean(weight * _cross_entropy(wanted, ops.cast(logit, "float32")), axis=1)


def mask_loss(target: Tensor, logit: Tensor) -> Tensor:
    """The mask's loss (n,): ``target`` (n, k, k, 2) holds the mask and its weight, ``logit`` is
    (n, k, k, 1). To cross-entropy comes, where something is marked, one minus the soft Dice
    overlap: Milletari et al., "V-Net" (2016)."""
    mask, weight = target[:, :, :, :1], target[:, 0, 0, 1]
    logit = ops.cast(logit, "float32")
    scale = 1 + (POSITIVE_WEIGHT - 1) * mask
    pixels = ops.mean(scale * _cross_entropy(mask, logit), axis=(1, 2, 3))
    shown = ops.sigmoid(logit)
    shared = ops.sum(shown * mask, axis=(1, 2, 3))
    area = ops.sum(mask, axis=(1, 2, 3))
    total = ops.sum(shown, axis=(1, 2, 3)) + area
    dice = (2 * shared + 1) / (total + 1)
    marked = ops.cast(area > 1, "float32")
    return MASK_SHARE * weight * (pixels + 0.5 * marked * (1 - dice))


def hint_loss(target: Tensor, found: Tensor) -> Tensor:
    """The mean squared difference (n,) between a teacher's map and its guess, both (n, k, k, c),
    each channel of the teacher's brought to mean 0 and variance 1 over the batch.

    Romero et al., "FitNets: Hints for Thin Deep Nets" (2015).
    """
    target = ops.cast(target, "float32")
    mean, variance = ops.moments(target, axes=(0, 1, 2), keepdims=True)
    wanted = (target - mean) / ops.sqrt(variance + 1e-3)
    return HINT_SHARE * ops.mean(ops.square(ops.cast(found, "float32") - wanted), axis=(1, 2, 3))


def _cross_entropy(wanted: Tensor, logit: Tensor) -> Tensor:
    return ops.softplus(logit) - wanted * logit
