"""``python -m model_training make``: fakes to train on, made by networks that come in packages."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from model_training.cli.measuring import DATA_HELP, Commands, Options, new_command


def add_making(commands: Commands) -> None:
    """Add the command, with one of its own for each maker."""
    text = "make fakes to train on, by networks that come in packages"
    command = commands.add_parser("make", help=text, description=text)
    makers = command.add_subparsers(required=True, metavar="MAKER")
    _add_mobilestylegan(makers)
    _add_autoencoded(makers)


def _add_mobilestylegan(makers: Commands) -> None:
    text = "whole faces by MobileStyleGAN, 256 pixels wide"
    add = new_command(makers, "mobilestylegan", _mobilestylegan, text)
    text = "wheel of random-face 2021.7.21.1, or a folder that it was unpacked to"
    add("--package", type=Path, required=True, help=text)
    _add_common(add)


def _mobilestylegan(options: Options) -> None:
    from model_training.dataset.making.mobilestylegan import load_generator, make_faces

    generator = load_generator(options.package)
    made = make_faces(generator, options.count, options.seed, options.out)
    _say(made, options)


def _add_autoencoded(makers: Commands) -> None:
    text = "photographs passed through TAEF2, the small autoencoder in the likeness of FLUX.2's"
    add = new_command(makers, "autoencoded", _autoencoded, text)
    add("--data", type=Path, nargs="+", required=True, help=DATA_HELP)
    text = "folder of taef2_encoder.pth and taef2_decoder.pth, from github.com/madebyollin/taesd"
    add("--weights", type=Path, required=True, help=text)
    _add_common(add)


def _autoencoded(options: Options) -> None:
    from model_training.dataset.making.autoencoded import make_autoencoded
    from model_training.dataset.making.taef2 import load_network, passed_through

    passing = partial(passed_through, load_network(options.weights))
    made = make_autoencoded(passing, options.data, options.count, options.seed, options.out)
    _say(made, options)


def _add_common(add: Any) -> None:
    add("--out", type=Path, required=True, help="folder for the pictures and their faces.csv")
    add("--count", type=_at_least(1), required=True, help="how many; those there count")
    add("--seed", type=_at_least(0), default=1, help="another seed makes others")


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} on")
        return int(text)

    return number


def _say(made: int, options: Options) -> None:
    sys.stdout.write(f"{made} made, {options.count - made} were there: {options.out}\n")
