"""Reads the command line and runs the command that it names.

``check``, ``evidence``, ``trust-list``, ``model`` and ``engines`` are the heart's own; the others
are entry points (:mod:`unmask.commands`). Only the standard library is imported here, so that help
and wrong usage are answered at once; a command's own module is imported when the command is run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from unmask import __version__
from unmask.commands import Command, guarded, installed_commands, uncollected

CHECK_HELP = """\
Finds the faces of each PHOTO, says for each face how likely it was faked, and, with --out, marks
where. Prints a table and one plain sentence a picture. A picture that cannot be read gets a line
with an error, the others go on, and the exit status is 1.
"""
CHECK_EXAMPLES = """\
examples:
  unmask check portrait.jpg
  unmask check --out results holiday/ 'archive/**/*.jpg'
  curl -s https://example.org/face.jpg | unmask check --json -
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command ``unmask``; returns its exit status and raises no exception."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    options = argparse.Namespace()

    def run() -> int:
        _parser(*words[:1]).parse_args(words, options)
        status: int = options.run(options)
        return status

    return guarded(run, as_json=lambda: getattr(options, "json", False))


def _parser(*wanted: str) -> argparse.ArgumentParser:
    """The parser of the command line, with the arguments of ``wanted``. Commands of other rooms are
    left out where another one is wanted: each would have to be imported for its line of help."""
    parser = argparse.ArgumentParser(
        prog="unmask",
        description="Tells whether a photograph of a face was faked, and where.",
        epilog="Limits and defaults are settings, read from the environment as UNMASK_*.",
    )
    parser.add_argument("--version", action="version", version=f"unmask {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_check(commands)
    _add_evidence(commands)
    _add_trust_list(commands)
    _add_model(commands)
    _add_engines(commands)
    if not any(word in commands.choices for word in wanted):
        _add_installed(commands, wanted)
    return parser


def _add_installed(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], wanted: Sequence[str]
) -> None:
    """Add those of the rooms' commands that are wanted, and all where none of them is."""
    installed = installed_commands()
    for name in [name for name in installed if name in wanted] or installed:
        command: Command = installed[name].load()
        part = commands.add_parser(name, help=command.HELP, description=command.DESCRIPTION)
        part.set_defaults(run=command.run)
        if name in wanted:  # importing what they need may take a while
            command.add_arguments(part)


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = commands.add_parser(
        "check",
        help="examine photographs",
        description=CHECK_HELP,
        epilog=CHECK_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument(
        "photos",
        nargs="+",
        metavar="PHOTO",
        help="a file, a folder (all its files, and those of its folders), a quoted pattern such as "
        "'shots/**/*.png', or - for standard input",
    )
    check.add_argument("--json", action="store_true", help="print one report a line, as JSON")
    check.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="write NAME.annotated.jpg, NAME.mask.png and NAME.heatmap.png there",
    )
    check.add_argument(
        "--layers",
        action="store_true",
        help="with --out: write NAME.error-levels.png, NAME.ghosts.png and NAME.noise.png too, "
        "which show where the picture has other traces of saving than elsewhere",
    )
    check.add_argument(
        "--threshold",
        type=_threshold,
        metavar="T",
        help="mark as tampered what the heatmap shows at or above T, 0 to 1 (default: the model's)",
    )
    _add_model_path(check)
    check.set_defaults(run=partial(_run_check, check))


def _add_evidence(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    evidence = commands.add_parser(
        "evidence",
        help="show what a picture's file tells",
        description="Shows what the file of each PHOTO tells of its origin (Content Credentials, "
        "generators' marks, metadata), and all of its metadata. No face is looked at.",
    )
    evidence.add_argument("photos", nargs="+", metavar="PHOTO", help="as for unmask check")
    evidence.add_argument("--json", action="store_true", help="print one line of JSON a picture")
    evidence.set_defaults(run=_run_evidence)


def _add_trust_list(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "trust-list",
        help="install C2PA's list of trusted signers",
        description="Downloads the lists of signers and of time stamping authorities that C2PA "
        "publishes (CC BY 4.0), and installs them as one dated file; Content Credentials by a "
        "signer on it count as statements. Workers read it at their start.",
    )
    command.add_argument(
        "--from",
        dest="files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="PEM files to join instead, where this machine reaches no network",
    )
    command.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write it (default: in UNMASK_DATA)"
    )
    command.set_defaults(run=_run_trust_list)


def _add_model(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    model = commands.add_parser(
        "model",
        help="print the model's manifest",
        description="Prints the manifest of the model that judges: its version, its thresholds, "
        "how it was trained and how well it does.",
    )
    _add_model_path(model)
    model.set_defaults(run=_run_model)


def _add_engines(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    engines = commands.add_parser(
        "engines",
        help="show what the networks can run on, and how fast",
        description="Runs the model on each engine that is installed: how much processor time a "
        "face takes, and whether its answers on the stored faces are those of ONNX Runtime.",
    )
    engines.add_argument("--json", action="store_true", help="print JSON")
    _add_model_path(engines)
    engines.set_defaults(run=_run_engines)


def _run_check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    if options.layers and not options.out:
        parser.error("--layers needs --out, the folder to write them to")
    with uncollected():
        from unmask.detector.networks import open_networks
        from unmask.environment import read_settings
    settings = read_settings(options.model)
    with ThreadPoolExecutor(1, "unmask-open") as pool:
        # the networks, whose opening takes longest, open while the rest is imported
        opening = pool.submit(open_networks, settings)
        with uncollected():
            from unmask.cli import check
        return check.run(options, settings, opening)


def _run_evidence(options: argparse.Namespace) -> int:
    from unmask.cli import evidence

    return evidence.run(options)


def _run_trust_list(options: argparse.Namespace) -> int:
    from unmask.cli import trust_list

    return trust_list.run(options)


def _run_model(options: argparse.Namespace) -> int:
    from unmask.cli import model

    return model.run(options)


def _run_engines(options: argparse.Namespace) -> int:
    from unmask.cli import engines

    return engines.run(options)


def _add_model_path(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", type=Path, metavar="PATH", help="a model's manifest.json, or its folder"
    )


def _threshold(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value
