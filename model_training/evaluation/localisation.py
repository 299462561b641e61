"""How well masks mark what was tampered with, and what simpler ways would mark.

Every method looks at one face (the picture's largest) and gives a binary mask in the size of the
picture, blank outside the face's frame:

- ``unmask``: the network's heatmap, as the product thresholds it.
- ``paper``: the grey-scale picture, thresholded: what the paper does. It does not say which side
  of the threshold is tampered, so ``bright`` and ``dark`` are both tried on validation.
- ``activation``: the class-activation map, thresholded as it is (``absolute``) or scaled to
  [0, 1] face by face (``relative``). Zhou et al., "Learning Deep Features for Discriminative
  Localization" (2016).
- ``same_place``: one and the same region of the frame for every face, cut from the mean of the
  true validation masks. It looks at nothing: a method that does not beat it locates nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from model_training.dataset.data import Row
from model_training.evaluation.metrics import Doubles, Flags, confusion
from model_training.evaluation.predict import Predictions, read_rgb
from unmask.detector.align import Floats, Pixels, frame_matrix
from unmask.detector.masks import MIN_PART, binary_mask, paste_heatmap, without_specks

#: Thresholds tried for the heatmap.
HEATMAP_GRID = np.round(np.arange(0.02, 0.99, 0.02), 2)
#: Thresholds tried for any other method: as many quantiles of what it gives on validation.
QUANTILES = 49


@dataclass(frozen=True)
class FaceView:
    """One judged face with its picture: ``pixels`` (h, w, 3) RGB, ``quad`` (4, 2) in its pixels,
    ``heatmap`` (k, k) in [0, 1] and ``activation`` (a, a), unbounded."""

    pixels: Pixels
    quad: Floats
    heatmap: Floats
    activation: Floats


#: A face's scores in the size of the picture (h, w), 0 outside its frame, before thresholding.
Scorer = Callable[[FaceView], Floats]
#: From a face and a threshold to the mask (h, w).
Marker = Callable[[FaceView, float], Flags]


@dataclass(frozen=True)
class Choice:
    """A method with the variant and threshold that validation chose, and what they reached there:
    the mean intersection over union, and for the heatmap the mean share of a real face's frame
    that is marked."""

    marker: Marker
    variant: str
    threshold: float
    validation_iou: float
    validation_false_area: float = float("nan")

    def mask(self, view: FaceView) -> Flags:
        """The mask (h, w) of one face."""
        return self.marker(view, self.threshold)


def face_view(row: Row, predictions: Predictions, picture: int) -> FaceView | None:
    """The largest face of a picture with what the network said of it; None where none was found."""
    face = int(predictions.largest[picture])
    if face < 0:
        return None
    pixels = read_rgb(row.path)
    return FaceView(
        pixels,
        predictions.quads[face],
        predictions.heatmaps[face].astype(np.float32),
        predictions.activations[face].astype(np.float32),
    )


def true_mask(row: Row, shape: tuple[int, ...]) -> Flags:
    """A row's true mask in the picture's ``shape`` (h, w, ...); ValueError where it has none."""
    stored = cv2.imread(str(row.mask), cv2.IMREAD_GRAYSCALE) if row.mask else None
    if stored is None:
        raise ValueError(f"{row.name} has no mask that can be read")
    size = shape[1], shape[0]
    return cv2.resize(stored, size, interpolation=cv2.INTER_NEAREST) >= 128


def heatmap_marks(view: FaceView, threshold: float) -> Flags:
    """The mask as the product makes it: specks of the frame's mask are blanked first."""
    size = view.heatmap.size
    kept = without_specks(binary_mask(view.heatmap, threshold), MIN_PART * size) > 0
    return _pasted(np.where(kept, view.heatmap, np.float32(0)), view) >= threshold


def mean_false_area(real_heatmaps: Sequence[Floats], threshold: float) -> float:
    """The share of a real face's frame that its mask marks, all of it wrongly, on average."""
    kept = [without_specks(binary_mask(h, threshold), MIN_PART * h.size) for h in real_heatmaps]
    return float(np.mean([np.count_nonzero(mask) / mask.size for mask in kept])) if kept else 0.0


def frame_region(view: FaceView) -> Flags:
    """The part of the picture (h, w) that lies in the face's frame."""
    return _pasted(np.ones_like(view.heatmap), view) >= 0.5


