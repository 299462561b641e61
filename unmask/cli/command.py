"""Reads the command line, runs what it asks for, and turns every fault into a line and a status.

Only the standard library is imported here, so that help and faults in the arguments come at once;
a command's own module is imported when the command is run.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path

from unmask import __version__
from unmask.cli.faults import Exit, MissingExtraError, SettingsError, internal
from unmask.errors import UnmaskError

log = logging.getLogger("unmask.cli")

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

#: The parts of the service: what each does, in a word and in full.
PARTS = {
    "up": (
        "run the whole service on this machine",
        "Starts a Valkey (unless REDIS_URL is set), one worker and the server, and prints one "
        "line, ready http://HOST:PORT, once a check can be taken. Starts again what ends; ends all "
        "in order on SIGTERM or Ctrl-C.",
    ),
    "server": (
        "run the API and the page alone",
        "Runs the API and the page. Workers may run elsewhere, with the same REDIS_URL and store.",
    ),
    "worker": (
        "run one worker alone",
        "Runs one worker: it takes all that waits, up to UNMASK_BATCH_SIZE pictures, as one batch.",
    ),
    "bot": (
        "run the Telegram bot alone",
        "Runs the Telegram bot with the token in TELEGRAM_TOKEN. Workers may run elsewhere, with "
        "the same REDIS_URL and store.",
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command ``unmask``; returns its exit status and raises no exception."""
    _open_closed_streams()
    _quieten()
    as_json = False
    try:
        given = sys.argv[1:] if arguments is None else list(arguments)
        options = _parser(given[0] if given else None).parse_args(given)
        as_json = getattr(options, "json", False)
        status: int = import_module(options.module).run(options)
        sys.stdout.flush()
    except SystemExit as end:  # argparse has said why
        return end.code if isinstance(end.code, int) else Exit.NOTHING_DONE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as fault:
        return _end(fault, as_json)
    return status


def _end(fault: Exception, as_json: bool) -> int:
    """Say in one line why nothing, or nothing more, can be done; returns the exit status."""
    if isinstance(fault, UnmaskError | SettingsError | MissingExtraError):
        _say(fault, as_json)
        return Exit.NOTHING_DONE
    status = Exit.SOME_FAILED
    if isinstance(fault, BrokenPipeError):
        status = Exit.NO_READER
    elif isinstance(fault, OSError):  # a picture's own faults never come this far
        _say(UnmaskError("output_unwritable", f"The output cannot be written: {fault}."))
    else:
        log.error("the command failed", exc_info=fault)
        _say(internal(fault))
    _discard_output()
    return status


def _parser(wanted: str | None = None) -> argparse.ArgumentParser:
    """The parser of the command line; of ``keys`` it knows the arguments only if ``wanted`` so."""
    parser = argparse.ArgumentParser(
        prog="unmask",
        description="Tells whether a photograph of a face was faked, and where.",
        epilog="Limits and defaults are settings, read from the environment as UNMASK_*.",
    )
    parser.add_argument("--version", action="version", version=f"unmask {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_check(commands)
    _add_model(commands)
    _add_parts(commands)
    _add_keys(commands, wanted)
    return parser


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
        "--threshold",
        type=_threshold,
        metavar="T",
        help="mark as tampered what the heatmap shows at or above T, 0 to 1 (default: the model's)",
    )
    _add_model_path(check)
    check.set_defaults(module="unmask.cli.check")


def _add_model(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    model = commands.add_parser(
        "model",
        help="print the model's manifest",
        description="Prints the manifest of the model that judges: its version, its thresholds, "
        "how it was trained and how well it does.",
    )
    _add_model_path(model)
    model.set_defaults(module="unmask.cli.model")


def _add_parts(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parts = {}
    for name, (short, long) in PARTS.items():
        parts[name] = commands.add_parser(name, help=short, description=long)
        parts[name].set_defaults(module=f"unmask.cli.{name}")
    parts["worker"].add_argument(
        "--alive",
        action="store_true",
        help="only look whether a worker of this host serves the queue; exit status 1 if none does",
    )
    parts["bot"].add_argument(
        "--alive",
        action="store_true",
        help="only look whether a bot of this host works; exit status 1 if none does",
    )
    parts["bot"].add_argument(
        "--feedback",
        action="store_true",
        help="only print what people said of wrong verdicts, one JSON object a line",
    )


def _add_keys(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], wanted: str | None
) -> None:
    keys = commands.add_parser(
        "keys",
        help="make, list and revoke API keys",
        description="Makes, lists and revokes the keys that callers of the API need.",
    )
    keys.set_defaults(module="unmask.cli.keys")
    if wanted == "keys":  # its arguments are the server's, and importing that takes a while
        import_module("unmask.cli.keys").add_arguments(keys)


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


def _open_closed_streams() -> None:
    """Give what is printed somewhere to go where the shell has closed a stream (``>&-``)."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115


def _quieten() -> None:
    """See to it that no library and no odd file name puts a traceback or advice on the screen."""
    logging.getLogger("unmask").addHandler(logging.NullHandler())  # else faults go to stderr raw
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _say(fault: Exception, as_json: bool = False) -> None:
    if as_json and isinstance(fault, SettingsError):
        fault = UnmaskError("bad_request", str(fault))
    with suppress(OSError):
        if as_json and isinstance(fault, UnmaskError):
            sys.stdout.write(json.dumps(fault.as_json(), default=str) + "\n")
            sys.stdout.flush()
        else:
            sys.stderr.write(f"unmask: error: {fault}\n")


def _discard_output() -> None:
    """Send what is still to be written nowhere, so that Python does not complain at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
