"""``python -m bot`` is ``unmask bot``."""

import sys

from bot import command
from unmask.commands import main

if __name__ == "__main__":
    sys.exit(main("bot", command))
