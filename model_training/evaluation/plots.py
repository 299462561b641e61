"""Draws an evaluation. Colours are those of Okabe and Ito, told apart by colour-blind readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from model_training.evaluation.metrics import Flags, roc_auc, roc_curve
from model_training.evaluation.tables import Judged, Table
from unmask.detector.align import Pixels
from unmask.detector.manifest import Thresholds
from unmask.report import Verdict

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, BLACK, GREY = "#CC79A7", "#56B4E9", "#000000", "#999999"
CYCLE = (BLUE, RED, GREEN, PURPLE, ORANGE, SKY, BLACK)
DASHES = ("-", "--", "-.")
REAL, FAKE = BLUE, RED
#: Verdicts in the order drawn, with their colours and what people read.
SHOWN = (
    (Verdict.REAL, BLUE, "no sign found"),
    (Verdict.UNSURE, "#DDDDDD", "unsure"),
    (Verdict.FAKE, RED, "fake"),
    (Verdict.NO_FACE, BLACK, "no face found"),
)
LOOK: Any = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "legend.frameon": False,
    "figure.dpi": 130,
}
TITLES = {"unmask": "Unmask", "paper": "paper (grey threshold)", "activation": "activation map"}


@dataclass(frozen=True)
class SheetRow:
    """A row of the sheet: the picture (h, w, 3), its true mask (h, w), each method's mask, and
    how far ours overlaps the truth (intersection over union)."""

    source: str
    pixels: Pixels
    truth: Flags
    masks: Mapping[str, Flags]
    overlap: float


@mpl.rc_context(LOOK)
def history(epochs: Sequence[Mapping[str, float]], path: Path) -> None:
    """Loss and accuracy by epoch, training and validation, as in the paper's plots."""
    figure, axes = _figure(9.0, 3.6, columns=2)
    for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
        for column, label, colour, style in (
            (name, "training", BLUE, "-"),
            (f"val_{name}", "validation", RED, "--"),
        ):
            known = [epoch for epoch in epochs if column in epoch]
            x = [epoch.get("epoch", place) for place, epoch in enumerate(known)]
            y = [epoch[column] for epoch in known]
            axis.plot(x, y, style, color=colour, marker="o", markersize=3, label=label)
        axis.set(xlabel="epoch", ylabel=name)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.legend()
    figure.savefig(path)


