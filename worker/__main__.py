"""``python -m worker`` is ``unmask worker``."""

import sys

from unmask.commands import main
from worker import command

if __name__ == "__main__":
    sys.exit(main("worker", command))
