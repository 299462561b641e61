"""``unmask worker``, or ``python -m worker``: one worker alone."""

from __future__ import annotations

import argparse
import gc
import json
import logging
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

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
    try:
        _work()
    except SettingsError as error:
        return _misconfigured(UnmaskError("bad_request", str(error)))
    except UnmaskError as error:
        return _misconfigured(error)
    return Exit.DONE


def _work() -> None:
    """Serve the queue. The networks, whose opening takes longest, are imported first, and open,
    outside Python's lock, while the rest is imported."""
    gc.disable()  # nothing of what a start makes is garbage
    with needing("worker"):
        from unmask.detector.networks import open_networks
        from unmask.environment import make_files_private, read_settings
        from unmask.logs import log_json
    log_json(level=logging.WARNING)
    make_files_private()
    settings = read_settings()
    with ThreadPoolExecutor(1, "unmask-open") as pool:
        opening = pool.submit(open_networks, settings)
        with needing("worker"):
            from unmask.detector.detector import Detector
            from worker.main import run as work
        detector = Detector(settings, networks=opening.result())
    gc.freeze()
    gc.enable()
    work(settings, detector)


def _is_alive() -> bool:
    """Whether a worker of this host lives: the health check of its container."""
    import asyncio  # here, since each list of commands imports this module

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
