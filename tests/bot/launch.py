"""``unmask bot`` for the tests: it may fetch pictures from loopback, on the port in its argument,
and all its loggers write at DEBUG."""

from __future__ import annotations

import logging
import sys

import bot.main
from tests.unmask.fetch.hostile import LOOPBACK, loopback
from unmask.fetch import Fetcher
from unmask.logs import log_json
from unmask.settings import Settings


def log_everything(*secrets: str, level: int = logging.DEBUG) -> None:
    """The bot's own logging at DEBUG, also for the loggers that it silences."""
    log_json(*secrets, level=level)
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(logging.DEBUG)


if __name__ == "__main__":
    setattr(bot.main, "log_json", log_everything)  # noqa: B010 - the module does not export it
    fetcher = Fetcher(10**7, 5, opened=LOOPBACK, ports={int(sys.argv[1])}, lookup=loopback)
    sys.exit(bot.main.serve(Settings(), fetcher=fetcher))
