"""``unmask worker``: one worker alone."""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
import sys

from unmask.cli.environment import read_settings
from unmask.cli.extras import load
from unmask.cli.faults import Exit, SettingsError
from unmask.errors import UnmaskError
from unmask.settings import Settings


def run(options: argparse.Namespace) -> int:
    """Work until SIGTERM or SIGINT, or with ``--alive`` look for a worker; the exit status."""
    settings = read_settings(None)
    if options.alive:
        return _look(settings)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    worker = load("worker.main", "worker")
    try:
        worker.run(settings)
    except UnmaskError as error:
        sys.stderr.write(f"unmask worker: {error}\n")
        return Exit.MISCONFIGURED
    return Exit.DONE


def _look(settings: Settings) -> int:
    """Whether a worker of this host gives signs of life: the health check of its container."""
    if not settings.redis_url:
        raise SettingsError("UNMASK_REDIS_URL: set it to the queue that the worker serves.")
    heartbeats = load("unmask.queue.heartbeats", "worker")
    alive = asyncio.run(heartbeats.worker_alive(settings.redis_url, socket.gethostname()))
    return Exit.DONE if alive else Exit.SOME_FAILED
