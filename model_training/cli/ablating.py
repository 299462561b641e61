"""The commands of ``python -m model_training`` that leave parts of the recipe out."""

from __future__ import annotations

import argparse
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


def add_ablating(commands: Commands) -> None:
    """Add all of them."""
    for add in (_add_left_out, _add_heads, _add_whole, _add_ablate):
        add(commands)


def _add_left_out(commands: Commands) -> None:
    text = "measure families and real sources that heads on CLIP were not fitted on"
    add = new_command(commands, "left-out", _left_out, text)
    model_and_data(add, "folder for left-out.json")


def _left_out(options: Options) -> None:
    from model_training.evaluation.left_out import LEFT_OUT_FILE, measure

    cache = options.cache or Path("runs/cache")
    measure(options.data, options.model, options.out, cache=cache)
    say_written(options.out / LEFT_OUT_FILE)


def _add_heads(commands: Commands) -> None:
    text = "measure what the tower, worn copies, data and crop are worth, on heads fitted for it"
    model_and_data(new_command(commands, "heads", _heads, text), "folder for heads.json")


def _heads(options: Options) -> None:
    from model_training.evaluation.heads import HEADS_FILE, measure

    cache = options.cache or Path("runs/cache")
    measure(options.data, options.model, options.out, cache=cache)
    say_written(options.out / HEADS_FILE)


def _add_whole(commands: Commands) -> None:
    text = "measure what the tower makes of whole pictures, each source of them left out in turn"
    add = new_command(commands, "whole", _whole, text)
    model_and_data(add, "folder for whole.json")


def _whole(options: Options) -> None:
    from model_training.evaluation.whole import WHOLE_FILE, measure

    cache = options.cache or Path("runs/cache")
    measure(options.data, options.model, options.out, cache=cache)
    say_written(options.out / WHOLE_FILE)


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
