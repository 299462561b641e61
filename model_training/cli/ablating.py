"""The commands of ``python -m model_training`` that leave parts of the recipe out."""

from __future__ import annotations

import argparse
from functools import partial
from importlib import import_module
from pathlib import Path

from model_training.cli.measuring import (
    DATA_HELP,
    EVALUATION,
    Commands,
    Options,
    model_and_data,
    new_command,
    say_written,
)

#: What fits heads of its own: the command, its module in evaluation/, and what it measures. The
#: result is named as the command.
FITTING = {
    "left-out": (
        "left_out",
        "measure families and real sources that heads on CLIP were not fitted on",
    ),
    "heads": (
        "heads",
        "measure what the tower, worn copies, data and crop are worth, on heads fitted for it",
    ),
    "whole": (
        "whole",
        "measure what the tower makes of whole pictures, each source of them left out in turn",
    ),
}


def add_ablating(commands: Commands) -> None:
    """Add all of them."""
    for name, (_, text) in FITTING.items():
        add = new_command(commands, name, partial(_fitting, name), text)
        model_and_data(add, f"folder for {name}.json")
    _add_ablate(commands)


def _fitting(name: str, options: Options) -> None:
    module = import_module(f"model_training.evaluation.{FITTING[name][0]}")
    cache = options.cache or Path("runs/cache")
    module.measure(options.data, options.model, options.out, cache=cache)
    say_written(options.out / f"{name}.json")


def _add_ablate(commands: Commands) -> None:
    text = "compare training runs that differ in one thing, the first one with the others"
    add = new_command(commands, "ablate", _ablate, text)
    add("--data", type=Path, nargs="+", required=True, help=DATA_HELP)
    add("--run", dest="runs", type=_named_run, action="append", required=True, metavar="NAME=DIR")
    add("--out", type=Path, default=EVALUATION, help="folder for ablations.json")
    add("--series", default="", metavar="NAME", help="write ablations-NAME.json instead")
    add("--about", default="", help="what the runs have in common, for the page")
    add("--landmarks", type=Path, help="landmarks.csv to use; the first run's by default")
    add("--final", action="store_true", help="measure on the test split as well")


def _named_run(text: str) -> tuple[str, Path]:
    name, found, folder = text.partition("=")
    if not name or not found or not folder:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=DIR")
    return name, Path(folder)


def _ablate(options: Options) -> None:
    from model_training.evaluation.ablate import ablate, ablations_path

    runs = dict(options.runs)
    first = next(iter(runs.values()))
    landmarks = options.landmarks or first / "landmarks.csv"
    ablate(
        options.data,
        runs,
        options.out,
        landmarks_csv=landmarks,
        series=options.series,
        about=options.about,
        final=options.final,
    )
    say_written(ablations_path(options.out, options.series))