def choose_heatmaps(
    views: Sequence[FaceView],
    truths: Sequence[Flags],
    real_heatmaps: Sequence[Floats],
    max_false_areas: Sequence[float],
) -> list[Choice]:
    """The heatmap's threshold for each aim: best on true masks among those that spare real faces.

    Among thresholds at which the mean marked share of ``real_heatmaps`` stays within an aim, the
    one with the highest mean intersection over union; if there is none, the one that marks least.
    """
    areas = np.array([mean_false_area(real_heatmaps, float(t)) for t in HEATMAP_GRID])
    overlaps = _mean_overlaps(heatmap_marks, views, truths, HEATMAP_GRID)
    choices = []
    for aim in max_false_areas:
        allowed = np.flatnonzero(areas <= aim)
        best = int(allowed[np.argmax(overlaps[allowed])]) if len(allowed) else int(np.argmin(areas))
        reached = float(HEATMAP_GRID[best]), float(overlaps[best]), float(areas[best])
        choices.append(Choice(heatmap_marks, "heatmap", *reached))
    return choices


def choose_baselines(views: Sequence[FaceView], truths: Sequence[Flags]) -> dict[str, Choice]:
    """The other methods, each with the variant and threshold that mark validation best."""
    rivals: dict[str, dict[str, Scorer]] = {
        "paper": {"bright": bright_scores, "dark": dark_scores},
        "activation": {"absolute": absolute_scores, "relative": relative_scores},
        "same_place": {"mean mask": same_place_scores(views, truths)},
    }
    return {name: _choose(variants, views, truths) for name, variants in rivals.items()}


def bright_scores(view: FaceView) -> Floats:
    """The grey-scale picture within the frame, 1 for white."""
    grey = cv2.cvtColor(view.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return np.where(frame_region(view), grey, np.float32(0))


def dark_scores(view: FaceView) -> Floats:
    """The grey-scale picture within the frame, 1 for black."""
    return np.where(frame_region(view), 1 - bright_scores(view), np.float32(0))


def absolute_scores(view: FaceView) -> Floats:
    """The class-activation map as a probability for each place."""
    chance = 1 / (1 + np.exp(-_enlarged(view)))
    return _pasted(chance, view)


def relative_scores(view: FaceView) -> Floats:
    """The class-activation map scaled so that this face's lowest value is 0 and its highest 1."""
    values = _enlarged(view)
    spread = np.ptp(values)
    return _pasted((values - values.min()) / max(float(spread), 1e-6), view)


def same_place_scores(views: Sequence[FaceView], truths: Sequence[Flags]) -> Scorer:
    """A scorer that gives every face the mean of the true masks, seen in their frames."""
    side = views[0].heatmap.shape[0]
    total = np.zeros((side, side), np.float32)
    for view, truth in zip(views, truths, strict=True):
        matrix = frame_matrix(view.quad, side)
        total += cv2.warpAffine(truth.astype(np.float32), matrix, (side, side))
    mean = total / len(views)
    return lambda view: _pasted(mean, view)


def marked_share(mask: Flags, view: FaceView) -> float:
    """The share of the face's frame, as far as it lies in the picture, that a mask marks."""
    inside = mask[frame_region(view)]
    return float(inside.mean()) if inside.size else 0.0


def _choose(
    variants: Mapping[str, Scorer], views: Sequence[FaceView], truths: Sequence[Flags]
) -> Choice:
    found = []
    for variant, scorer in variants.items():
        marker = _at_or_above(scorer)
        values = [scores[scores > 0] for scores in map(scorer, views)]
        steps = np.linspace(0, 1, QUANTILES + 2)[1:-1]
        grid = np.unique(np.quantile(np.concatenate(values), steps))
        overlaps = _mean_overlaps(marker, views, truths, grid)
        best = int(np.argmax(overlaps))
        found.append(Choice(marker, variant, float(grid[best]), float(overlaps[best])))
    return max(found, key=lambda choice: choice.validation_iou)


def _at_or_above(scorer: Scorer) -> Marker:
    def marker(view: FaceView, threshold: float) -> Flags:
        scores = scorer(view)
        return (scores > 0) & (scores >= threshold)

    return marker


def _mean_overlaps(
    marker: Marker,
    views: Sequence[FaceView],
    truths: Sequence[Flags],
    grid: npt.NDArray[np.floating],
) -> Doubles:
    return np.array(
        [
            np.mean(
                [confusion(t, marker(v, float(x))).iou for v, t in zip(views, truths, strict=True)]
            )
            for x in grid
        ]
    )


def _enlarged(view: FaceView) -> Floats:
    """The class-activation map in the heatmap's size."""
    size = view.heatmap.shape[1], view.heatmap.shape[0]
    large = cv2.resize(view.activation, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32)


def _pasted(scores: npt.NDArray[np.floating], view: FaceView) -> Floats:
    canvas = np.zeros(view.pixels.shape[:2], np.float32)
    paste_heatmap(canvas, scores.astype(np.float32), view.quad)
    return canvas
