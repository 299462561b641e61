"""The verdict on a face: the one rule, which serving and measuring share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unmask.detector.manifest import Manifest
from unmask.report import MARKED_FROM, UnsureReason, Verdict


@dataclass(frozen=True)
class FaceScore:
    """What the verdict on a face hangs on: the calibrated probability, the side of its frame in
    pixels of the picture, whether one of the judges alone would clear it, the share of it that is
    covered, and how far its eyes lie apart, in distances from eyes to mouth."""

    probability: float
    frame_side: float
    is_disputed: bool = False
    covered: float = 0.0
    eyes_apart: float = 1.0


@dataclass(frozen=True)
class Bounds:
    """The probabilities in one picture below which a face is real, and from which on it is fake."""

    real: float
    fake: float


@dataclass(frozen=True)
class Ruling:
    """The verdict on a face, and the reasons of an unsure one."""

    verdict: Verdict
    reasons: tuple[UnsureReason, ...] = ()


def picture_bounds(scores: Sequence[FaceScore], manifest: Manifest) -> Bounds:
    """The bounds of a picture of these faces; one that cannot be judged does not raise them."""
    count = sum(not _obstacles(score, manifest) for score in scores)
    thresholds = manifest.thresholds
    return Bounds(thresholds.real_among(count), thresholds.fake_among(count))


def rule(score: FaceScore, bounds: Bounds, manifest: Manifest) -> Ruling:
    """The verdict on a face: unsure between the bounds, where it cannot be judged, and where the
    judges disagree: what one of them would clear is not called fake. A face that is partly covered
    is not cleared; signs that show in spite of that count."""
    obstacles = _obstacles(score, manifest)
    if obstacles:
        return Ruling(Verdict.UNSURE, obstacles)
    covers = (UnsureReason.OCCLUDED,) if score.covered >= manifest.visibility.covered else ()
    if score.probability < bounds.real:
        return Ruling(Verdict.UNSURE, covers) if covers else Ruling(Verdict.REAL)
    if score.probability >= bounds.fake and not score.is_disputed:
        return Ruling(Verdict.FAKE)
    reasons = [UnsureReason.JUDGES_DISAGREE] if score.is_disputed else []
    if score.probability < bounds.fake:
        are_few = score.probability >= MARKED_FROM
        reasons.append(UnsureReason.TOO_FEW_SIGNS if are_few else UnsureReason.TOO_WEAK)
    return Ruling(Verdict.UNSURE, (*reasons, *covers))


def _obstacles(score: FaceScore, manifest: Manifest) -> tuple[UnsureReason, ...]:
    """Why a face cannot be judged, whatever its probability."""
    obstacles = []
    if score.frame_side < manifest.min_face:
        obstacles.append(UnsureReason.TOO_SMALL)
    if score.eyes_apart < manifest.visibility.eyes_apart:
        obstacles.append(UnsureReason.PROFILE)
    return tuple(obstacles)