@mpl.rc_context(LOOK)
def roc_curves(judged: Judged, path: Path) -> None:
    """One ROC curve for each source of fakes against all reals; on the right few false alarms."""
    figure, axes = _figure(10.5, 4.6, columns=2)
    fake = judged.label == 1
    parts: list[tuple[str, Flags]] = [
        (str(name), fake & (judged.source == name)) for name in np.unique(judged.source[fake])
    ]
    parts = [("all", fake), *parts]
    lowest = 1 / max(int((~fake).sum()), 1)
    for place, (name, own) in enumerate(parts):
        part = judged.where(own | ~fake)
        false, true, _ = roc_curve(part.label, part.chance)
        value = roc_auc(part.label, part.chance)
        label = f"{name} ({int(own.sum())}): {value:.3f}"
        colour = BLACK if place == 0 else CYCLE[(place - 1) % 6]
        style = DASHES[max(place - 1, 0) // 6 % len(DASHES)]
        for axis in axes:
            axis.plot(false, true, style, color=colour, lw=2.2 if place == 0 else 1.3, label=label)
    chance = np.geomspace(lowest, 1, 100)
    for axis in axes:
        axis.plot(chance, chance, ":", color=GREY, lw=1)
        axis.set(xlabel="reals called fake", ylabel="fakes called fake", ylim=(0, 1.01))
        _percent(axis.xaxis, axis.yaxis)
    axes[0].set_xlim(-0.01, 1)
    axes[1].set_xscale("log")
    axes[1].set_xlim(lowest, 1)
    axes[1].xaxis.set_major_formatter(PercentFormatter(1, decimals=None))
    title = "fakes (number): AUC"
    axes[0].legend(title=title, fontsize=8, loc="lower right")
    figure.savefig(path)


@mpl.rc_context(LOOK)
def confusion_matrix(overall: Table, path: Path) -> None:
    """Truth against verdict, in pictures and as shares of each row."""
    figure, axes = _figure(6.4, 2.7)
    axis = axes[0]
    order = [verdict for verdict, _, _ in SHOWN]
    rows = [overall["verdicts"][name] for name in ("real", "fake")]
    shares = np.array([[row[verdict] or 0.0 for verdict in order] for row in rows])
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (y, x), share in np.ndenumerate(shares):
        number = round(share * rows[y]["count"])
        axis.text(
            x,
            y,
            f"{number}\n{share:.1%}",
            ha="center",
            va="center",
            color="white" if share > 0.55 else "black",
        )
    axis.set_xticks(range(len(order)), [words for _, _, words in SHOWN])
    axis.set_yticks(range(2), [f"{n}\n({r['count']})" for n, r in zip(("real", "fake"), rows)])  # noqa: B905
    axis.set(xlabel="verdict", ylabel="truth")
    axis.grid(False)
    axis.spines[:].set_visible(False)
    figure.savefig(path)


@mpl.rc_context(LOOK)
def reliability(calibration: Table, path: Path) -> None:
    """Share of fakes against probability, as in the split and with both classes made equal."""
    figure = Figure(figsize=(5.2, 5.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    above.plot([0, 1], [0, 1], ":", color=GREY)
    for key, name, colour, style in (
        ("balanced", "classes made equal", BLUE, "o-"),
        ("as_is", "as in the split", ORANGE, "s--"),
    ):
        part = calibration[key]
        x = [entry["probability"] for entry in part["reliability"]]
        y = [entry["fakes"] for entry in part["reliability"]]
        error = part["ece_equal_width"]
        label = name if error is None else f"{name}: error {error:.3f}"
        above.plot(x, y, style, color=colour, markersize=5, label=label)
    bins = calibration["as_is"]["reliability"]
    below.bar([b["probability"] for b in bins], [b["count"] for b in bins], 0.03, color=GREY)
    above.set(ylabel="share of fakes", ylim=(-0.02, 1.02))
    above.legend(title=f"expected calibration error, {calibration['bins']} bins", loc="upper left")
    below.set(xlabel="fake probability", ylabel="pictures", xlim=(-0.02, 1.02))
    _percent(above.yaxis, below.xaxis)
    figure.savefig(path)


@mpl.rc_context(LOOK)
def scores(judged: Judged, bounds: Thresholds, path: Path) -> None:
    """How the probabilities of reals and fakes lie, and where the bounds are."""
    figure, axes = _figure(7.2, 3.6)
    axis = axes[0]
    steps = np.linspace(0, 1, 41).tolist()
    for label, colour, name in ((0, REAL, "real"), (1, FAKE, "fake")):
        values = judged.chance[(judged.label == label) & judged.found]
        if not len(values):
            continue
        weights = np.full(len(values), 1 / len(values))
        text = f"{name} ({len(values)})"
        axis.hist(values, steps, weights=weights, color=colour, alpha=0.25)
        axis.hist(values, steps, weights=weights, color=colour, histtype="step", lw=1.6, label=text)
    for value, name, side in ((bounds.real, "real", "right"), (bounds.fake, "fake", "left")):
        axis.axvline(value, color=BLACK, lw=1, ls="--")
        text = f" {name} bound {value:.2f} "
        top = axis.get_xaxis_transform()
        axis.text(value, 1.0, text, transform=top, ha=side, va="bottom", fontsize=8)
    axis.set(xlabel="fake probability", ylabel="share of the class", xlim=(0, 1))
    _percent(axis.xaxis, axis.yaxis)
    axis.legend(loc="upper center")
    figure.savefig(path)


@mpl.rc_context(LOOK)
def verdicts(result: Table, path: Path) -> None:
    """What was said of each source: reals above, fakes below."""
    tables = (("reals_by_source", "real"), ("fakes_by_source", "fake"))
    bars = [(f"{name} ({word})", row) for key, word in tables for name, row in result[key].items()]
    figure, axes = _figure(8.0, 1.2 + 0.32 * len(bars))
    axis = axes[0]
    left = np.zeros(len(bars))
    for verdict, colour, words in SHOWN:
        width = np.array([row[verdict] or 0.0 for _, row in bars])
        axis.barh(range(len(bars)), width, left=left, color=colour, label=words, height=0.75)
        left += width
    axis.set_yticks(range(len(bars)), [f"{name}, {row['count']}" for name, row in bars])
    axis.axhline(len(result["reals_by_source"]) - 0.5, color=BLACK, lw=0.8)
    axis.set(xlim=(0, 1), ylim=(len(bars) - 0.5, -0.5))
    axis.grid(False, axis="y")
    _percent(axis.xaxis)
    figure.legend(loc="outside upper center", ncols=len(SHOWN))
    figure.savefig(path)


@mpl.rc_context(LOOK)
def robustness(result: Table, path: Path) -> None:
    """AUC, its loss and the verdicts that change, for each condition; bars are 95 % intervals."""
    rows = {"as it is": result["as_it_is"], **result["conditions"]}
    places = np.arange(len(rows))
    figure, axes = _figure(11.0, 1.2 + 0.27 * len(rows), columns=3)
    parts = ("all", *result["as_it_is"]["within"])
    for number, part in enumerate(parts):
        found = [row if part == "all" else row["within"][part] for row in rows.values()]
        shift = (number - (len(parts) - 1) / 2) * 0.16
        colour = BLACK if part == "all" else CYCLE[(number - 1) % 6]
        label = "all pictures" if part == "all" else f"within {part}"
        figures = [row["auc"] for row in found]
        _dots(axes[0], figures, places + shift, colour, label)
    _dots(axes[1], [row["auc_loss"] for row in rows.values()], places, BLACK, "all pictures")
    for number, (key, label) in enumerate(
        (("flips", "verdicts flipped"), ("reals_called_fake", "reals called fake"))
    ):
        shift = (number - 0.5) * 0.25
        _dots(axes[2], [row[key] for row in rows.values()], places + shift, CYCLE[number], label)
    titles = ("area under the ROC curve", "loss of area", "share of pictures")
    for axis, title in zip(axes, titles, strict=True):
        axis.set(xlabel=title, ylim=(len(rows) - 0.5, -0.5))
        axis.set_yticks(places, list(rows) if axis is axes[0] else [""] * len(rows))
    axes[1].axvline(0, color=GREY, lw=1)
    _percent(axes[2].xaxis, decimals=1)
    figure.legend(*_named(axes[0], axes[2]), loc="outside upper center", ncols=6, fontsize=8)
    figure.savefig(path)


@mpl.rc_context(LOOK)
def mask_sheet(rows: Sequence[SheetRow], path: Path) -> None:
    """Pictures with their true masks and what each method marks, the best of ours first."""
    methods = list(rows[0].masks)
    columns = 2 + len(methods)
    size = 1.55 * columns, 1.55 * len(rows) + 0.4
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(rows), columns, squeeze=False)
    titles = ["picture", "true mask", *(TITLES.get(name, name) for name in methods)]
    for line, row in zip(axes, rows, strict=True):
        shown = [row.pixels, row.truth, *(row.masks[name] for name in methods)]
        for axis, picture in zip(line, shown, strict=True):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=1 if picture.ndim == 2 else 255)
            axis.set_xticks([])
            axis.set_yticks([])
            axis.grid(False)
            axis.spines[:].set_visible(False)
        line[0].set_ylabel(row.source, fontsize=8)
        line[2].set_xlabel(f"IoU {row.overlap:.2f}", fontsize=8)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=9)
    figure.savefig(path)


def _figure(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(figure.subplots(1, columns, squeeze=False)[0])


def _dots(
    axis: Axes, figures: Sequence[Table], places: npt.NDArray[Any], colour: str, label: str
) -> None:
    """Figures with their intervals, one a line; those that could not be measured are left out."""
    known = [(f, y) for f, y in zip(figures, places, strict=True) if f["value"] is not None]
    if known:
        x = np.array([[f["value"], *f["interval"]] for f, _ in known], float)
        reach = np.abs(x[:, 1:] - x[:, :1]).T
        y = [place for _, place in known]
        axis.errorbar(x[:, 0], y, xerr=reach, fmt="o", ms=3.5, lw=1, color=colour, label=label)


def _named(*axes: Axes) -> tuple[list[Any], list[str]]:
    """The legend's handles and labels of several axes."""
    pairs = [axis.get_legend_handles_labels() for axis in axes]
    return [h for handles, _ in pairs for h in handles], [n for _, names in pairs for n in names]


def _percent(*axes: Any, decimals: int = 0) -> None:
    for axis in axes:
        axis.set_major_formatter(PercentFormatter(1, decimals=decimals))
