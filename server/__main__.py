"""``python -m server`` is ``unmask server``."""

import sys

from server.commands import serve
from unmask.commands import main

if __name__ == "__main__":
    sys.exit(main("server", serve))
