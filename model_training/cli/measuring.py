"""The commands of ``python -m model_training`` that measure a model, show it and write of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from unmask.detector.preprocess import Denoise
from unmask.settings import SHIPPED_MODEL

Options = argparse.Namespace
Commands = Any  # argparse keeps the type of its sub-commands to itself

DATA_HELP = "folders with faces.csv, or with train|valid|test/real|fake, that make one set"
CACHE_HELP = "folder to keep predictions in"
EVALUATION = Path("docs/evaluation")
SPLITS = ("test", "val", "train")
#: The pages that are written from the measurements.
PAGES = {"modelcard": Path("docs/model-card.md"), "results": Path("docs/evaluation.md")}


def add_measuring(commands: Commands) -> None:
    """Add all of them."""
    for add in (
        _add_evaluate,
        _add_copies,
        _add_noise,
        _add_visibility,
        _add_layers,
        _add_goals,
        _add_compare,
        _add_engines,
        _add_gallery,
        _add_reproduce,
        _add_pages,
    ):
        add(commands)


def new_command(commands: Commands, name: str, run: Callable[[Options], None], text: str) -> Any:
    """A sub-command; returns what adds its options."""
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    return command.add_argument


def say_written(path: Path) -> None:
    """Tell where something was written."""
    sys.stdout.write(f"written: {path}\n")


def model_and_data(add: Any, out: str = "folder for what is measured") -> None:
    """Add the options of a command that measures a model on data."""
    add("--data", type=Path, nargs="+", required=True, help=DATA_HELP)
    add("--model", type=Path, default=SHIPPED_MODEL, help="manifest")
    add("--out", type=Path, default=EVALUATION, help=out)
    add("--cache", type=Path, help=CACHE_HELP)


def _add_evaluate(commands: Commands) -> None:
    add = new_command(commands, "evaluate", _evaluate, "measure the model: metrics.json and plots")
    model_and_data(add, "folder for metrics.json and plots")
    add("--split", choices=SPLITS, default="test")
    add("--history", type=Path, help="history.csv of the training run")
    add("--denoise", type=Denoise, choices=list(Denoise), help="in place of the manifest's")


def _evaluate(options: Options) -> None:
    from model_training.evaluation.evaluate import METRICS_FILE, evaluate

    history = options.history
    kept = options.out / "history.csv"
    evaluate(
        options.data,
        options.model,
        options.out,
        split=options.split,
        history_csv=history or (kept if kept.is_file() else None),
        cache=options.cache,
        denoise=options.denoise,
    )
    say_written(options.out / METRICS_FILE)


class Copies(NamedTuple):
    """A command that measures copies of a split's pictures, into a file of its own name: the
    module and function that do it, the split it takes unasked, and whether ``--most`` bounds it."""

    module: str
    function: str
    split: str
    is_bounded: bool
    text: str


COPIES = {
    "robustness": Copies(
        "robustness",
        "measure",
        "test",
        True,
        "measure the model on re-compressed, scaled, blurred and cropped copies",
    ),
    "crowds": Copies(
        "multi_face", "measure", "test", False, "measure the model on pictures of several people"
    ),
    "turned": Copies(
        "robustness",
        "measure_turned",
        "val",
        True,
        "measure the model on pictures that lie on a side or stand on their heads",
    ),
    "views": Copies(
        "views", "measure", "test", True, "measure the model on small, turned and covered faces"
    ),
    "kept-back": Copies(
        "kept_back",
        "measure",
        "test",
        False,
        "measure the model on collections that are in no list that it was made with",
    ),
}


def _add_copies(commands: Commands) -> None:
    for name, command in COPIES.items():
        add = new_command(commands, name, partial(_copies, name), command.text)
        model_and_data(add, f"folder for {name}.json")
        add("--split", choices=SPLITS, default=command.split)
        if command.is_bounded:
            add("--most", type=int, help="most pictures of each source and class; none: all")


def _copies(name: str, options: Options) -> None:
    command = COPIES[name]
    module = import_module(f"model_training.evaluation.{command.module}")
    bound = {"most": options.most} if command.is_bounded else {}
    getattr(module, command.function)(
        options.data, options.model, options.out, split=options.split, cache=options.cache, **bound
    )
    say_written(options.out / f"{name}.json")


def _add_noise(commands: Commands) -> None:
    text = "measure whether noise removal helps, on validation"
    model_and_data(new_command(commands, "denoise", _noise, text), "folder for denoise.json")


def _noise(options: Options) -> None:
    from model_training.evaluation.noise import NOISE_FILE, compare_denoising

    compare_denoising(options.data, options.model, options.out, cache=options.cache)
    say_written(options.out / NOISE_FILE)


def _add_visibility(commands: Commands) -> None:
    text = "fit what sees covered faces, and fix how much may be covered"
    add = new_command(commands, "visibility", _visibility, text)
    add("--data", type=Path, nargs="+", required=True, help=DATA_HELP)
    add("--model", type=Path, default=SHIPPED_MODEL, help="manifest, changed in place")
    add("--out", type=Path, default=EVALUATION, help="folder for visibility.json")
    add("--cache", type=Path, default=Path("runs/cache"), help="folder to keep features in")
    add("--alone", type=Path, help="the manifest of the DenseNet121 alone, changed too")
    add("--most", type=int, default=9, help="most pictures of each source and class to fit on")


def _visibility(options: Options) -> None:
    from model_training.evaluation.visibility import VISIBILITY_FILE, fit_visibility, set_profile

    fit_visibility(options.data, options.model, options.out, cache=options.cache, most=options.most)
    if options.alone:
        set_profile(options.alone)
    say_written(options.out / VISIBILITY_FILE)


def _add_layers(commands: Commands) -> None:
    text = "measure how often the layers of the evidence are highest in the part that was edited"
    add = new_command(commands, "layers", _layers, text)
    model_and_data(add, "folder for layers.json")
    add("--split", choices=SPLITS, default="test")
    add("--most", type=int, default=60, help="most pictures of each source")


def _layers(options: Options) -> None:
    from model_training.evaluation.layers import LAYERS_FILE, lines, measure

    table = measure(
        options.data,
        options.model,
        options.out,
        split=options.split,
        cache=options.cache,
        most=options.most,
    )
    sys.stdout.write("\n".join(lines(table)) + "\n")
    say_written(options.out / LAYERS_FILE)


def _add_goals(commands: Commands) -> None:
    text = "hold the model against its goals, after evaluate and robustness"
    add = new_command(commands, "goals", _goals, text)
    model_and_data(add, "folder of metrics.json and robustness.json, for goals.json")


def _goals(options: Options) -> None:
    from model_training.evaluation.goals import GOALS_FILE, measure

    table = measure(options.data, options.model, options.out, cache=options.cache)
    met = sum(row["met"] is True for row in table["rows"])
    sys.stdout.write(f"{met} of {len(table['rows'])} goals met\n")
    say_written(options.out / GOALS_FILE)


def _add_compare(commands: Commands) -> None:
    text = "compare ways to join the judges' answers, on validation"
    model_and_data(new_command(commands, "compare", _compare, text), "folder for joins.json")


def _compare(options: Options) -> None:
    from model_training.evaluation.compare import JOINS_FILE, compare

    compare(options.data, options.model, options.out, cache=options.cache)
    say_written(options.out / JOINS_FILE)


def _add_engines(commands: Commands) -> None:
    text = "measure what changes when judges run on another engine than ONNX Runtime"
    add = new_command(commands, "engines", _engines, text)
    add("--data", type=Path, nargs="+", required=True, help=DATA_HELP)
    add("--model", type=Path, default=SHIPPED_MODEL, help="manifest")
    add(
        "--out",
        type=Path,
        default=EVALUATION,
        help="folder for engines.json; of another split, engines-SPLIT.json",
    )
    text = "engine; openvino, if no folders of 8-bit forms are given"
    add("--engine", choices=("openvino", "cuda", "tensorrt"), help=text)
    text = "folders of quantise: ask their DenseNet121s, on the engines that they were made for"
    add("--quantised", type=Path, nargs="+", default=[], metavar="FOLDER", help=text)
    add("--judges", nargs="+", default=["densenet121", "clip"], help="judges to ask on it")
    add("--split", choices=SPLITS, default="test")
    add("--every", type=int, default=1, metavar="N", help="take one picture in N")


def _engines(options: Options) -> None:
    from model_training.evaluation.engines import described_change, engines_path, measure_engine
    from model_training.export.manifests import MANIFEST_FILE

    table = measure_engine(
        options.data,
        options.model,
        options.out,
        engine=options.engine,
        judges=options.judges,
        quantised=[folder / MANIFEST_FILE for folder in options.quantised],
        split=options.split,
        every=options.every,
    )
    sys.stdout.write(described_change(table))
    say_written(engines_path(options.out, options.split))


def _add_gallery(commands: Commands) -> None:
    text = "draw right and wrong verdicts with their masks, to look at"
    add = new_command(commands, "gallery", _gallery, text)
    add("--data", type=Path, nargs="+", required=True, help=DATA_HELP)
    add("--model", type=Path, default=SHIPPED_MODEL, help="manifest")
    add("--out", type=Path, required=True, help="folder for the sheets and index.html")
    add("--split", choices=SPLITS, default="test")
    add("--source", nargs="+", default=[], help="sources to show; all of them by default")
    add("--limit", type=int, default=48, help="most pictures of each group")
    add("--record", type=Path, help="JSON file for what the groups hold, in figures")
    add("--cache", type=Path, help=CACHE_HELP)


def _gallery(options: Options) -> None:
    from model_training.report.gallery import draw_gallery

    counts = draw_gallery(
        options.data,
        options.model,
        options.out,
        split=options.split,
        sources=options.source,
        limit=options.limit,
        cache=options.cache,
        record=options.record,
    )
    for name, count in counts.items():
        sys.stdout.write(f"{name}: {count}\n")
    say_written(options.out / "index.html")


def _add_reproduce(commands: Commands) -> None:
    text = "train and test as the paper does, and print its table beside this one"
    add = new_command(commands, "reproduce", _reproduce, text)
    add("--data", type=Path, required=True, help="folder of one of the two forms")
    add("--out", type=Path, default=Path("runs/reproduce"), help="folder; a run there goes on")
    add("--epochs", type=int, default=5)
    add("--batch", type=int, default=32, help="pictures a step")
    add("--rate", type=float, default=1e-3, help="Adam's learning rate")
    add("--denoise", type=Denoise, choices=list(Denoise), default=Denoise.MEDIAN)
    add("--seed", type=int, default=1)
    add("--steps", type=int, help="cut every epoch short after so many steps")
    add("--save-every", type=int, default=200, help="steps between checkpoints")
    add("--imagenet", action="store_true", help="begin from Keras's weights (download)")
    add("--warmstart", type=Path, help=".npz of weights to begin from, instead of from scratch")
    add("--model", type=Path, default=SHIPPED_MODEL, help="manifest of the model to set beside it")
    add("--cache", type=Path, help="folder to keep that model's predictions in")


def _reproduce(options: Options) -> None:
    from model_training.paper.paper import Recipe
    from model_training.paper.reproduce import reproduce

    hidden = {"run", "model", "cache"}
    values = {name: value for name, value in vars(options).items() if name not in hidden}
    text = reproduce(Recipe(**values), options.model, cache=options.cache)
    sys.stdout.write(text + "\n")
    say_written(options.out)


def _add_pages(commands: Commands) -> None:
    for page, path in PAGES.items():
        text = f"write {path.as_posix()} from what was measured and the manifest"
        add = new_command(commands, page, partial(_page, page), text)
        add("--evaluation", type=Path, default=EVALUATION, help="folder of metrics.json")
        add("--model", type=Path, default=SHIPPED_MODEL, help="manifest")
        add("--out", type=Path, default=path)


def _page(page: str, options: Options) -> None:
    from model_training.report.render import write

    write(page, options.evaluation, options.model, options.out)
    say_written(options.out)
