"""Tables of how well masks mark, for every method on the same pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_training.dataset.data import Row
from model_training.evaluation import plots
from model_training.evaluation.localisation import (
    Choice,
    FaceView,
    choose_baselines,
    face_view,
    heatmap_marks,
    marked_share,
    true_mask,
)
from model_training.evaluation.metrics import Flags, confusion
from model_training.evaluation.predict import Predictions
from model_training.evaluation.tables import Judged, Table, mean_figure
from unmask.detector.manifest import Manifest
from unmask.report import Verdict, is_marked

#: Pictures on the sheet of masks.
SHEET_ROWS = 8


@dataclass(frozen=True)
class Examined:
    """Pictures with what was said of them; ``repeats`` draws make each interval."""

    rows: list[Row]
    found: Predictions
    judged: Judged
    manifest: Manifest
    repeats: int


#: A fake with a true mask: its name, face, true mask, and our mask's overlap with it.
Pair = tuple[str, FaceView, Flags, float]


def rivals_of(rows: Sequence[Row], found: Predictions) -> dict[str, Choice]:
    """The rival methods as the validation ``rows`` with true masks choose them; none where no face
    was found there."""
    views, truths = [], []
    for index, row in enumerate(rows):
        view = face_view(row, found, index)
        if view:
            views.append(view)
            truths.append(true_mask(row, view.pixels.shape))
    return choose_baselines(views, truths) if views else {}


def localisation(this: Examined, rivals: dict[str, Choice]) -> tuple[Table | None, list[Pair]]:
    """Every method on the fakes with true masks, and on the reals if there are any; and the pairs
    for :func:`sheet`. None where there is no true mask."""
    masked = [index for index, row in enumerate(this.rows) if row.mask]
    if not masked:
        return None, []
    methods = _methods(this, rivals)
    table: Table = {
        "pictures": len(masked),
        "groups": len({this.rows[index].group for index in masked}),
        "no_face": int((~this.judged.found[masked]).sum()),
        "methods": {
            name: {"variant": choice.variant, "threshold": choice.threshold}
            for name, choice in methods.items()
        },
    }
    pairs = _score_fakes(this, masked, methods, table["methods"])
    if (this.judged.label == 0).any():
        _score_reals(this, methods, table["methods"])
    return table, pairs


def sheet(this: Examined, rivals: dict[str, Choice], pairs: list[Pair]) -> list[plots.SheetRow]:
    """Pictures from the best mask to the worst in even steps, so that none is picked by taste."""
    methods = _methods(this, rivals)
    ranked = sorted(pairs, key=lambda pair: -pair[3])
    chosen = np.linspace(0, len(ranked) - 1, min(SHEET_ROWS, len(ranked))).astype(int)
    wanted = ("unmask", "paper", "activation")
    return [
        plots.SheetRow(
            source,
            view.pixels,
            truth,
            {name: methods[name].mask(view) for name in wanted if name in methods},
            overlap,
        )
        for source, view, truth, overlap in (ranked[index] for index in chosen)
    ]


def _methods(this: Examined, rivals: dict[str, Choice]) -> dict[str, Choice]:
    bound = this.manifest.thresholds.mask
    return {"unmask": Choice(heatmap_marks, "heatmap", bound, float("nan")), **rivals}


def _score_fakes(
    this: Examined, masked: list[int], methods: dict[str, Choice], table: dict[str, Table]
) -> list[Pair]:
    """Overlap with the true masks, in picture pixels, for every face and as people see it.

    A picture without a found face has an empty mask. "Shown" leaves the mask empty as well where
    the verdict is "real", for which the product shows none; the same gate holds for all methods.
    """
    scores: dict[str, list[tuple[float, ...]]] = {name: [] for name in methods}
    pairs: list[Pair] = []
    for index in masked:
        row = this.rows[index]
        view = face_view(row, this.found, index)
        shown = _is_shown(this, index)
        truth = true_mask(row, view.pixels.shape if view else tuple(this.found.sizes[index][::-1]))
        for name, choice in methods.items():
            marked = choice.mask(view) if view else np.zeros_like(truth)
            match = confusion(truth, marked)
            gate = float(shown)
            scores[name].append(
                (match.iou, match.f1, match.precision, match.recall, match.iou * gate)
            )
        if view:
            pairs.append((row.source, view, truth, scores["unmask"][-1][0]))
    groups = [this.rows[index].group for index in masked]
    names = ("iou", "pixel_f1", "pixel_precision", "pixel_recall", "iou_shown")
    for method, values in scores.items():
        for name, column in zip(names, zip(*values, strict=True), strict=True):
            table[method][name] = mean_figure(column, groups, this.repeats)
    return pairs


def _score_reals(this: Examined, methods: dict[str, Choice], table: dict[str, Table]) -> None:
    """The share of a real face's frame that each method marks: for all, and for those shown."""
    shares: dict[str, list[float]] = {name: [] for name in methods}
    groups, shown = [], []
    for index in np.flatnonzero((this.judged.label == 0) & this.judged.found):
        view = face_view(this.rows[index], this.found, int(index))
        if view is None:
            continue
        groups.append(this.rows[index].group)
        shown.append(_is_shown(this, int(index)))
        for name, choice in methods.items():
            shares[name].append(marked_share(choice.mask(view), view))
    for name, values in shares.items():
        gated = np.asarray(values) * np.asarray(shown, float)
        table[name]["false_area"] = mean_figure(values, groups, this.repeats)
        table[name]["false_area_shown"] = mean_figure(gated.tolist(), groups, this.repeats)


def _is_shown(this: Examined, index: int) -> bool:
    """Whether people are shown the region of a picture's face."""
    verdict = str(this.judged.verdict[index])
    return is_marked(Verdict(verdict), float(this.judged.chance[index]))
