"""``unmask bot``, or ``python -m bot``: the Telegram bot alone."""

from __future__ import annotations

import argparse
import json
import sys

from unmask.commands import needing
from unmask.errors import Exit, SettingsError

HELP = "run the Telegram bot alone"
DESCRIPTION = (
    "Runs the Telegram bot with the token in TELEGRAM_TOKEN. Workers may run elsewhere, with the "
    "same REDIS_URL and store."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--alive`` and ``--feedback``."""
    parser.add_argument(
        "--alive",
        action="store_true",
        help="only look whether a bot of this host works; exit status 1 if none does",
    )
    parser.add_argument(
        "--feedback",
        action="store_true",
        help="only print what people said of wrong verdicts, one JSON object a line",
    )


def run(options: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; with ``--alive`` look for a bot, with ``--feedback`` print what
    people said of verdicts. Returns the exit status; an invalid setting of the bot is 78."""
    if options.alive:
        return Exit.DONE if _is_alive() else Exit.SOME_FAILED
    if options.feedback:
        return _print_feedback()
    with needing("bot", "bot"):
        from bot.main import serve
        from unmask.environment import read_settings
    try:
        settings = read_settings()
    except SettingsError as error:
        sys.stderr.write(f"unmask bot: {error}\n")
        return Exit.MISCONFIGURED
    return serve(settings)


def _is_alive() -> bool:
    """Whether a bot of this host lives: the health check of its container."""
    import asyncio  # here, since each list of commands imports this module

    with needing("bot", "bot"):
        from bot.transport.leader import alive
        from bot.transport.token import TokenError
        from unmask.environment import read_settings
    settings = read_settings()
    if not settings.redis_url:
        raise SettingsError("UNMASK_REDIS_URL: set it to the queue that the bot uses.")
    try:
        return asyncio.run(alive(settings))
    except TokenError as error:
        raise SettingsError(str(error)) from error


def _print_feedback() -> int:
    with needing("bot", "bot"):
        from bot.state.feedback import Feedback
        from unmask.environment import read_settings
    for record in Feedback(read_settings()).read():
        sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
    return Exit.DONE
