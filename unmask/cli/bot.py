"""``unmask bot``: the Telegram bot alone."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from unmask.cli.environment import read_settings
from unmask.cli.extras import load
from unmask.cli.faults import Exit, SettingsError
from unmask.settings import Settings


def run(options: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; with ``--alive`` look for one, with ``--feedback`` print what
    people said of verdicts. Returns the exit status."""
    settings = read_settings(None)
    if options.alive:
        return _look(settings)
    if options.feedback:
        for record in load("bot.state.feedback", "bot", "bot").Feedback(settings).read():
            sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
        return Exit.DONE
    status: int = load("bot.main", "bot", "bot").serve(settings)
    return status


def _look(settings: Settings) -> int:
    """Whether a bot of this host gives signs of life: the health check of its container."""
    if not settings.redis_url:
        raise SettingsError("UNMASK_REDIS_URL: set it to the queue that the bot uses.")
    token = load("bot.transport.token", "bot", "bot")
    try:
        found = asyncio.run(load("bot.transport.leader", "bot", "bot").alive(settings))
    except token.TokenError as error:
        raise SettingsError(str(error)) from error
    return Exit.DONE if found else Exit.SOME_FAILED
