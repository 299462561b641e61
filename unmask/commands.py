"""What a command is, and how its faults become one line and an exit status.

A command is a module that a room offers as an entry point of the group ``unmask.commands``
(pyproject.toml), so ``unmask NAME`` finds it without naming the room; ``python -m ROOM`` runs the
same module. Only the standard library is imported here, so that help comes at once.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution
from importlib.util import find_spec
from io import TextIOWrapper
from pathlib import Path
from typing import Protocol

from unmask.errors import Exit, MissingExtraError, SettingsError, UnmaskError, internal_error

GROUP = "unmask.commands"
log = logging.getLogger("unmask.cli")


class Command(Protocol):
    """A module that is a command. It loads fast: what is heavy is imported in its functions."""

    HELP: str
    DESCRIPTION: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments; called only for the command that is run."""

    def run(self, options: argparse.Namespace) -> int:
        """Run the command; returns the exit status, and may raise any exception."""


def installed_commands() -> dict[str, EntryPoint]:
    """The commands of the rooms that are installed, by name, none of them loaded. Unmask's metadata
    names all rooms; an image holds only those that its part needs."""
    try:
        entries = distribution("unmask").entry_points.select(group=GROUP)
    except PackageNotFoundError:  # the heart's source alone, which nothing has installed
        return {}
    return {entry.name: entry for entry in entries if find_spec(_room(entry)) is not None}


def _room(entry: EntryPoint) -> str:
    return entry.module.partition(".")[0]


def main(name: str, command: Command, arguments: Sequence[str] | None = None) -> int:
    """Run one command by itself, for ``python -m``; returns the exit status."""

    def run() -> int:
        parser = argparse.ArgumentParser(prog=f"unmask {name}", description=command.DESCRIPTION)
        command.add_arguments(parser)
        return command.run(parser.parse_args(arguments))

    return guarded(run)


def guarded(run: Callable[[], int], as_json: Callable[[], bool] = lambda: False) -> int:
    """The exit status of ``run``; every exception becomes one line and a status.

    ``as_json`` tells whether errors go to standard output as JSON.
    """
    _open_closed_streams()
    _quieten()
    _multiply_on_one_thread()
    try:
        status = run()
        sys.stdout.flush()
    except SystemExit as end:  # argparse has printed the reason
        return end.code if isinstance(end.code, int) else Exit.NOTHING_DONE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:
        return _end(error, as_json())
    return status


@contextmanager
def needing(command: str, extra: str = "server") -> Iterator[None]:
    """For a command's imports: that of a package which is not installed becomes
    :class:`MissingExtraError`."""
    try:
        with uncollected():
            yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if find_spec(package) is not None:  # a module is missing inside a package that is there
            raise
        message = f'unmask {command} needs: pip install "unmask[{extra}]" (no {package})'
        raise MissingExtraError(message) from error


@contextmanager
def uncollected() -> Iterator[None]:
    """For imports: what they make stays, and the garbage collector would look at it many times."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _end(error: Exception, as_json: bool) -> int:
    """Print in one line why nothing, or nothing more, can be done; returns the exit status."""
    if isinstance(error, UnmaskError | SettingsError | MissingExtraError):
        _print(error, as_json)
        return Exit.NOTHING_DONE
    status = Exit.SOME_FAILED
    if isinstance(error, BrokenPipeError):
        status = Exit.NO_READER
    elif isinstance(error, OSError):  # a picture's own errors never come this far
        _print(UnmaskError("output_unwritable", f"The output cannot be written: {error}."))
    else:
        log.error("the command failed", exc_info=error)
        _print(internal_error(error))
    _discard_output()
    return status


def _print(error: Exception, as_json: bool = False) -> None:
    if as_json and isinstance(error, SettingsError):
        error = UnmaskError("bad_request", str(error))
    with suppress(OSError):
        if as_json and isinstance(error, UnmaskError):
            sys.stdout.write(json.dumps(error.as_json(), default=str) + "\n")
            sys.stdout.flush()
        else:
            sys.stderr.write(f"unmask: error: {error}\n")


def _open_closed_streams() -> None:
    """Give output somewhere to go where the shell has closed a stream (``>&-``)."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115


def _quieten() -> None:
    """Keep tracebacks and advice of libraries, and of odd file names, off the screen."""
    logging.getLogger("unmask").addHandler(logging.NullHandler())  # else errors go to stderr raw
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _multiply_on_one_thread() -> None:
    """Let NumPy, which is imported later, multiply on one thread, unless the environment says
    otherwise. Its matrices are small here: beside networks that use every processor, to wait for
    another thread's half takes ten times as long as to multiply."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _discard_output() -> None:
    """Send unwritten output nowhere, so that Python does not complain at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
