"""``unmask worker``, or ``python -m worker``: one worker alone."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import socket
import sys

from unmask.commands import needing
from unmask.errors import Exit, SettingsError, UnmaskError

HELP = "run one worker alone"
DESCRIPTION = (
    "Runs one worker: it takes all waiting pictures, up to UNMASK_BATCH_SIZE, as one batch."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--alive``."""
    parser.add_argument(
        "--alive",
        action="store_true",
        help="only look whether a worker of this host serves the queue; exit status 1 if none does",
    )


def run(options: argparse.Namespace) -> int:
    """Work until SIGTERM or SIGINT, or with ``--alive`` look for a worker; the exit status.

    An error that only people can mend is printed as JSON and ends it with status 78.
    """
    if options.alive:
        return Exit.DONE if _is_alive() else Exit.SOME_FAILED
    with needing("worker"):
        from unmask.environment import make_files_private, read_settings
        from unmask.logs import log_json
        from worker.main import run as work
    log_json(level=logging.WARNING)
    make_files_private()
    try:
        work(read_settings())
    except SettingsError as error:
        return _misconfigured(UnmaskError("bad_request", str(error)))
    except UnmaskError as error:
        return _misconfigured(error)
    return Exit.DONE


def _is_alive() -> bool:
    """Whether a worker of this host lives: the health check of its container."""
    with needing("worker"):
        from unmask.environment import read_settings
        from unmask.queue.heartbeats import worker_alive
    settings = read_settings()
    if not settings.redis_url:
        raise SettingsError("UNMASK_REDIS_URL: set it to the queue that the worker serves.")
    return asyncio.run(worker_alive(settings.redis_url, socket.gethostname()))


def _misconfigured(error: UnmaskError) -> int:
    sys.stderr.write(json.dumps(error.as_json(), default=str) + "\n")
    return Exit.MISCONFIGURED
